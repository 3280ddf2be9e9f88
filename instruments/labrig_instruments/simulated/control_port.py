"""The control port of the simulated rig: what is really so, for tests and ``labrig validate``; never for the product.

One JSON object a line each way over loopback TCP. A request names its ``op``; an answer is ``{"ok": …}`` or
``{"error": "…"}``. A line that cannot be answered does not end the connection.
"""

from __future__ import annotations

import json
import selectors
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from labrig.clock import spawn
from labrig.errors import LabrigError
from labrig_instruments.simulated.faults import AnyFault
from labrig_instruments.simulated.live import Instant, LivePlant

LOOPBACK: Final = "127.0.0.1"
LONGEST: Final = 65536
"""Bytes of a request; a client that sends more without a line's end is hung up on."""


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AskTime(Request):
    op: Literal["time"]


class AskTruth(Request):
    op: Literal["truth"]


class AskPermeance(Request):
    op: Literal["permeance"]
    start: float
    end: float


class AskOutputs(Request):
    op: Literal["outputs"]


class AskCommands(Request):
    op: Literal["commands"]
    since: int


class AskCounters(Request):
    op: Literal["counters"]


class EmptyBeaker(Request):
    op: Literal["empty beaker"]


class RefillVessel(Request):
    op: Literal["refill vessel"]


class Patient(Protocol):
    """What can be made to go wrong: `labrig_instruments.simulated.registry.Faults`."""

    def standing(self) -> list[dict[str, object]]: ...
    def set(self, fault: AnyFault) -> None: ...
    def clear(self, fault: str, key: str) -> str: ...
    def clear_all(self) -> None: ...


class SetFault(Request):
    op: Literal["set fault"]
    fault: AnyFault


class ClearFault(Request):
    op: Literal["clear fault"]
    fault: str
    key: str = ""
    """Address, device, line or valve, where several of the kind may stand."""


class ClearFaults(Request):
    op: Literal["clear faults"]


class ListFaults(Request):
    op: Literal["list faults"]


AnyRequest = Annotated[
    AskTime
    | AskTruth
    | AskPermeance
    | AskOutputs
    | AskCommands
    | AskCounters
    | EmptyBeaker
    | RefillVessel
    | SetFault
    | ClearFault
    | ClearFaults
    | ListFaults,
    Field(discriminator="op"),
]
_REQUEST: Final[TypeAdapter[AnyRequest]] = TypeAdapter(AnyRequest)
Answerer = Callable[[bytes], bytes]


def answerer(plant: LivePlant, counters: Callable[[], Mapping[str, int]], faults: Patient) -> Answerer:
    """A function from a request's line to the answer's line; takes any bytes and never raises."""

    def answer(line: bytes) -> bytes:
        try:
            result = {"ok": _carried_out(_REQUEST.validate_json(line), plant, counters, faults)}
        except ValidationError as error:
            result = {"error": "; ".join(_fault(detail["loc"], detail["msg"]) for detail in error.errors())}
        except (LabrigError, ValueError) as error:
            result = {"error": str(error)}
        return json.dumps(result).encode() + b"\n"

    return answer


def _fault(where: tuple[int | str, ...], what: str) -> str:
    return f"{'.'.join(map(str, where))}: {what}" if where else what


def _carried_out(
    request: AnyRequest, plant: LivePlant, counters: Callable[[], Mapping[str, int]], faults: Patient
) -> object:
    result: object = None
    match request:
        case AskTime():
            result = _moment(plant.instant())
        case AskTruth():
            instant, truth = plant.truth()
            result = {**_moment(instant), "truth": truth}
        case AskPermeance():
            result = plant.permeance(request.start, request.end)
        case AskOutputs():
            kinds = {"digital output", "analog output", "set-point"}
            result = {address: plant.readback(address) for address, kind in plant.addresses.items() if kind in kinds}
        case AskCommands():
            result = [command for command in tuple(plant.journal) if command[0] >= request.since]
        case AskCounters():
            result = dict(counters())
        case EmptyBeaker():
            plant.empty_beaker()
        case RefillVessel():
            plant.refill_vessel()
        case SetFault(fault=fault):
            faults.set(fault)
        case ClearFault(fault=name, key=key):
            result = faults.clear(name, key)
        case ClearFaults():
            faults.clear_all()
        case ListFaults():
            result = faults.standing()
    return result


def _moment(instant: Instant) -> dict[str, float]:
    return {"time": instant.plant, "monotonic": instant.monotonic}


class ControlServer:
    """Answers every client in one thread; requests are short."""

    def __init__(self, answer: Answerer) -> None:
        self._answer = answer
        self._listener = socket.create_server((LOOPBACK, 0))
        self._listener.setblocking(False)
        self.address = f"{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._ear, self._mouth = socket.socketpair()
        self._begun: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._ending = threading.Event()
        self._thread = spawn("control port", self._serve)

    def close(self) -> None:
        self._ending.set()
        self._mouth.send(b".")
        self._thread.join()
        for client in list(self._begun):
            self._hang_up(client)
        self._selector.close()
        for end in (self._listener, self._ear, self._mouth):
            end.close()

    def _serve(self) -> None:
        while not self._ending.is_set():
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._admit()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._begun:
                    self._hear(key.fileobj)

    def _admit(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(1.0)  # an answer that a client does not take within it is the client's loss
        self._begun[client] = b""
        self._selector.register(client, selectors.EVENT_READ)

    def _hear(self, client: socket.socket) -> None:
        try:
            data = client.recv(LONGEST)
            *lines, rest = (self._begun[client] + data).split(b"\n")
            for line in lines:
                client.sendall(self._answer(line))
        except OSError:
            data, rest = b"", b""
        if not data or len(rest) > LONGEST:
            self._hang_up(client)
        else:
            self._begun[client] = rest

    def _hang_up(self, client: socket.socket) -> None:
        del self._begun[client]
        self._selector.unregister(client)
        client.close()
