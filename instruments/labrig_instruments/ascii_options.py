"""How a rig file describes a device that speaks text: what is asked, how a reply reads, what is told."""

from __future__ import annotations

import re
import warnings
from string import Formatter
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from labrig.drivers import Options, ValveOptions
from labrig.errors import InstrumentError
from labrig_instruments.number import NumberOptions, SetpointOptions, parse_number

_FORMATS: Final = re.compile(r"\+?\d{0,2}(?:\.\d{1,2})?[deEfFgG]?")


def _line(text: str) -> str:
    if not text.isascii() or any(ord(sign) < 32 and sign not in "\r\n\t\x1b" for sign in text):
        raise ValueError(f"text of ASCII characters, not {text!r}")
    return text


def _pattern(text: str) -> str:
    try:
        with warnings.catch_warnings(action="error"):  # what may mean something else in a later Python
            re.compile(text, re.ASCII)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise ValueError(f"a regular expression; {text!r} is none: {error}") from None
    return text


def _command(text: str) -> str:
    fields = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    if [name for name, _, _ in fields] != ["value"] or fields[0][2] is not None:
        raise ValueError(f"a command with {{value}} in it once, such as 'VOLT {{value:.3f}}', not {text!r}")
    if not _FORMATS.fullmatch(fields[0][1] or ""):
        raise ValueError(f"a format of the number such as {{value:.3f}}, not {text!r}")
    return text


Text = Annotated[str, AfterValidator(_line)]
Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression that the whole reply must match."""
Command = Annotated[Text, AfterValidator(_command)]
"""A command with the number in it."""
Terminator = Annotated[Text, Field(min_length=1, max_length=4)]


class Identity(Options):
    """Who is there. It is asked before anything else, and before anything is changed."""

    ask: Text
    reply: Pattern
    """Write the serial number into it, and no other device is taken."""


class Setting(Options):
    """Something that must be set in the device for its readings to mean what the rig file says."""

    ask: Text
    reply: Pattern
    """What it answers when it is set so."""
    tell: Text
    """What sets it so."""
    answer: Pattern | None = None
    """What the device answers to that; unset, nothing."""


class Query(Options):
    """A question; the named groups of its reply are channels."""

    ask: Text
    reply: Pattern
    """A group that took no part in the match is a value that the device does not have."""

    def groups(self) -> tuple[str, ...]:
        return tuple(re.compile(self.reply).groupindex)


class TextChannel(NumberOptions):
    """One named group of a reply."""


class TextSetpoint(SetpointOptions):
    tell: Command
    answer: Pattern | None = None
    """What the device answers to a command; unset, nothing."""
    ask: Text
    """Asks for the set-point that it follows."""
    reply: Pattern

    @model_validator(mode="after")
    def _names_the_value(self) -> TextSetpoint:
        if list(re.compile(self.reply).groupindex) != ["value"]:
            raise ValueError(f"a reply with the one named group (?P<value>…), not {self.reply!r}")
        return self


class TextValve(ValveOptions):
    """A valve or relay that is told in words; ``opens`` is for devices that know coils only, and stays unset here."""

    opens: Literal["energised"] = "energised"
    open: Text
    close: Text
    answer: Pattern | None = None
    """What the device answers to either; unset, nothing."""
    ask: Text
    is_open: Pattern
    is_closed: Pattern


def matched(pattern: str, reply: str, what: str) -> re.Match[str]:
    """The whole reply, matched; raises `InstrumentError` where it does not."""
    found = re.fullmatch(pattern, reply, re.ASCII)
    if found is None:
        raise InstrumentError(f"{what}: it answered {reply[:60]!r}, which is not as {pattern!r}")
    return found


def values_of(query: Query, reply: str, what: str) -> dict[str, float | None]:
    """The numbers in a reply by channel; None for one that the device does not have.

    Raises `InstrumentError` for a reply that is not as described, or a group that is no number.
    """
    groups = matched(query.reply, reply, what).groupdict()
    return {name: None if text is None else parse_number(text) for name, text in groups.items()}
