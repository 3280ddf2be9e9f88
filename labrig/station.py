"""A rig, opened: sources sampled, the guardian awake, one run at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np

from labrig import outlook
from labrig.bus import Bus, Sink
from labrig.clock import SECOND, Clock
from labrig.config import RigConfig
from labrig.ending import Tenure
from labrig.errors import InstrumentError, LabrigError, RigError, RunEnded
from labrig.guardian import Guardian
from labrig.header import Order, make_header
from labrig.history import History, Trace
from labrig.link import LocalLink
from labrig.model import Block, ClockPaired, Event, Faulted, Outcome, RunFinished, RunHeader, RunStarted
from labrig.operators import Operator
from labrig.outputs import Outputs
from labrig.protocol import LabProtocol
from labrig.reflex import Armed, Reflex
from labrig.rig import Rig
from labrig.roles import Actuator, Watchdog
from labrig.states import RigState

log = logging.getLogger(__name__)
FIRST_SAMPLES: Final = 3.0
"""Seconds to wait for the guard channels' first samples; the guardian trips on those that stay silent."""
FORECAST_OVER: Final = 30.0
DENSITY: Final = 998.0
"""kg/m³ of feed, for a forecast."""
NO_TRACE: Final = Trace(*(np.empty(0, kind) for kind in (np.int64, np.int64, float, float, float, np.uint8)))


