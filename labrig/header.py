"""What is known of a run before its first sample."""

from __future__ import annotations

import platform
import re
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from labrig.clock import Clock
from labrig.config import RigConfig
from labrig.errors import RigError
from labrig.model import Condition, Coupon, Orientation, RunHeader

_PACKAGES: Final = ("labrig", "numpy", "nidaqmx", "pyserial", "pydantic")


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """What a station must know of a method; it never sees the protocol's code."""

    name: str
    version: str
    protocol: str
    """Entry-point name, or the path of a file."""
    title: str
    parameters: Mapping[str, Any]
    """JSON values with units."""
    skipped: tuple[str, ...]
    needs: tuple[str, ...]
    silence: float = 10.0
    """Seconds that the protocol may go without a verb before the rig is made safe."""
    attended: bool = True
    leaves: Condition = Condition.FRESH
    """What the protocol makes of a coupon."""
    protocol_text: str = ""
    """Of a protocol that is a file."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: which method, on which coupon, by whom."""

    method: MethodFacts
    coupon: Coupon
    operator: str
    orientation: Orientation = Orientation.SKIN_UP


def make_header(order: Order, config: RigConfig, clock: Clock) -> RunHeader:
    """Raises `RigError` where the rig lacks a role that the protocol needs."""
    missing = [role for role in order.method.needs if role not in config.file.roles]
    if missing:
        raise RigError(
            f"{order.method.title} needs {', '.join(missing)}, which the rig {config.name} does not have; "
            "nothing was started. Add the role to the rig file, or use another rig."
        )
    return RunHeader(
        run_id=str(uuid.uuid4()),
        started_utc=clock.utc().isoformat(),
        started_ns=clock.now(),
        protocol=order.method.protocol,
        protocol_text=order.method.protocol_text,
        parameters={**order.method.parameters, "skipped": list(order.method.skipped)},
        method=f"{order.method.name} {order.method.version}",
        coupon=order.coupon,
        mounting=replace(config.mounting(order.orientation), edge=order.coupon.geometry.edge.value),
        operator=order.operator,
        rig=config.name,
        rig_file=config.text,
        channels=tuple(config.channels.values()),
        roles=dict(config.channel_roles),
        simulated=config.simulated,
        versions={name: version(name) for name in _PACKAGES}
        | {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version},
        setup=setup_of(config),
        leaves=Condition(order.method.leaves),
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
        **({"blank_temperature": hydraulics.blank_temperature} if hydraulics.blank_temperature else {}),
        "blank_flow_high": max(hydraulics.blank_flow, default=0.0),
        "air_density": permeate.air_density,
        "evaporation": permeate.evaporation,
        "evaporation_u": permeate.evaporation_u,
        "balance_relative_u": permeate.balance_relative_u,
        "balance_readability": mass.resolution if mass else 0.0,
        "reference_temperature": permeate.reference_temperature,
    }


def blank_coefficients(flows: tuple[float, ...], losses: tuple[float, ...]) -> tuple[float, float]:
    """Coefficients a and b of loss = a·Q + b·Q² through a blank run, SI, by least squares; zeros without one."""
    if not flows:
        return 0.0, 0.0
    q = np.asarray(flows)
    (a, b), *_ = np.linalg.lstsq(np.column_stack((q, q**2)), np.asarray(losses), rcond=None)
    return float(a), float(b)


def run_path(folder: Path, header: RunHeader) -> Path:
    """Where a run's file goes: named by time, coupon and id, with nothing in it that a file system objects to."""
    stamp = datetime.fromisoformat(header.started_utc).strftime("%Y%m%dT%H%M%SZ")
    coupon = re.sub(r"[^A-Za-z0-9-]+", "-", header.coupon.id)[:40].strip("-") or "coupon"
    protocol = re.sub(r"[^A-Za-z0-9-]+", "-", Path(header.protocol).stem)
    return folder / f"{stamp}_{coupon}_{protocol}_{header.run_id[:8]}.labrig"
