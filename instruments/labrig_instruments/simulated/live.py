"""The plant on the machine's clock, behind one lock: what every face of the simulated rig talks to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, runtime_checkable

import numpy as np

from labrig.clock import SECOND, monotonic
from labrig.model import Floats
from labrig.plant import AddressKind, Disturbance, Weighing
from labrig.roles import Now
from labrig_instruments.simulated.faults import AnySignalFault
from labrig_instruments.simulated.signals import Distortion


class PlantLike(Protocol):
    """What the faces need of `labrig.plant.Plant`."""

    @property
    def time(self) -> float: ...
    @property
    def addresses(self) -> Mapping[str, AddressKind]: ...
    def advance(self, until: float) -> None: ...
    def command(self, address: str, raw: float) -> None: ...
    def readback(self, address: str) -> float: ...
    def acquire(self, address: str, first: int, n: int, rate: float, start: float) -> Floats: ...
    def measure(self, address: str, at: float) -> float: ...
    def weigh(self, address: str, at: float) -> Weighing: ...
    def truth(self) -> dict[str, float]: ...
    def true_permeance(self, start: float, end: float) -> float: ...
    def empty_beaker(self) -> None: ...
    def refill_vessel(self) -> None: ...


@runtime_checkable
class Disturbable(Protocol):
    """A plant in which something can go wrong."""

    def disturb(self, disturbance: Disturbance) -> None: ...
    def empty_vessel(self) -> None: ...


FORGETS: Final = 120.0
"""Seconds after which a plant no longer knows what a converter saw."""
JOURNAL: Final = 10_000
"""Commands that are remembered."""


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment in both times."""

    plant: float
    """Seconds since the plant began."""
    monotonic: int
    """The machine's monotonic clock, ns: every process on it sees the same."""


class LivePlant:
    """Every call first brings the plant up to now, so that a command takes effect at the time it arrives."""

    def __init__(self, plant: PlantLike, now: Now = monotonic) -> None:
        self._plant, self._now = plant, now
        self._lock = threading.Lock()
        self._origin = now() - round(plant.time * SECOND)
        self._armed: dict[str, tuple[float, Mapping[str, float]]] = {}
        self._gone_off: set[str] = set()
        self._distortions: list[Distortion] = []
        self.addresses = plant.addresses
        self.journal: deque[tuple[int, str, float]] = deque(maxlen=JOURNAL)
        """The newest commands as they came: monotonic ns, address, raw value."""

    def instant(self) -> Instant:
        now = self._now()
        return Instant((now - self._origin) / SECOND, now)

    def now(self) -> float:
        """Plant seconds."""
        return self.instant().plant

    def tick(self) -> None:
        """Keep up with the clock, so that nobody has to wait for a long stretch to be made up."""
        with self._lock:
            self._advance()

    def command(self, address: str, raw: float) -> None:
        """Set an output; one that nothing is wired to only remembers."""
        with self._lock:
            self.journal.append((self._advance().monotonic, address, raw))
            self._plant.command(address, raw)

    def readback(self, address: str) -> float:
        with self._lock:
            return self._plant.readback(address)

    def arm(self, name: str, delay: float, commands: Mapping[str, float]) -> None:
        """Command these outputs in ``delay`` seconds of the plant's time, unless armed anew or disarmed before."""
        with self._lock:
            self._armed[name] = (self._advance().plant + delay, dict(commands))

    def disarm(self, name: str) -> None:
        with self._lock:
            self._advance()
            self._armed.pop(name, None)

    def has_gone_off(self, name: str) -> bool:
        with self._lock:
            self._advance()
            return name in self._gone_off

    def forgive(self, name: str) -> None:
        """As if it had not gone off; what it commanded stays."""
        with self._lock:
            self._advance()
            self._gone_off.discard(name)

    def acquire(self, addresses: Sequence[str], first: int, n: int, rate: float, start: float) -> Floats:
        """Volts or amperes of samples ``first`` to ``first + n - 1``, shape (c, n)."""
        samples = np.empty((len(addresses), n))
        with self._lock:
            self._advance()
            for row, address in zip(samples, addresses, strict=True):
                row[:] = self._plant.acquire(address, first, n, rate, start)
                for distortion in self._distortions:
                    if distortion.fault.address == address:
                        distortion.apply(row, first, rate, start)
        return samples

    def distort(self, fault: AnySignalFault) -> None:
        """From now on that signal lies; ValueError for an address that is no analog input."""
        if self.addresses.get(fault.address) not in {"analog voltage", "analog current"}:
            raise ValueError(f"an analog input of this rig, not {fault.address!r}")
        with self._lock:
            now = self._advance().plant
            held = float(self._plant.acquire(fault.address, 0, 1, 1.0, now)[0])
            self._distortions.append(Distortion(fault, now, held))

    def restore(self, fault: AnySignalFault) -> None:
        """The signal is sound again from now on; samples that were taken before stay as they were."""
        with self._lock:
            now = self._advance().plant
            self._distortions = [
                replace(each, until=now) if each.fault == fault and each.until > now else each
                for each in self._distortions
                if each.until > now - FORGETS
            ]

    def disturb(self, disturbance: Disturbance) -> None:
        """Let that, and nothing else, be wrong with the plant; ValueError for a plant that cannot be disturbed."""
        with self._lock:
            self._advance()
            self._disturbable().disturb(disturbance)

    def empty_vessel(self) -> None:
        """Let the feed vessel run dry; ValueError as `disturb`."""
        with self._lock:
            self._advance()
            self._disturbable().empty_vessel()

    def _disturbable(self) -> Disturbable:
        if not isinstance(self._plant, Disturbable):
            raise ValueError("a plant with physics of its own; this one only delivers numbers")  # noqa: TRY004
        return self._plant

    def weigh(self, address: str) -> Weighing:
        with self._lock:
            return self._plant.weigh(address, self._advance().plant)

    def measure(self, address: str, ago: float = 0.0) -> float:
        """The newest reading of a digital instrument so many seconds ago, SI."""
        with self._lock:
            return self._plant.measure(address, max(0.0, self._advance().plant - ago))

    def truth(self) -> tuple[Instant, dict[str, float]]:
        with self._lock:
            instant = self._advance()
            return instant, self._plant.truth()

    def permeance(self, start: float, end: float) -> float:
        """Averaged over plant times, m/s/Pa."""
        with self._lock:
            self._advance()
            return self._plant.true_permeance(start, end)

    def empty_beaker(self) -> None:
        with self._lock:
            self._advance()
            self._plant.empty_beaker()

    def refill_vessel(self) -> None:
        with self._lock:
            self._advance()
            self._plant.refill_vessel()

    def _advance(self) -> Instant:
        instant = self.instant()
        due = sorted((time, name) for name, (time, _) in self._armed.items() if time <= instant.plant)
        for time, name in due:
            self._plant.advance(time)
            for address, raw in self._armed.pop(name)[1].items():
                self._plant.command(address, raw)
                self.journal.append((self._origin + round(time * SECOND), address, raw))
            self._gone_off.add(name)
        self._plant.advance(instant.plant)
        return instant
