"""RPCs that tell of events: every so many samples, and the end of an acquisition.

The client blocks until the server's first metadata, which the door sends as soon as ``register`` has returned; an event
of a task that is started next can therefore not be missed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from nidaqmx._stubs import nidaqmx_pb2 as pb

from labrig_instruments.simulated.ni.calls import Call, Message, Streaming, Unary
from labrig_instruments.simulated.ni.driver import Driver
from labrig_instruments.simulated.ni.errors import ClientGone, Code, DriverError
from labrig_instruments.simulated.ni.stream import AnalogStream, Caller
from labrig_instruments.simulated.ni.tasks import State

FOR_EVER = -1.0


class EventCalls:
    """A listener is the caller of a registration: it listens until it hangs up, or is made to by an unregistration."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._lock = threading.Lock()
        self._listeners: dict[tuple[str, str], Caller] = {}

    def calls(self) -> list[Call]:
        return [
            Streaming(pb.RegisterEveryNSamplesEventRequest, self._register_samples),
            Unary(pb.UnregisterEveryNSamplesEventRequest, self._unregister_samples),
            Streaming(pb.RegisterDoneEventRequest, self._register_done),
            Unary(pb.UnregisterDoneEventRequest, self._unregister_done),
        ]

    def _register_samples(self, request: Message, caller: Caller) -> Iterator[Message]:
        kind = request.every_n_samples_event_type or request.every_n_samples_event_type_raw
        answer = pb.RegisterEveryNSamplesEventResponse(every_n_samples_event_type_raw=kind, n_samples=request.n_samples)
        taken = Code.EVERY_N_SAMPS_ACQ_INTO_BUFFER_EVENT_ALREADY_REGISTERED
        self._register(("samples", request.task.name), caller, taken)
        return self._every_samples(request.task.name, request.n_samples, answer, caller)

    def _register_done(self, request: Message, caller: Caller) -> Iterator[Message]:
        self._register(("done", request.task.name), caller, Code.DONE_EVENT_ALREADY_REGISTERED)
        return self._each_end(request.task.name, caller)

    def _unregister_samples(self, request: Message, caller: Caller) -> Message:
        self._unregister(("samples", request.task.name))
        return pb.UnregisterEveryNSamplesEventResponse()

    def _unregister_done(self, request: Message, caller: Caller) -> Message:
        self._unregister(("done", request.task.name))
        return pb.UnregisterDoneEventResponse()

    def _register(self, key: tuple[str, str], caller: Caller, taken: Code) -> None:
        with self._driver.task(key[1]) as task, self._lock:
            if task.state is State.RUNNING:
                raise DriverError(Code.CANNOT_REGISTER_DA_QMX_SOFTWARE_EVENT_WHILE_TASK_IS_RUNNING)
            known = self._listeners.get(key)
            if known is not None and not known.gone:
                raise DriverError(taken, f"Task Name: {key[1]}")
            self._listeners[key] = caller

    def _unregister(self, key: tuple[str, str]) -> None:
        with self._lock:
            listener = self._listeners.pop(key, None)
        if listener is not None:
            listener.hang_up()

    def _every_samples(self, name: str, count: int, answer: Message, caller: Caller) -> Iterator[Message]:
        for stream in self._acquisitions(name, caller):
            total = count
            while _reached(stream, total, caller):
                yield answer
                total += count

    def _each_end(self, name: str, caller: Caller) -> Iterator[Message]:
        for stream in self._acquisitions(name, caller):
            if stream.finite is not None and _reached(stream, stream.finite, caller):
                yield pb.RegisterDoneEventResponse()

    def _acquisitions(self, name: str, caller: Caller) -> Iterator[AnalogStream]:
        """Each acquisition of the task as it starts, until the task or the caller is gone."""
        stream = None
        while (stream := self._driver.next_stream(name, stream, caller)) is not None:
            yield stream


def _reached(stream: AnalogStream, total: int, caller: Caller) -> bool:
    """Waits for so many samples; False when they will not come."""
    if stream.finite is not None and total > stream.finite:
        return False
    try:
        return stream.wait_for(total, FOR_EVER, caller)
    except (ClientGone, DriverError):
        return False
