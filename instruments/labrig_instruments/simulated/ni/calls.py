"""How an RPC is declared: the message it takes, and the function that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from labrig_instruments.simulated.ni.stream import Caller

# NI's generated messages carry no types that a checker can see; each function names the fields it reads.
Message = Any
Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class Unary:
    """One request, one answer: a message, or its bytes ready for the wire."""

    request: Any
    """The message class ``<Name>Request``."""
    answer: Callable[[Any, Caller], Message | bytes]


@dataclass(frozen=True, slots=True)
class Streaming:
    """One request, answers for as long as the client listens."""

    request: Any
    register: Callable[[Any, Caller], Iterator[Message]]
    """Checks and registers at once; the iterator it returns waits."""


Call = Unary | Streaming


def name_of(call: Call) -> str:
    """The RPC's name: its request's without the ending."""
    return str(call.request.DESCRIPTOR.name).removesuffix("Request")


def attribute_of(request: Message) -> int:
    """The number of a property; clients send it as an enumeration or as it is."""
    return int(request.attribute or request.attribute_raw)
