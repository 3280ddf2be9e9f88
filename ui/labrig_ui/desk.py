"""The picture that all windows show: which rig, its state, its samples. Lives in the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal

from labrig.client import Client
from labrig.clock import SECOND, monotonic
from labrig.endpoint import Endpoint, ServerGone, read_endpoint
from labrig.errors import LabrigError
from labrig.model import Digest, Event, Marked, Span
from labrig.wire.documents import Description, RunPaper, Status
from labrig_ui.background import Background
from labrig_ui.link import Link, Server, asked
from labrig_ui.live import Live

log = logging.getLogger(__name__)
PAST: Final = 600.0
"""s: how much of the time before is fetched where no run goes on."""
GONE: Final = "gone"
"""State of a rig whose server does not answer."""


class Desk(QObject):
    """What is known of the rig now. Widgets read it, then follow its signals."""

    attachment_changed = Signal()
    """A server was found or lost, or another rig was chosen."""
    status_changed = Signal()
    happened = Signal(object)
    """An event of `labrig.model`."""
    past_loaded = Signal()
    moved = Signal(float)
    """This window stood still for so many seconds, and moves again."""
    run_ended = Signal(object)
    """The `RunPaper` of a run whose outcome has just become known."""

    def __init__(self, data: Path, background: Background, connect: Callable[[Endpoint], Server] = Client) -> None:
        super().__init__()
        self.data = data
        self.rig = ""
        self.server: Server | None = None
        """None while no server answers."""
        self.description: Description | None = None
        """Of the server that answers, or of the last one that did."""
        self.status: Status | None = None
        self.live: Live | None = None
        self.spans: list[Span] = []
        """Marked in the present run."""
        self.gone_because = ""
        self._background, self._connect = background, connect
        self._link: Link | None = None
        self._told_at = 0
        self._heard: set[str] = set()
        """Events of the present run: a server tells them again to who attaches anew."""

    def choose(self, rig: str) -> None:
        """Follow a rig, and no other."""
        self.leave()
        self.rig = rig
        self.gone_because = "connecting …"
        self._link = Link(self.data, rig, self._background, self, self._connect)
        self.attachment_changed.emit()

    def leave(self) -> None:
        """Follow no rig."""
        if self._link is not None:
            self._link.close()
        self._link = self.server = self.description = self.status = self.live = None
        self.rig = self.gone_because = ""
        self.spans = []
        self._heard.clear()
        self.attachment_changed.emit()

    @property
    def state(self) -> str:
        """As the server says it; `GONE` while none answers."""
        return self.status.state if self.server is not None and self.status is not None else GONE

    @property
    def run(self) -> RunPaper | None:
        """The run that goes on; None where none does, or where nobody can say."""
        run = self.status.run if self.status is not None else None
        return run if run is not None and not run.outcome else None

    @property
    def last_run(self) -> RunPaper | None:
        """The run that goes on, or the last one."""
        return self.status.run if self.status is not None else None

    def new_line(self) -> Server:
        """To the rig's server; the caller closes it. Raises `ServerGone`. Not for the GUI thread."""
        return self._connect(read_endpoint(self.data, self.rig))

    def names(self) -> tuple[str, ...]:
        """Of channels and outputs, as the rig file has them."""
        known = self.description
        if known is None:
            return ()
        return (*(channel.name for channel in known.channels), *(output.name for output in known.outputs))

    def labels(self) -> dict[str, str]:
        """What channels are called, by their name in the rig file."""
        return {one.name: one.label for one in (self.description.channels if self.description is not None else ())}

    def now(self) -> int:
        """The server's monotonic clock, ns."""
        return self.status.now + monotonic() - self._told_at if self.status is not None else 0

    def attached(self, server: Server, description: Description) -> None:
        """For the link: a server answers."""
        log.info("follows %s", description.rig)
        self.server, self.description = server, description
        self.live = Live(description)
        self.spans = []
        self.gone_because = ""
        self.status = None

    def told(self, item: Digest | Event | Status) -> None:
        """For the link: the server said something."""
        if isinstance(item, Status):
            self.take_status(item)
        elif isinstance(item, Digest):
            if self.live is not None:
                self.live.add(item)
        else:
            self._hear(item)

    def lost(self, why: str) -> None:
        """For the link: no server answers."""
        self.server = None
        self.gone_because = why
        self.attachment_changed.emit()

    def moved_again(self, seconds: float) -> None:
        """For the link: this window did not move for so long."""
        self.moved.emit(seconds)

    def take_status(self, status: Status) -> None:
        """A status, told or answered; one older than the present is dropped."""
        if self.server is None or (self.status is not None and status.now < self.status.now):
            return
        before, first = self.last_run, self.status is None
        self.status, self._told_at = status, monotonic()
        if before is not None and status.run is not None and before.run != status.run.run:
            self.spans = []
            self._heard.clear()
        if first:
            self._fetch_past()
            self.attachment_changed.emit()
        self.status_changed.emit()
        now = status.run
        if now is not None and now.outcome and before is not None and (before.run, before.outcome) == (now.run, ""):
            self.run_ended.emit(now)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Marked) and event.span not in self.spans:
            self.spans.append(event.span)
        said = repr(event)
        if said not in self._heard:
            self._heard.add(said)
            self.happened.emit(event)

    def _fetch_past(self) -> None:
        """What the server remembers: from the start of the run that goes on, else the last ten minutes."""
        server, description, live, status = self.server, self.description, self.live, self.status
        if server is None or description is None or live is None or status is None:
            return
        start = self.run.started if self.run is not None else status.now - round(PAST * SECOND)
        names = tuple(channel.name for channel in description.channels)
        live.expect_past()

        def loaded(digests: tuple[Digest, ...]) -> None:
            if self.live is live:
                for digest in digests:
                    live.add_past(digest)
                self.past_loaded.emit()

        self._background.run("past", lambda: _past(server, names, start, status.now), loaded, lambda _: None)


def _past(server: Server, channels: tuple[str, ...], start: int, end: int) -> tuple[Digest, ...]:
    """One digest for each source that can be asked."""
    found: list[Digest] = []
    for channel in channels:
        if any(channel in digest.channels for digest in found):
            continue
        try:
            found.append(asked(server, partial(_of_channel, channel=channel, start=start, end=end)))
        except ServerGone:
            break
        except LabrigError:
            continue  # A channel that has delivered nothing yet has no past.
    return tuple(found)


def _of_channel(server: Server, channel: str, start: int, end: int) -> Digest:
    return server.past(channel, start, end)
