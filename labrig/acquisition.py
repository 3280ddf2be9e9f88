"""A rig's real sources: one poller each, started and stopped together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from labrig.clock import Clock
from labrig.errors import InstrumentError, WatchdogExpired
from labrig.model import Block, Event
from labrig.poll import Poller, Tell
from labrig.roles import Actuator, Device, Source, Watchdog

log = logging.getLogger(__name__)


class Acquisition:
    """Opens every instrument, reads every source; lets go of all of them, whatever happened.

    With ``reconnect``, a source whose line is lost is looked for until it is back; else the loss is final.
    """

    def __init__(self, devices: Mapping[str, Device], clock: Clock, *, reconnect: bool = False) -> None:
        self._devices, self._clock, self._reconnect = devices, clock, reconnect
        self._tell: Tell = lambda _, __: None
        self._identities: dict[str, str] = {}
        self._locked: set[str] = set()
        self._pollers: list[Poller] = []
        self._opened: list[Device] = []
        self.actuators: Mapping[str, Actuator] = {
            name: device for name, device in devices.items() if isinstance(device, Actuator)
        }

    @property
    def watchdogs(self) -> tuple[Watchdog, ...]:
        """Hardware that makes the rig safe when nobody pets it."""
        return tuple(device for device in self._devices.values() if isinstance(device, Watchdog))

    def tell(self, warn: Tell) -> None:
        """Let somebody know what is wrong with an instrument: its name, and words that are empty when it is mended."""
        self._tell = warn

    def _warn(self, subject: str, words: str) -> None:
        self._tell(subject, words)

    def open(self) -> Mapping[str, str]:
        """Connect all, watchdogs first and outputs last; returns what each says it is.

        One that fails leaves none open. With ``reconnect``, a source that an expired watchdog keeps is no failure: a
        chassis may refuse every task until a person resets it, and its sources are opened then.
        """
        self._identities, self._locked = {}, set()
        try:
            for name, device in sorted(self._devices.items(), key=lambda item: _turn(item[1])):
                self._opened.append(device)
                try:
                    self._identities[name] = device.open()
                except WatchdogExpired as expired:
                    if not self._reconnect or not isinstance(device, Source):
                        raise
                    log.warning("%s", expired)
                    self._locked.add(name)
        except InstrumentError:
            self.close()
            raise
        return dict(self._identities)

    def start(self, publish: Callable[[Block | Event], None], lost: Callable[[str], None]) -> None:
        for name, device in self._devices.items():
            if isinstance(device, Source):
                poller = Poller(
                    device,
                    publish=publish,
                    clock=self._clock,
                    lost=lost,
                    identity=self._identities.get(name, "") if self._reconnect else "",
                    locked=name in self._locked,
                    tell=self._warn,
                )
                self._pollers.append(poller)
                poller.start()

    def stop(self) -> None:
        """End every poller; each is tried, the first failure is raised after the last."""
        pollers, self._pollers = self._pollers, []
        failures = [failure for poller in pollers if (failure := _attempt(poller.stop)) is not None]
        if failures:
            raise failures[0]

    def close(self) -> None:
        opened, self._opened = self._opened, []
        for device in reversed(opened):
            failure = _attempt(device.close)
            if failure is not None:
                log.info("%s did not close cleanly: %s", device.name, failure)


def _turn(device: Device) -> int:
    if isinstance(device, Watchdog):
        return 0
    return 2 if isinstance(device, Actuator) else 1


def _attempt(verb: Callable[[], object]) -> InstrumentError | None:
    try:
        verb()
    except InstrumentError as failure:
        return failure
    return None
