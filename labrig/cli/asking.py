"""A protocol's questions in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console

from labrig.errors import RigError
from labrig.model import Asked


def answer_in_terminal(console: Console, question: Asked, reply: Callable[[str, str], object]) -> None:
    """Ask once and hand the answer to ``reply``; raises `RigError` where nobody sits at this terminal."""
    if not sys.stdin.isatty():
        raise RigError(f"the method asks {question.text!r}, but nobody sits at this terminal; the run is stopped")
    console.print(f"[bold]{question.text}[/bold]")
    for number, choice in enumerate(question.choices, start=1):
        console.print(f"  {number}  {choice}")
    while True:
        typed = console.input("> ").strip()
        if typed in question.choices:
            reply(question.question, typed)
            return
        if typed.isdigit() and 1 <= int(typed) <= len(question.choices):
            reply(question.question, question.choices[int(typed) - 1])
            return
        console.print("Type the number of an answer.")