class Sources(Protocol):
    """Whatever delivers the samples: pollers of real devices, or the twin."""

    @property
    def actuators(self) -> Mapping[str, Actuator]: ...

    def start(self, publish: Callable[[Block | Event], None], lost: Callable[[str], None]) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a station, while it lasts."""

    header: RunHeader
    order: Order
    tenure: Tenure
    operator: Operator
    end: ExitStack
    """Closed when the run is finished: its record and listeners leave the bus."""


class Station:
    """Owns bus, history, outputs and guardian of one rig."""

    def __init__(
        self,
        config: RigConfig,
        sources: Sources,
        clock: Clock,
        *,
        watchdogs: tuple[Watchdog, ...] = (),
        holds: bool = True,
    ) -> None:
        """``holds``: whether somebody can resume a held run; otherwise what would hold a run stops it."""
        self.config, self.clock = config, clock
        self.history = History(config.channels)
        owners = {name: sources.actuators[owner] for name, owner in config.owners.items()}
        self._outputs = Outputs(config.outputs, owners, publish=self.publish, now=clock.now, parallel=not clock.virtual)
        self.guardian = Guardian(
            interlocks=config.interlocks,
            channels=config.channels,
            outputs=self._outputs,
            clock=clock,
            publish=self.publish,
            watchdogs=watchdogs,
            holds=holds,
            frozen=config.file.frozen,
        )
        self._sources = sources
        self._collected = outlook.Collected(config.channel_roles.get("permeate_mass", ""), config.channels)
        self.bus = Bus((self.guardian, self.history, self._collected))

    def start(self) -> None:
        """Make the rig safe and begin to sample."""
        self.guardian.start()
        self._sources.start(self.publish, self._lost)
        if self.config.interlocks and not self.clock.virtual:
            self.guardian.guards.heard.wait(FIRST_SAMPLES)

    def close(self) -> None:
        """End whatever runs, leave the rig safe, stop sampling."""
        self.guardian.close()
        try:
            self._sources.stop()
        except InstrumentError as error:
            log.info("while closing: %s", error)

    def prepare(self, order: Order) -> RunHeader:
        """The header of a run that would begin now; raises `RigError` for a rig that cannot do it."""
        return make_header(order, self.config, self.clock)

    def begin(
        self,
        order: Order,
        header: RunHeader,
        record: Sink,
        operator: Operator,
        *listeners: Sink,
        asked: int | None = None,
    ) -> Session:
        """Take the rig for a run; raises `RigError` where it is not free or not safe. End it with `finish`.

        ``asked``: what the guardian's `stops` was when the run was asked for, so that a stop since then counts.
        """
        with ExitStack() as stack:
            stack.enter_context(self.bus.first(record))
            stack.enter_context(self.bus.last(*listeners))
            needed = [name for role, name in self.config.channel_roles.items() if role in order.method.needs]
            tenure = self.guardian.begin(order.method.silence, needed, asked=asked)
            session = Session(header, order, tenure, operator, stack.pop_all())
        self.publish(RunStarted(self.clock.now(), header.run_id))
        self._pair_clocks()
        return session

    def link(self, session: Session) -> LocalLink:
        """What the verbs of that run are made of."""
        return LocalLink(
            self.config.file.roles,
            session.tenure,
            self._outputs,
            self.history,
            self.clock,
            session.operator,
            self.publish,
            partial(self.arm, session),
        )

    def finish(self, session: Session, outcome: Outcome = Outcome.COMPLETED, reason: str = "") -> Outcome:
        """The protocol is over: rig safe, the end told to whoever listens, rig free. Returns how it ended.

        Raises `RigError` where somebody else has seen the run to its end, or does so just now.
        """
        if not session.tenure.conclude():
            raise RigError("that run is over")
        with session.end:
            self.guardian.finish(session.tenure, outcome, reason)
            ending = session.tenure.ending
            self._pair_clocks()
            self.publish(RunFinished(self.clock.now(), ending.outcome, ending.reason))
        return ending.outcome

    def run(self, session: Session, protocol: LabProtocol) -> Outcome:
        """The whole run in this thread, whatever the protocol does; raises nothing of its errors but Ctrl-C."""
        outcome, reason = Outcome.COMPLETED, ""
        try:
            protocol.run(Rig(self.link(session)))
        except RunEnded:
            pass
        except LabrigError as error:
            outcome, reason = Outcome.FAILED, str(error)
        except KeyboardInterrupt:
            self.finish(session, Outcome.ABORTED, "stopped by Ctrl-C")
            raise
        except (Exception, SystemExit) as error:  # a protocol that calls sys.exit() ends its run, not the program
            log.debug("the protocol raised", exc_info=True)
            outcome, reason = Outcome.FAILED, f"{type(error).__name__} in the protocol: {error}"
        return self.finish(session, outcome, reason)

    def safe_to_open(self) -> tuple[bool, str]:
        """Whether no trapped volume holds pressure, and why not. Every channel in a pressure is looked at."""
        now = self.clock.now()
        if self.guardian.state in {RigState.RUNNING, RigState.HOLD}:
            return False, "a run is going on"
        reasons = [
            outlook.pressure_gone(label, self._recent(name, outlook.SAFE_SECONDS), now)
            for name, label in self._pressures().items()
        ]
        reasons += list(self.guardian.guards.frozen.values())
        if not reasons:
            return False, "this rig has no pressure channel"
        return not any(reasons), "; ".join(reason for reason in reasons if reason)

    def trapped(self) -> str:
        """Which pressures do not go, in words, asked some seconds after the outputs were made safe; empty if none."""
        found = (
            outlook.trapped(label, self._recent(name, outlook.TRAPPED_SECONDS))
            for name, label in self._pressures().items()
        )
        return "; ".join(words for words in found if words)

    def forecasts(self) -> tuple[outlook.Outlook, ...]:
        """What will be full or empty within a quarter of an hour, while a run goes on."""
        name = self.config.channel_roles.get("permeate_mass")
        if name is None or self.guardian.state not in {RigState.RUNNING, RigState.HOLD}:
            return ()
        trace, permeate = self._recent(name, FORECAST_OVER), self.config.file.permeate
        capacity = permeate.capacity or self.config.channels[name].high
        coming = [outlook.will_fill(trace, capacity)]
        if permeate.feed is not None:
            coming.append(outlook.will_empty(trace, permeate.feed * DENSITY - self._collected.mass))
        return tuple(one for one in coming if one is not None)

    def feed_filled(self) -> None:
        """The feed vessel was filled again: what has flowed before no longer counts."""
        self._collected.begin_anew()

    def arm(self, session: Session, reflex: Reflex) -> Armed:
        """Let a reflex wait until the run ends or `Armed.disarm`; raises `RigError` for unknown names."""
        if reflex.channel not in self.config.channels:
            raise RigError(f"there is no channel {reflex.channel!r} for a reflex")
        unknown = [output for _, output, _ in reflex.steps if output not in self.config.outputs]
        if unknown:
            raise RigError(f"there is no output {', '.join(unknown)} for a reflex")
        armed = Armed(
            reflex,
            self.config.channels,
            outputs=self._outputs,
            permit=session.tenure.permit,
            publish=self.publish,
            clock=self.clock,
        )
        session.end.enter_context(self.bus.last(armed))
        return armed

    def _pressures(self) -> dict[str, str]:
        """Labels of the pressure channels by name."""
        channels = self.config.channels.items()
        return {name: channel.label or name for name, channel in channels if channel.unit.dimension == "pressure"}

    def _recent(self, channel: str, seconds: float) -> Trace:
        now = self.clock.now()
        try:
            return self.history.trace(channel, now - round(seconds * SECOND), now)
        except RigError:
            return NO_TRACE

    def publish(self, item: Block | Event) -> None:
        """Hand an item to record, guardian, history and listeners, in that order."""
        self.bus.publish(item)

    def clock_set(self, seconds: float) -> str:
        """The hour of day was put forward by so much in mid-air: recorded, with a new pair of clocks; in words."""
        way = "forward" if seconds > 0 else "back"
        words = (
            f"this computer's clock went {way} by {abs(seconds):.0f} s at once: it was set, or the computer slept. "
            "Times within a run come from another clock and are right; check this computer's time service"
        )
        self.publish(Faulted(self.clock.now(), "clock", words, "SYS-08"))
        self._pair_clocks()
        return words

    def _lost(self, reason: str) -> None:
        """A source is gone for good: a run cannot go on without it. Guard channels trip by their silence besides."""
        self.publish(Faulted(self.clock.now(), "rig", reason))
        self.guardian.stop(Outcome.FAILED, reason)

    def _pair_clocks(self) -> None:
        self.publish(ClockPaired(self.clock.now(), self.clock.utc().isoformat()))


@contextmanager
def started(station: Station) -> Iterator[Station]:
    """The station, sampling, until the block ends."""
    station.start()
    try:
        yield station
    finally:
        station.close()
