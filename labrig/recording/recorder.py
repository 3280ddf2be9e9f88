"""The recorder: a sink for blocks and events that never blocks, and the thread that puts them on the disk."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from labrig.clock import SECOND, Clock, spawn
from labrig.errors import RecordingError
from labrig.model import Block, Event, Outcome, RunHeader, StepEntered
from labrig.recording.disk import Reserve, refuse_network
from labrig.recording.writer import ClockPair, DiskFull, RunWriter

COMMIT_SECONDS: Final = 0.05
"""Rest between two commits, so that with the writing they come at least every 100 ms on a disk that keeps up."""
VIRTUAL_COMMIT_SECONDS: Final = 60
"""The same without a thread, in virtual time, where an hour passes in a second."""
PAIR_SECONDS: Final = 60
ROOM_SECONDS: Final = 300
"""A run is stopped while the disk still takes so many more of its seconds."""
LOOK_SECONDS: Final = 10
"""How often the room on the disk is looked at."""
CLOSE_SECONDS: Final = 60.0
"""How long `Recorder.close` waits for a disk that does not answer."""

log: Final = logging.getLogger(__name__)


class Recorder:
    """A sink: call it with a `Block` or an `Event`, from any thread; it never blocks and never raises.

    It keeps blocks without copying them, so a driver hands over arrays that it does not fill again.

    What it was given waits in memory for at most ``queue_seconds`` or ``queue_bytes``. ``on_failure(reason)`` is
    called once, on the caller's or the writer's thread, so that the station stops the run in order: when half of
    either is waiting, when the disk will be full within five minutes or is (``reserve_bytes`` are set aside for the
    stop), and when a write failed. Blocks beyond the whole queue are left out, which the index shows and the end
    record counts. After a failed write nothing more is written: what was committed stays readable, and the file
    counts as interrupted.
    """

    def __init__(
        self,
        path: Path,
        header: RunHeader,
        *,
        clock: Clock,
        threaded: bool = True,
        on_failure: Callable[[str], None] | None = None,
        queue_seconds: float = 60.0,
        queue_bytes: int = 512 * 2**20,
        reserve_bytes: int = 32 * 2**20,
    ) -> None:
        """Create the file with its header on the disk; raises `RecordingError`, also where the file exists.

        Without a thread (virtual time) items are written by the caller, in commits of a minute of virtual time.
        """
        refuse_network(path)
        self._writer = RunWriter(path, header)
        self.path = self._writer.path
        try:
            self._reserve = Reserve(self.path, reserve_bytes)
        except RecordingError:
            self._writer.discard()
            raise
        self._clock, self._on_failure = clock, on_failure
        self._queue_ns, self._queue_bytes = round(queue_seconds * SECOND), queue_bytes
        self._lock = threading.Lock()
        self._pending: list[Block | Event | ClockPair] = []
        self._pending_bytes = self._taken_bytes = 0
        self._started = self._through = self._looked = self._oldest = clock.now()
        self._paired = header.started_ns
        self._dropped: dict[str, int] = {}
        self._failure = ""
        self._told = self._closed = False
        self._interval = (VIRTUAL_COMMIT_SECONDS if clock.virtual else COMMIT_SECONDS) * SECOND
        self._stop = threading.Event()
        self._thread = spawn("recorder", self._run) if threaded else None

    @property
    def recorded_through(self) -> int:
        """Monotonic ns: everything whose handing over had returned by then is on the disk (its COMMIT returned)."""
        return self._through

    @property
    def failure(self) -> str:
        """Why nothing more is written; empty while all is well."""
        return self._failure

    @property
    def backlog_seconds(self) -> float:
        """How long the oldest item has been waiting for the disk."""
        with self._lock:
            return (self._clock.now() - self._oldest) / SECOND if self._pending else 0.0

    def __call__(self, item: Block | Event) -> None:
        """Take an item; see the class for what happens when the disk cannot keep up."""
        size = _size(item)
        with self._lock:
            now = self._clock.now()
            if self._failure or self._closed:
                return
            age = now - self._oldest if self._pending else 0
            waiting = self._pending_bytes + size
            if isinstance(item, Block) and (waiting > self._queue_bytes or age > self._queue_ns):
                self._dropped[item.source] = self._dropped.get(item.source, 0) + len(item)
            else:
                self._put(item, size, now)
        if 2 * waiting > self._queue_bytes or 2 * age > self._queue_ns:
            self._tell(f"the disk is too slow: {age / SECOND:.0f} s of data wait in memory; the run is being stopped")
        if self._thread is None and now - self._through >= self._interval:
            self._commit()

    def close(self, outcome: Outcome, reason: str = "") -> None:
        """Write everything that waits and the end record, and leave one whole file; to repeat it does nothing.

        Raises `RecordingError` where that failed, now or before; the file then counts as interrupted, and everything
        up to `recorded_through` is in it.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._stop.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
            if self._thread.is_alive():
                raise RecordingError(
                    f"{self.path}: the disk has not answered for {CLOSE_SECONDS:.0f} s; what it took before is in the "
                    "file, which counts as interrupted: recover it when the disk is well again"
                )
        self._commit()
        self._reserve.release()
        if self._failure:
            self._writer.abandon()
            raise RecordingError(f"{self._failure}; the file counts as interrupted, recover it before it is used")
        self._writer.end(outcome, reason, pair=self._pair(self._clock.now()), dropped=self._dropped)

    def _put(self, item: Block | Event, size: int, now: int) -> None:
        if not self._pending:
            self._oldest = now
        if isinstance(item, StepEntered) or now - self._paired >= PAIR_SECONDS * SECOND:
            self._pending.append(self._pair(now))
            self._paired = now
        self._pending.append(item)
        self._pending_bytes += size

    def _pair(self, now: int) -> ClockPair:
        return ClockPair(now, self._clock.utc().isoformat())

    def _run(self) -> None:
        while not self._stop.wait(COMMIT_SECONDS) and not self._failure:
            self._commit()
            self._look_ahead()

    def _commit(self) -> None:
        with self._lock:
            if self._failure:
                return
            batch, self._pending = self._pending, []
            self._taken_bytes += self._pending_bytes
            self._pending_bytes = 0
            taken = self._clock.now()
        try:
            if batch:
                self._write(batch)
        except RecordingError as error:
            self._fail(str(error))
        except Exception as error:  # whatever it is, the station must hear that nothing is recorded any more
            log.exception("the recorder of %s ended", self.path)
            self._fail(f"{self.path}: {error!r}")
        else:
            self._through = taken

    def _write(self, batch: list[Block | Event | ClockPair]) -> None:
        try:
            self._writer.write(batch)
        except DiskFull:
            if not self._reserve.release():
                raise
            self._tell("the disk is full; the run is being stopped, and its end is recorded into space set aside")
            self._writer.write(batch)

    def _look_ahead(self) -> None:
        now = self._clock.now()
        if now - self._looked < LOOK_SECONDS * SECOND:
            return
        self._looked = now
        pace = self._taken_bytes / ((now - self._started) / SECOND)
        try:
            free = shutil.disk_usage(self.path.parent).free
        except OSError as error:
            log.warning("the room on the disk of %s is not known: %s", self.path, error)
            return
        if free < pace * ROOM_SECONDS:
            self._tell(f"the disk will be full in {free / pace:.0f} s; the run is being stopped while there is room")

    def _fail(self, reason: str) -> None:
        with self._lock:
            self._failure = reason
            self._pending.clear()
        self._tell(f"{reason}; nothing more is recorded, and the run is being stopped")

    def _tell(self, reason: str) -> None:
        with self._lock:
            told, self._told = self._told, True
        if told or self._on_failure is None:
            return
        try:
            self._on_failure(reason)
        except Exception:  # recording goes on, whatever is wrong with the one who should hear of it
            log.exception("nobody took %r", reason)


def _size(item: Block | Event) -> int:
    """Bytes that an item takes in memory and, nearly, on the disk."""
    return item.values.nbytes + item.times.nbytes + item.values.size + 200 if isinstance(item, Block) else 500
