"""One run from header to end: the protocol moves, every sample is recorded, the rig is left safe whatever happens."""

from __future__ import annotations

import logging
import platform
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from labrig.bus import Bus, Sink
from labrig.clock import Clock
from labrig.config import RigConfig
from labrig.ending import Ending
from labrig.errors import InstrumentError, LabrigError, RecordingError, RigError, RunEnded
from labrig.history import History
from labrig.model import (
    Block,
    ClockPaired,
    Coupon,
    Event,
    Faulted,
    Orientation,
    Outcome,
    RunFinished,
    RunHeader,
    RunStarted,
)
from labrig.outputs import Outputs
from labrig.protocol import Method
from labrig.recording import Recorder
from labrig.rig import Rig
from labrig.roles import Actuator
from labrig.safety import Watch

log = logging.getLogger(__name__)
_PACKAGES: Final = ("labrig", "numpy", "nidaqmx", "pyserial", "pydantic")


class Sources(Protocol):
    """Whatever delivers the samples: pollers of real devices, or the twin."""

    @property
    def actuators(self) -> Mapping[str, Actuator]: ...

    def start(self, publish: Callable[[Block | Event], None], lost: Callable[[str], None]) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: which method, on which coupon, by whom."""

    method: Method
    coupon: Coupon
    operator: str
    orientation: Orientation = Orientation.SKIN_UP


class Run:
    """One run. `execute` blocks until it is over; `abort` may be called from any thread, at any time, repeatedly."""

    def __init__(
        self, order: Order, *, config: RigConfig, sources: Sources, clock: Clock, listeners: tuple[Sink, ...] = ()
    ) -> None:
        missing = [role for role in order.method.protocol.needs if role not in config.file.roles]
        if missing:
            raise RigError(
                f"{order.method.protocol.title} needs {', '.join(missing)}, which the rig {config.name} does not have; "
                "nothing was started. Add the role to the rig file, or use another rig."
            )
        self.header = make_header(order, config, clock)
        self.ending = Ending()
        self.history = History(config.channels)
        self._order, self._config, self._sources, self._clock = order, config, sources, clock
        self._listeners = listeners
        self._bus = Bus(())
        owners = {name: sources.actuators[owner] for name, owner in config.owners.items()}
        self._outputs = Outputs(
            config.outputs,
            owners,
            ending=self.ending,
            publish=self._publish,
            now=clock.now,
            parallel=not clock.virtual,
        )

    def execute(self, record: Sink) -> Outcome:
        """Run to the end, hand everything to ``record`` first, leave the rig safe; raises nothing of the protocol's."""
        watch = Watch(self._config.interlocks, self._config.channels, self._trip)
        self._bus = Bus((record, watch, self.history, *self._listeners))
        self._publish(RunStarted(self._clock.now(), self.header.run_id))
        self._publish(ClockPaired(self._clock.now(), self._clock.utc().isoformat()))
        try:
            self._sources.start(self._publish, self.fail)
            self._order.method.protocol.run(self._rig())
        except RunEnded:
            pass
        except LabrigError as error:
            self.fail(str(error))
        except Exception as error:  # a protocol's own code ends here, whatever it raised
            log.debug("the protocol raised", exc_info=True)
            self.fail(f"{type(error).__name__} in the protocol: {error}")
        finally:
            self._finish()
        return self.ending.outcome

    def abort(self, reason: str) -> None:
        """Stop: outputs safe first, everything else afterwards."""
        if self.ending.end(Outcome.ABORTED, reason):
            self._make_safe()

    def fail(self, reason: str) -> None:
        """End the run because something that it needs does not work."""
        if self.ending.end(Outcome.FAILED, reason):
            self._make_safe()

    def _trip(self, reason: str) -> None:
        if self.ending.end(Outcome.TRIPPED, reason):
            self._make_safe()

    def _finish(self) -> None:
        completed = self.ending.end(Outcome.COMPLETED, "")
        if completed:
            self._make_safe()
        try:
            self._sources.stop()
        except InstrumentError as error:
            self._publish(Faulted(self._clock.now(), "rig", str(error)))
        self._publish(ClockPaired(self._clock.now(), self._clock.utc().isoformat()))
        self._publish(RunFinished(self._clock.now(), self.ending.outcome, self.ending.reason))

    def _make_safe(self) -> None:
        for failure in self._outputs.make_safe():
            self._publish(Faulted(self._clock.now(), "outputs", f"not made safe: {failure}", "DEV-09"))

    def _rig(self) -> Rig:
        return Rig(
            outputs=self._outputs,
            roles=self._config.file.roles,
            history=self.history,
            publish=self._publish,
            clock=self._clock,
            ending=self.ending,
        )

    def _publish(self, item: Block | Event) -> None:
        self._bus.publish(item)


