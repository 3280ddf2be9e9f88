"""Who answers a protocol's questions: a person somewhere, a script's prepared answers, or the rehearsal's stand-in."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final, Protocol

from labrig.ending import Tenure
from labrig.errors import RigError
from labrig.model import Asked

LOOK: Final = 0.2


class Operator(Protocol):
    """Answers one question at a time."""

    @property
    def name(self) -> str: ...

    def answer(self, question: Asked, tenure: Tenure) -> str:
        """One of the question's choices; returns anything once the run has ended."""
        ...


class Prepared:
    """Answers by the first words of a question, else by its first choice: a script, or a rehearsal."""

    def __init__(self, name: str, answers: Mapping[str, str] | None = None) -> None:
        self.name, self._answers = name, dict(answers or {})

    def answer(self, question: Asked, tenure: Tenure) -> str:
        for beginning, answer in self._answers.items():
            if question.text.startswith(beginning):
                return _allowed(question, answer)
        return question.choices[0]


class Nobody:
    """An unattended run: a question is a fault of the method."""

    name: Final = "nobody"

    def answer(self, question: Asked, tenure: Tenure) -> str:
        raise RigError(f"the method is unattended, but asks {question.text!r}; run it attended, or change the method")


class Desk:
    """Questions wait here until somebody answers: the desktop, the terminal, another client."""

    def __init__(self) -> None:
        self.name = "operator"
        self._changed = threading.Condition()
        self._open: Asked | None = None
        self._answer: str | None = None

    @property
    def pending(self) -> Asked | None:
        """The question that waits for an answer."""
        return self._open

    def answer(self, question: Asked, tenure: Tenure) -> str:
        with self._changed:
            self._open, self._answer = question, None
            while self._unanswered() and not tenure.ending.event.is_set():
                self._changed.wait(LOOK)
                tenure.renew()
            self._open = None
            return self._given()

    def _unanswered(self) -> bool:
        return self._answer is None

    def _given(self) -> str:
        return self._answer or ""

    def reply(self, question: str, answer: str, by: str) -> None:
        """Answer the question that waits; raises `RigError` for another question or an answer that is no choice."""
        with self._changed:
            if self._open is None or self._open.question != question:
                raise RigError("that question no longer waits for an answer; nothing was changed")
            self._answer, self.name = _allowed(self._open, answer), by
            self._changed.notify_all()


def _allowed(question: Asked, answer: str) -> str:
    if answer not in question.choices:
        raise RigError(f"{question.text!r} can be answered by {', '.join(question.choices)}, not {answer!r}")
    return answer
