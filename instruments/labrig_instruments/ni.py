"""What the NI drivers share: the way to NI-DAQmx, who answers there, and its errors in labrig's words.

Without a server NI-DAQmx is the driver on this computer. With one it is reached by gRPC, as NI's gRPC Device Server and
the simulated rig offer it. Nothing else differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from labrig.errors import InstrumentError, LinkLost, WatchdogExpired, WrongInstrument

OVERRUN: Final = frozenset({-200279, -200361, -200222})
"""Samples were overwritten in the computer's buffer; the device's own overflowed; the acquisition stopped for it."""
TOO_EARLY: Final = -200284
"""Fewer samples than asked for came within the time."""
_GONE: Final = frozenset({-201003, -200324, -200220, -88710, -88709, -88708, -50808, -50405})
"""Not accessible, absent, no such device; aborted because removed or reset; USB transfers that failed."""
_ENDED: Final = -200473
"""The acquisition does not run, though nobody here stopped it."""
_RESERVED: Final = -50103
_EXPIRED: Final = frozenset({-200678, -200644, -200681, -200712, -201434, -201478})
"""Refused because a watchdog of the device, or of its chassis, has run out."""
_NO_WATCHDOG: Final = -200662
_LOOKING: Final = 3.0
"""Seconds that a server may take to answer who looks for devices."""
_UNREACHABLE: Final = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"}


def _server(address: str) -> str:
    if not re.fullmatch(r"(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}|sim://[\w-]+", address):
        raise ValueError(f"a server on this computer, such as '127.0.0.1:31763', not {address!r}")
    return address


def _hexadecimal(number: str) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f]{1,8}", number):
        raise ValueError(f"a serial number as printed on the device, such as '01A2B3C4', not {number!r}")
    return number


def terminal(pattern: str, example: str) -> AfterValidator:
    """Accepts the name of a terminal of a device, without the device."""

    def check(name: str) -> str:
        if not re.fullmatch(pattern, name):
            raise ValueError(f"a terminal such as {example!r}, not {name!r}")
        return name

    return AfterValidator(check)


def distinct(key: str) -> AfterValidator:
    """Refuses a table of tables in which two have the same terminal under ``key``."""

    def check(tables: dict[str, Any]) -> dict[str, Any]:  # models of whichever driver
        terminals = [getattr(table, key) for table in tables.values()]
        twice = sorted({name for name in terminals if terminals.count(name) > 1})
        if twice:
            raise ValueError(f"another {key} for each, not {', '.join(twice)} twice")
        return tables

    return AfterValidator(check)


Server = Annotated[str, AfterValidator(_server)]
"""``host:port`` of a gRPC server; loopback only, because neither identity nor transport is checked."""
SerialNumber = Annotated[str, AfterValidator(_hexadecimal)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which device a rig file means."""

    device: str
    server: str | None
    product: str | None
    serial_number: str | None


