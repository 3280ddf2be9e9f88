"""An opened rig for scripts and the command line: ``with open_bench("bench-25", folder) as bench: …``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from labrig.acquisition import Acquisition
from labrig.bus import Sink
from labrig.clock import RealClock, spawn
from labrig.config import find_rig, load_rig
from labrig.errors import RecordingError, RigError
from labrig.filing import FiledRun, file_run
from labrig.header import Order, run_path
from labrig.model import Coupon, Orientation, Outcome, RunHeader
from labrig.operators import Operator, Prepared
from labrig.protocol import Method
from labrig.recording import Recorder
from labrig.riglock import HardwareLock
from labrig.simulator import SimulatedRig
from labrig.station import Session, Station, started

log = logging.getLogger(__name__)


class Bench:
    """A station with a folder for its runs; made by `open_bench`."""

    def __init__(self, station: Station, folder: Path) -> None:
        self.station, self.folder = station, folder
        self._current: tuple[Session, Recorder] | None = None
        self._closing = threading.Lock()
        """Held by whoever closes the run: the thread of its protocol, or one that gives that up."""

    def run(
        self,
        method: Method,
        coupon: Coupon,
        *listeners: Sink,
        by: str = "script",
        orientation: Orientation = Orientation.SKIN_UP,
        operator: Operator | None = None,
        begun: Callable[[Session], None] = lambda _: None,
    ) -> FiledRun:
        """Run, record, analyse. ``begun`` is handed the session, so that it can be stopped from elsewhere.

        Raises `RigError` where the rig cannot do it, or where the run was abandoned, and `RecordingError` where it
        cannot be recorded.
        """
        order = Order(method.facts, coupon, by, orientation)
        header = self.station.prepare(order)
        recorder = self._recorder(header)
        session: Session | None = None
        try:
            session = self.station.begin(order, header, recorder, operator or Prepared(by), *listeners)
            self._current = (session, recorder)
            begun(session)
            self.station.run(session, method.protocol)
        finally:
            with self._closing:
                current, self._current = self._current, None
                if session is None:
                    recorder.close(Outcome.FAILED, "it never began")
                elif current is not None:
                    self._close(session, recorder)
        return file_run(recorder.path, method.protocol)

    def _close(self, session: Session, recorder: Recorder) -> None:
        ending = session.tenure.ending
        if not ending.event.is_set():
            self.station.finish(session, Outcome.FAILED, "it was given up before its protocol began")
        recorder.close(ending.outcome, ending.reason)

    @property
    def overdue(self) -> bool:
        """Whether the run has ended and its protocol has not; closing and analysing the record come after both."""
        current = self._current
        return current is not None and current[0].tenure.ending.event.is_set()

    def abandon(self, method: Method) -> FiledRun | None:
        """Close a run whose protocol does not end though the run has; its thread is left behind.

        None where the protocol ends just now after all: then `run` returns the run.
        """
        with self._closing:
            if self._current is None:
                return None
            session, recorder = self._current
            try:
                self.station.finish(session)
            except RigError:
                return None
            self._current = None
            recorder.close(session.tenure.ending.outcome, session.tenure.ending.reason)
        return file_run(recorder.path, method.protocol)

    def _recorder(self, header: RunHeader) -> Recorder:
        path = run_path(self.folder, header)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(
                f"{path.parent} cannot be made: {error}. Nothing was started. Choose another folder for the data."
            ) from error
        return Recorder(path, header, clock=self.station.clock, on_failure=self._not_recorded)

    def _not_recorded(self, reason: str) -> None:
        """On a thread of its own: whoever tells it may hold what a stop waits for."""
        spawn("stop, not recorded", partial(self.station.guardian.stop, Outcome.FAILED, reason))


@contextmanager
def open_bench(rig: str | Path, data: Path, *, membrane: str = "", seed: int = 0) -> Iterator[Bench]:
    """Connect to a rig by file or shipped name; a simulated one is started first and ends with the block.

    Raises `ConfigError` for the file, `RigTaken` for a rig that another process uses, `InstrumentError` for a device;
    nothing stays open then.
    """
    path, clock = find_rig(str(rig)), RealClock()
    with ExitStack() as stack:
        config = load_rig(path)
        if config.simulated:
            simulated = stack.enter_context(SimulatedRig(path, membrane or config.default_membrane, seed))
            config = load_rig(path, simulated.endpoints)
        stack.enter_context(HardwareLock(config.addresses, config.name, data))
        acquisition = Acquisition(config.build(clock.now), clock)
        identities = acquisition.open()
        stack.callback(acquisition.close)
        log.info("opened %s: %s", config.name, "; ".join(f"{name}: {who}" for name, who in identities.items()))
        station = Station(config, acquisition, clock, watchdogs=acquisition.watchdogs)
        yield Bench(stack.enter_context(started(station)), data / "runs")
