"""A rig, opened: sources sampled, the guardian awake, one run at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from labrig.bus import Bus, Sink
from labrig.clock import Clock
from labrig.config import RigConfig
from labrig.errors import InstrumentError, LabrigError, RunEnded
from labrig.guardian import Guardian, Tenure, Watchdog
from labrig.header import Order, make_header
from labrig.history import History
from labrig.link import LocalLink
from labrig.model import Block, ClockPaired, Event, Faulted, Outcome, RunFinished, RunHeader, RunStarted
from labrig.operators import Operator
from labrig.outputs import Outputs
from labrig.protocol import LabProtocol
from labrig.rig import Rig
from labrig.roles import Actuator

log = logging.getLogger(__name__)


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
    _end: ExitStack


class Station:
    """Owns bus, history, outputs and guardian of one rig."""

    def __init__(
        self, config: RigConfig, sources: Sources, clock: Clock, *, watchdogs: tuple[Watchdog, ...] = ()
    ) -> None:
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
        )
        self._sources = sources
        self.bus = Bus((self.guardian, self.history))

    def start(self) -> None:
        """Make the rig safe and begin to sample."""
        self.guardian.start()
        self._sources.start(self.publish, self._lost)

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

    def begin(self, order: Order, header: RunHeader, record: Sink, operator: Operator, *listeners: Sink) -> Session:
        """Take the rig for a run; raises `RigError` where it is not free or not safe. End it with `finish`."""
        with ExitStack() as stack:
            stack.enter_context(self.bus.first(record))
            stack.enter_context(self.bus.last(*listeners))
            tenure = self.guardian.begin(order.method.silence)
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
        )

    def finish(self, session: Session, outcome: Outcome = Outcome.COMPLETED, reason: str = "") -> Outcome:
        """The protocol is over: rig safe, the end told to whoever listens, rig free. Returns how it ended."""
        with session._end:  # noqa: SLF001 - a session is the station's own
            self.guardian.finish(session.tenure, outcome, reason)
            ending = session.tenure.ending
            self._pair_clocks()
            self.publish(RunFinished(self.clock.now(), ending.outcome, ending.reason))
        return ending.outcome

    def run(self, session: Session, protocol: LabProtocol) -> Outcome:
        """The whole run in this thread, whatever the protocol does; raises nothing of its errors."""
        outcome, reason = Outcome.COMPLETED, ""
        try:
            protocol.run(Rig(self.link(session)))
        except RunEnded:
            pass
        except LabrigError as error:
            outcome, reason = Outcome.FAILED, str(error)
        except Exception as error:
            log.debug("the protocol raised", exc_info=True)
            outcome, reason = Outcome.FAILED, f"{type(error).__name__} in the protocol: {error}"
        return self.finish(session, outcome, reason)

    def publish(self, item: Block | Event) -> None:
        """Hand an item to record, guardian, history and listeners, in that order."""
        self.bus.publish(item)

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