class Daq:
    """One driver's way to one device: its own connection, so that no driver waits for another."""

    def __init__(self, name: str, wanted: Wanted, *, patience: float) -> None:
        """``patience``: seconds after which an unanswered call counts as lost; only a server can be given up on."""
        self._name, self._wanted, self._patience = name, wanted, patience
        self._channel: Any = None
        self._tasks: list[Any] = []
        self._is_open = False

    def open(self) -> str:
        """Connect and check identity; returns product and serial number. Creates no task yet."""
        self.close()
        self._is_open = True
        if self._wanted.server is not None:
            self._channel = _connected(self._wanted.server, self._patience)
        try:
            with self.watched():
                return self._identified()
        except InstrumentError:
            self.close()
            raise

    def task(self) -> Any:  # noqa: ANN401 - nidaqmx ships no types
        """A new task, closed by `close`."""
        import nidaqmx

        if not self._is_open:
            raise InstrumentError(f"{self._name} is not connected")
        task = nidaqmx.Task(grpc_options=self._options())
        self._tasks.append(task)
        return task

    def watchdog(self, session: str, timeout: float) -> Any:  # noqa: ANN401 - nidaqmx ships no types
        """A watchdog task of the device; the one of a client that died, where its server still has it by that name."""
        from nidaqmx.system.watchdog import WatchdogTask

        if not self._is_open:
            raise InstrumentError(f"{self._name} is not connected")
        return WatchdogTask(self._wanted.device, session, timeout, grpc_options=self._options(session))

    def reset(self) -> None:
        """Bring the device, with all its modules, to its power-up state; every task on it is gone."""
        from nidaqmx.system import Device

        Device(self._wanted.device, grpc_options=self._options()).reset_device()

    def close(self) -> None:
        """Clear every task and let go of the server; safe to repeat, and safe after an error."""
        self._is_open = False
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            with suppress(InstrumentError), self.watched():
                task.close()
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Errors of NI-DAQmx and of the way to it become labrig's.

        Raises `LinkLost` for a device or a server that is gone, `InstrumentError` for everything else.
        """
        from nidaqmx import errors

        try:
            yield
        except errors.Error as error:
            raise explained(self._name, self._wanted, error) from error
        except ValueError as error:
            if self._is_open:
                raise
            raise LinkLost(f"{self._name} was disconnected meanwhile") from error  # gRPC: the channel is closed

    def _options(self, session: str = "") -> Any:  # noqa: ANN401 - nidaqmx ships no types
        from nidaqmx import GrpcSessionOptions

        return None if self._channel is None else GrpcSessionOptions(self._channel, session)

    def _identified(self) -> str:
        from nidaqmx.system import Device

        wanted = self._wanted
        device = Device(wanted.device, grpc_options=self._options())
        product, number = str(device.product_type), int(device.serial_num)
        if wanted.product is not None and product != wanted.product:
            raise WrongInstrument(f"{wanted.device}: expected {wanted.product}, found {product}. Not connected.")
        if wanted.serial_number is not None and number != int(wanted.serial_number, 16):
            raise WrongInstrument(
                f"{wanted.device}: expected the {product} with serial number {wanted.serial_number.upper()}, found "
                f"{number:08X}. Not connected."
            )
        return f"{product}, serial number {number:08X}{' (simulated)' if device.is_simulated else ''}"


@contextmanager
def nidaqmx_options(server: str | None) -> Iterator[Any]:
    """What leads nidaqmx to that server; None for the driver on this computer."""
    from nidaqmx import GrpcSessionOptions

    if server is None:
        yield None
        return
    channel = _connected(server, _LOOKING)
    try:
        yield GrpcSessionOptions(channel, "")
    finally:
        channel.close()


def explained(name: str, wanted: Wanted | None, error: Exception) -> InstrumentError:
    """An error of nidaqmx in labrig's words: what happened, and what to do."""
    from nidaqmx import errors

    where = f"{name} ({wanted.device})" if wanted else name
    text = str(error).partition("\n")[0].strip().rstrip(".")
    match error:
        case errors.DaqNotFoundError() | errors.DaqNotSupportedError():
            return InstrumentError(
                f"{where}: NI-DAQmx is not installed on this computer. Install it from ni.com, or use a simulated rig."
            )
        case errors.RpcError() if error.rpc_code.name in _UNREACHABLE:
            return LinkLost(f"{where}: the server{_named(wanted)} does not answer. Start it, then reconnect.")
        case errors.DaqError():
            return _refused(where, text, int(error.error_code))
        case _:
            return InstrumentError(f"{where}: NI-DAQmx failed: {text}")


def _named(wanted: Wanted | None) -> str:
    return f" at {wanted.server}" if wanted else ""


def _refused(where: str, text: str, code: int) -> InstrumentError:
    if code in _GONE:
        return LinkLost(f"{where}: the device is gone ({text}, {code}). Check its cable and power, then reconnect.")
    if code == _ENDED:
        return LinkLost(f"{where}: the acquisition was ended from outside, as by a reset of the device ({code}).")
    if code in _EXPIRED:
        return WatchdogExpired(
            f"{where}: the hardware watchdog has expired ({code}); the outputs are in their safe states and stay "
            "there. Find out what stopped labrig, then reset it."
        )
    if code == _NO_WATCHDOG:
        return InstrumentError(
            f"{where} has no hardware watchdog ({code}). Nothing was armed. Use a device that has one, such as a "
            "cDAQ-9185, a cDAQ-9189 or an X Series card."
        )
    if code == _RESERVED:
        return InstrumentError(
            f"{where} is in use by another program or instrument ({code}). Close that, then reconnect."
        )
    return InstrumentError(f"{where}: NI-DAQmx refused: {text} ({code})")


def _connected(server: str, patience: float) -> Any:  # noqa: ANN401 - a grpc.Channel, imported late
    if server.startswith("sim://"):
        raise LinkLost(f"{server}: the simulated rig is not running. Start it with the rig.")
    from labrig_instruments.ni_server import connected

    return connected(server, patience)