def make_header(order: Order, config: RigConfig, clock: Clock) -> RunHeader:
    """What is known before the first sample."""
    return RunHeader(
        run_id=str(uuid.uuid4()),
        started_utc=clock.utc().isoformat(),
        started_ns=clock.now(),
        protocol=order.method.protocol_name,
        parameters={**order.method.parameters, "skipped": list(order.method.protocol.skipped)},
        method=f"{order.method.name} {order.method.version}",
        coupon=order.coupon,
        mounting=config.mounting(order.orientation),
        operator=order.operator,
        rig=config.name,
        rig_file=config.text,
        channels=tuple(config.channels.values()),
        roles=dict(config.channel_roles),
        simulated=config.simulated,
        versions={name: version(name) for name in _PACKAGES} | {"python": platform.python_version()},
        setup=setup_of(config),
    )


def setup_of(config: RigConfig) -> dict[str, float | str]:
    """Facts of the rig that an analysis needs, SI."""
    hydraulics, permeate = config.file.hydraulics, config.file.permeate
    a, b = blank_coefficients(hydraulics.blank_flow, hydraulics.blank_loss)
    mass = config.channels.get(config.channel_roles.get("permeate_mass", ""))
    return {
        "head": hydraulics.head,
        "head_u": hydraulics.head_u,
        "blank_a": a,
        "blank_b": b,
        "blank_relative_u": hydraulics.blank_relative_u,
        "evaporation": permeate.evaporation,
        "evaporation_u": permeate.evaporation_u,
        "balance_relative_u": permeate.balance_relative_u,
        "balance_readability": mass.resolution if mass else 0.0,
        "reference_temperature": permeate.reference_temperature,
    }


def blank_coefficients(flows: tuple[float, ...], losses: tuple[float, ...]) -> tuple[float, float]:
    """A and b of loss = a·Q + b·Q² through a blank run, SI, by least squares; zeros without a blank run."""
    if not flows:
        return 0.0, 0.0
    q = np.asarray(flows)
    (a, b), *_ = np.linalg.lstsq(np.column_stack((q, q**2)), np.asarray(losses), rcond=None)
    return float(a), float(b)


def run_path(folder: Path, header: RunHeader) -> Path:
    """Where a run's file goes: named by time, coupon and id, with nothing in it that a file system objects to."""
    stamp = datetime.fromisoformat(header.started_utc).strftime("%Y%m%dT%H%M%SZ")
    coupon = re.sub(r"[^A-Za-z0-9-]+", "-", header.coupon.id)[:40].strip("-") or "coupon"
    return folder / f"{stamp}_{coupon}_{header.protocol}_{header.run_id[:8]}.labrig"


def new_recording(folder: Path, run: Run, clock: Clock) -> Recorder:
    """The run's file, its header already on the disk; raises `RecordingError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{folder} cannot be made: {error}. Nothing was started. Choose another --data") from error
    return Recorder(run_path(folder, run.header), run.header, clock=clock, on_failure=run.fail)
