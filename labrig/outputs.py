"""Every output of a rig: commanded while somebody may, made safe by whoever must, and then kept safe."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from labrig.clock import SECOND, spawn
from labrig.errors import InstrumentError, RigError, WatchdogExpired
from labrig.model import Commanded, Event, Output
from labrig.roles import Actuator, Now, Regulator, Valve

log = logging.getLogger(__name__)
DEADLINE: Final = 2.0
"""Seconds that one instrument may take to make its outputs safe; the others do not wait for it."""
Permit = Callable[[], None]
"""Raises the reason why outputs may not be commanded (any more)."""


class Outputs:
    """Verbs on outputs by name.

    A command asks its permit under the instrument's lock, and `make_safe` takes the same lock: once a permit is
    withdrawn, no command that was already under way can undo what `make_safe` did. Each instrument has a lock of its
    own, so that one that hangs delays neither the others' commands nor their way to safety.
    """

    def __init__(
        self,
        outputs: Mapping[str, Output],
        owners: Mapping[str, Actuator],
        *,
        publish: Callable[[Event], None],
        now: Now,
        parallel: bool = True,
    ) -> None:
        self._outputs, self._owners, self._parallel = outputs, owners, parallel
        self._publish, self._now = publish, now
        self._locks = {device.name: threading.Lock() for device in owners.values()}

    def open(self, name: str, permit: Permit) -> None:
        """Open a valve; raises `RigError` for a regulator."""
        self._switch(name, permit, opened=True)

    def close(self, name: str, permit: Permit) -> None:
        """Close a valve; raises `RigError` for a regulator."""
        self._switch(name, permit, opened=False)

    def set(self, name: str, target: float, permit: Permit) -> None:
        """Command a set-point (SI); raises `RigError` outside the output's limits, unsent."""
        verbs = self._verbs(name)
        output = self._outputs[name]
        if not isinstance(verbs, Regulator):
            raise RigError(f"{name} is a valve: it can be opened and closed, not set")
        if not output.low <= target <= output.high:
            raise RigError(
                f"{name}: {output.unit.show(target)} lies outside its limits {output.unit.show(output.low)} to "
                f"{output.unit.show(output.high)}; nothing was sent"
            )
        with self._locks[self._owners[name].name]:
            permit()
            verbs.set(target)
        self._publish(Commanded(self._now(), name, "set", target))

    def make_safe(self, *, anew: bool = False) -> tuple[str, ...]:
        """Bring every instrument's outputs to their safe state, side by side, each with its own deadline.

        ``anew``: an instrument that fails is opened again, which does the same; a person decides that.
        Returns what failed, in words; empty when every output was made safe.
        """
        devices = {device.name: device for device in self._owners.values()}
        secure = self._secure_side_by_side if self._parallel else self._secure_in_turn
        failures = secure(devices, anew=anew)
        for output in self._outputs.values():
            if self._owners[output.name].name not in failures:
                self._publish(Commanded(self._now(), output.name, "made safe", output.safe))
        return tuple(f"{name}: {why}. Check it by hand." for name, why in failures.items())

    def _secure_in_turn(self, devices: Mapping[str, Actuator], *, anew: bool) -> dict[str, str]:
        found = {name: self._secure(device, anew=anew) for name, device in devices.items()}
        return {name: why for name, why in found.items() if why}

    def _secure_side_by_side(self, devices: Mapping[str, Actuator], *, anew: bool) -> dict[str, str]:
        found = dict.fromkeys(devices, f"did not answer within {DEADLINE:g} s")

        def secure(name: str) -> None:
            found[name] = self._secure(devices[name], anew=anew)

        threads = [spawn(f"make safe {name}", partial(secure, name)) for name in devices]
        until = self._now() + round(DEADLINE * SECOND)
        for thread in threads:
            thread.join(max(0.0, (until - self._now()) / SECOND))
        return {name: why for name, why in found.items() if why}

    def _secure(self, device: Actuator, *, anew: bool) -> str:
        """What failed; a device whose watchdog has expired is safe, and refuses every command."""
        try:
            with self._locks[device.name], suppress(WatchdogExpired):
                try:
                    device.make_safe()
                except InstrumentError:
                    if not anew:
                        raise
                    device.close()
                    device.open()
        except InstrumentError as error:
            return str(error)
        except Exception as error:  # a driver's fault must not keep the next instrument from being made safe
            log.exception("%s failed to make its outputs safe", device.name)
            return f"{type(error).__name__}: {error}"
        return ""

    def _switch(self, name: str, permit: Permit, *, opened: bool) -> None:
        verbs = self._verbs(name)
        if not isinstance(verbs, Valve):
            raise RigError(f"{name} is a regulator: it can be set, not opened or closed")
        with self._locks[self._owners[name].name]:
            permit()
            (verbs.open if opened else verbs.close)()
        self._publish(Commanded(self._now(), name, "open" if opened else "close", float(opened)))

    def _verbs(self, name: str) -> Valve | Regulator:
        if name not in self._owners:
            raise RigError(f"this rig has no output {name!r}; it has {', '.join(self._outputs)}")
        return self._owners[name].output(name)
