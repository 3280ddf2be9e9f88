"""A rig server that is played in this process: what the desktop asks of `labrig.client.Client`, with invented samples.

The tests that need no true physics use it; `test_real_server.py` holds the desktop against the real server.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from labrig.client import Refused
from labrig.clock import SECOND, Job, monotonic, spawn
from labrig.endpoint import Endpoint, ServerGone, endpoint_path, write_endpoint
from labrig.model import Digest, Event, Marked, Noted, Span, StateChanged, StepEntered
from labrig.units import celsius, g, mL_per_min, psi
from labrig.wire.documents import (
    ChannelPaper,
    Check,
    Checks,
    Control,
    Description,
    MethodPaper,
    Ordered,
    OutputPaper,
    QuestionPaper,
    RunPaper,
    Started,
    Status,
    StepPaper,
    Stopped,
)

Item = Digest | Event | Status
TIME = {"type": "string", "x-dimension": "time", "x-unit": "s", "description": "a time with its unit"}
PRESSURE = {"type": "string", "x-dimension": "pressure", "x-unit": "psi", "maximum": 80 * psi, "minimum": 0}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "pressures": {"type": "array", "items": PRESSURE, "minItems": 2, "maxItems": 20},
        "zero": TIME,
        "repeats": {"type": "integer", "minimum": 1, "maximum": 9},
        "purge": {"type": "boolean", "description": "Purge air before the first plateau"},
        "liquid": {"enum": ["water", "isopropanol"], "description": "Liquid"},
        "hold_time": {"anyOf": [TIME, {"type": "null"}]},
    },
    "required": ["pressures"],
}
METHODS = (
    MethodPaper(
        name="quick-permeability",
        version="1",
        protocol="water-permeability",
        title="Water permeability",
        description="Three pressures in about a minute.",
        attended=True,
        parameters={
            "pressures": ["10 psi", "20 psi", "30 psi"],
            "zero": "5 s",
            "repeats": 1,
            "purge": True,
            "liquid": "water",
            "hold_time": None,
        },
        parameter_schema=SCHEMA,
    ),
    MethodPaper(
        name="leak-test",
        version="2",
        protocol="leak-test",
        title="Leak test",
        description="Pressure is held and watched.",
        attended=False,
        parameters={"hold": "60 s"},
        parameter_schema={"type": "object", "properties": {"hold": TIME}},
    ),
)
DESCRIPTION = Description(
    rig="bench-25",
    description="25 mm cell, 500 mL/min flow meter, 6 kg balance, 8 mm lines",
    rig_file="/data/rigs/bench-25.toml",
    simulated=True,
    cell="25 mm",
    exposed_diameter=0.0205,
    channels=(
        ChannelPaper(
            name="feed_pressure",
            label="Feed pressure",
            unit="psi",
            low=0.0,
            high=100 * psi,
            role="feed_pressure",
            guarded_high=85 * psi,
        ),
        ChannelPaper(
            name="membrane_pressure",
            label="Membrane pressure",
            unit="psi",
            low=0.0,
            high=5 * psi,
            role="membrane_pressure",
        ),
        ChannelPaper(
            name="permeate_flow",
            label="Permeate flow",
            unit="mL/min",
            low=0.0,
            high=500 * mL_per_min,
            role="permeate_flow",
        ),
        ChannelPaper(
            name="water_temperature",
            label="Water temperature",
            unit="°C",
            low=celsius(0),
            high=celsius(50),
            role="water_temperature",
        ),
        ChannelPaper(name="permeate_mass", label="Permeate", unit="g", low=0.0, high=6200 * g, role="permeate_mass"),
    ),
    outputs=(
        OutputPaper(name="feed_valve", kind="valve", unit="", low=0.0, high=1.0, role="feed"),
        OutputPaper(name="vent_valve", kind="valve", unit="", low=0.0, high=1.0, role="vent"),
        OutputPaper(name="pressure_setpoint", kind="regulator", unit="psi", low=0.0, high=80 * psi, role="pressure"),
    ),
    methods=METHODS,
    version="0.1.0",
    folder="/data/runs",
)
SCHEDULE = (StepPaper(path="Zero check", at=0.0), StepPaper(path="10 psi", at=7.0), StepPaper(path="20 psi", at=19.0))
QUESTION = QuestionPaper(question="q1", text="Is the coupon wetted and the cell closed?", choices=("Yes", "No, stop"))
ANALYSIS: dict[str, Any] = {
    "name": "water-permeability",
    "version": "1",
    "validity": "indicative",
    "reasons": ["wetting not verified: step skipped by quick-permeability 1"],
    "results": [
        {
            "name": "water permeability",
            "symbol": "p25",
            "value": 3.8909708,
            "U": 0.0636143,
            "u": 0.0286954,
            "coverage_factor": 2.2168,
            "dof": 10.389,
            "unit": "cm/min/psi",
            "definition": {"liquid": "water", "area": "exposed, diameter 20.50 mm"},
            "budget": [
                {"source": "exposed diameter", "estimate": 0.0205, "u": 5e-5, "unit": "m", "contribution": 0.01898},
                {
                    "source": "scatter about the line",
                    "estimate": 0.0,
                    "u": 4.6e-10,
                    "unit": "m/s/Pa",
                    "contribution": 0.019,
                },
                {"source": "thermometer", "estimate": 0.0, "u": 0.1, "unit": "K", "contribution": 0.0092},
            ],
        }
    ],
    "diagnostics": {},
    "tables": {},
}


class FakeRig:
    """The server. `answer` in a thread of its own while it is up; `kill` and `revive` like a real one."""

    def __init__(self, data: Path, *, earlier: tuple[RunPaper, ...] = ()) -> None:
        self.data = data
        self.stops: list[tuple[str, str]] = []
        self.wishes: list[Control] = []
        self.orders: list[Ordered] = []
        self.checks = Checks(checks=(Check(name="cell", ok=True, words="fits a 25 mm coupon"),), seconds=42.0)
        self.pressure, self.flow, self.mass = 0.0, 0.0, 0.0
        self.watchers: list[FakeWatching] = []
        self.runs: tuple[RunPaper, ...] = earlier
        self.status = Status(now=monotonic(), state="safe", safe_to_open=True, outputs={"vent_valve": 1.0})
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._past: list[Digest] = []
        self._thread: Job | None = None
        self.up = False
        self.revive()

    def revive(self) -> None:
        endpoint = Endpoint(
            rig="bench-25", rig_file="", address="-", stop_address="-", token=str(monotonic()), pid=0, supervisor=0
        )
        self.up = True
        write_endpoint(self.data, endpoint)
        self._over.clear()
        self._thread = spawn("fake rig", self._run)

    def kill(self) -> None:
        """Gone without a word; the endpoint file stays."""
        self.up = False
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        for watcher in tuple(self.watchers):
            watcher.put(ServerGone("the rig server does not answer (unavailable); see labrig status"))

    def leave(self) -> None:
        self.kill()
        endpoint_path(self.data, "bench-25").unlink(missing_ok=True)

    def connect(self, _: Endpoint) -> FakeClient:
        return FakeClient(self)

    def tell(self, item: Item) -> None:
        for watcher in tuple(self.watchers):
            watcher.put(item)

    def change(self, **changes: Any) -> Status:  # noqa: ANN401 - as pydantic takes them
        with self._lock:
            self.status = self.status.model_copy(update={"now": monotonic(), **changes})
            self.tell(self.status)
            return self.status

    def change_run(self, **changes: Any) -> Status:  # noqa: ANN401 - as pydantic takes them
        with self._lock:
            assert self.status.run is not None
            return self.change(run=self.status.run.model_copy(update=changes))

    def step(self, path: str) -> None:
        self.change_run(step=path, step_entered=monotonic())
        self.tell(StepEntered(monotonic(), path))

    def mark(self, seconds: float) -> None:
        now = monotonic()
        self.tell(Marked(now, Span("plateau", now - round(seconds * SECOND), now)))

    def begin(self, order: Ordered) -> RunPaper:
        now = monotonic()
        run = RunPaper(
            run=f"run-{len(self.runs)}",
            file=str(self.data / "runs" / "none.labrig"),
            method=f"{order.method} 1",
            protocol="water-permeability",
            coupon=order.coupon,
            lot=order.lot,
            operator=order.operator,
            orientation=order.orientation,
            attended=order.attended is not False,
            started_utc="2026-05-04T09:30:00+00:00",
            started=now,
            step="Zero check",
            step_entered=now,
            schedule=SCHEDULE,
            seconds=42.0,
        )
        self.change(state="running", reason="", run=run, safe_to_open=False, not_safe_because="a run goes on")
        self.tell(StateChanged(now, "safe", "running"))
        return run

    def end(self, outcome: str, reason: str = "", state: str = "safe") -> None:
        self.change_run(outcome=outcome, reason=reason)
        self.change(state=state, reason=reason, question=None)

    def file(self, analysis: dict[str, Any] | None = None, why: str = "") -> None:
        status = self.change_run(filed=True, analysis=analysis, not_analysed=why)
        if status.run is not None:
            self.runs = (status.run, *self.runs)

    def past(self, channel: str) -> Digest:
        with self._lock:
            digests = [one for one in self._past if channel in one.channels]
        if not digests:
            raise Refused(f"{channel} has not delivered a sample yet")
        return joined(digests)

    def _run(self) -> None:
        while not self._over.wait(0.04):
            now = monotonic()
            noise = 1 + 0.001 * np.sin(now / 3e8)
            values = {
                "daq": {
                    "feed_pressure": self.pressure * noise,
                    "membrane_pressure": 0.01 * self.pressure,
                    "permeate_flow": self.flow * noise,
                    "water_temperature": celsius(21.8),
                },
                "balance": {"permeate_mass": self.mass},
            }
            self.mass += self.flow * 997 * 0.04
            for source, of_source in values.items():
                digest = digest_of(source, of_source, now)
                with self._lock:
                    self._past.append(digest)
                self.tell(digest)


def digest_of(source: str, values: dict[str, float], now: int) -> Digest:
    row = np.array([list(values.values())])
    return Digest(
        source,
        tuple(values),
        np.array([now - 20_000_000]),
        np.array([now]),
        np.full(row.shape, 2),
        row,
        np.zeros(row.shape),
        row * 0.999,
        row * 1.001,
        row,
        np.zeros(row.shape, np.uint8),
    )


def joined(digests: list[Digest]) -> Digest:
    """Digests of one source, one after the other, as one."""
    first = digests[0]
    arrays = {
        name: np.concatenate([getattr(one, name) for one in digests])
        for name in ("starts", "ends", "n", "mean", "m2", "low", "high", "last", "quality")
    }
    return Digest(first.source, first.channels, **arrays)


class FakeWatching:
    def __init__(self, rig: FakeRig, *, attending: bool) -> None:
        self.attending = attending
        self._rig = rig
        self._items: queue.SimpleQueue[Item | ServerGone | None] = queue.SimpleQueue()
        self.put(rig.status.model_copy(update={"now": monotonic()}))
        rig.watchers.append(self)

    def put(self, item: Item | ServerGone | None) -> None:
        self._items.put(item)

    def __iter__(self) -> Iterator[Item]:
        try:
            while (item := self._items.get()) is not None:
                if isinstance(item, ServerGone):
                    raise item
                yield item
        finally:
            self._rig.watchers.remove(self)

    def cancel(self) -> None:
        self.put(None)


class FakeClient:
    """What `labrig.client.Client` is to the desktop."""

    def __init__(self, rig: FakeRig) -> None:
        self._rig = rig

    def close(self) -> None:
        pass

    def describe(self) -> Description:
        self._alive()
        return DESCRIPTION

    def preflight(self, order: Ordered) -> Checks:
        self._alive()
        self._rig.orders.append(order)
        return self._rig.checks

    def start(self, order: Ordered) -> Started:
        self._alive()
        run = self._rig.begin(order)
        return Started(run=run.run, file=run.file)

    def control(self, wish: Control) -> Status:
        self._alive()
        rig = self._rig
        rig.wishes.append(wish)
        match wish.verb:
            case "hold":
                rig.change(state="hold", reason=wish.text)
            case "resume":
                rig.change(state="running", reason="")
            case "reset":
                if rig.pressure > 85 * psi:
                    raise Refused("cannot reset: over_pressure: feed_pressure is 90 psi. The rig stays tripped.")
                rig.change(state="safe", reason="")
            case "answer":
                rig.change(question=None)
            case "note":
                rig.tell(Noted(monotonic(), wish.text, wish.by))
            case "refilled":
                rig.change(forecasts=())
            case "shutdown":
                rig.tell(Noted(monotonic(), "shutting down"))
        return rig.status

    def stop(self, reason: str, by: str = "") -> Stopped:
        self._alive()
        self._rig.stops.append((reason, by))
        if self._rig.status.state in {"running", "hold"}:
            self._rig.end("aborted", reason)
        return Stopped(state="stopping", milliseconds=3.2)

    def runs(self, most: int = 50) -> tuple[RunPaper, ...]:
        self._alive()
        return self._rig.runs[:most]

    def run(self, run: str) -> RunPaper:
        return next(one for one in self._rig.runs if one.run == run)

    def past(self, channel: str, start: int, end: int) -> Digest:
        self._alive()
        return self._rig.past(channel)

    def watch(self, *, attending: bool = False, name: str = "") -> FakeWatching:
        self._alive()
        return FakeWatching(self._rig, attending=attending)

    def _alive(self) -> None:
        if not self._rig.up:
            raise ServerGone("the rig server does not answer (unavailable); see labrig status")
