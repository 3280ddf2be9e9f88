"""Proof: each anomaly at three times its detection limit is named, and clean runs name none.

``python -m tests.proofs.anomalies --seeds 40`` runs the full procedure on the twin. The detection limits are those that
a clean run of the same seed states; the plant is then made wrong by three times as much. It exits with 1 where an
anomaly is named in fewer than 95 of 100 seeds, or a clean run in 2 of 100 or more names any.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labrig.analysis.anomalies import REMEDIES
from labrig.config import RigConfig, find_rig, load_rig
from labrig.header import Order
from labrig.methods import load_method
from labrig.model import Analysis, Coupon
from labrig.plant import Disturbance, load_membrane
from labrig.plant.circuit import GRAVITY, Resistance, WaterTable
from labrig.plant.spec import Line
from labrig.rehearsal import Rehearsal, rehearse
from labrig.units import celsius, minute, mL_per_min, mm, psi

METHOD: Final = "full-permeability"
BRIEF: Final = {"soak": "1 s", "compaction_patience": "4 min"}
RIG: Final = "bench-25"
MEMBRANE: Final = "example-v"
TIMES: Final = 3.0
FEED_GAUGE: Final = "cDAQ1Mod1/ai0"
NARROW: Final = 1.72 * mm
"""A permeate line that takes three times the share of the pressure from which on lines are named."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run and what its analysis says."""

    done: Rehearsal
    analysis: Analysis

    @property
    def named(self) -> set[str]:
        return {str(row["anomaly"]) for row in self.analysis.tables["anomalies"] if row["found"] == "yes"}

    def limit(self, anomaly: str) -> float:
        (limit,) = (row["detection limit"] for row in self.analysis.tables["anomalies"] if row["anomaly"] == anomaly)
        return float(limit)

    def began(self, step: str) -> float:
        return dict(self.done.schedule.steps)[step]


def played(seed: int, *wrong: tuple[float, Disturbance], config: RigConfig | None = None) -> Played:
    """The full procedure on the twin with things going wrong at their seconds."""
    method = load_method(METHOD, BRIEF)
    order = Order(method.facts, Coupon("P-1"), "proof")
    rig = config or load_rig(find_rig(RIG))
    done = rehearse(method.protocol, order, rig, load_membrane(MEMBRANE), seed=seed, disturbances=wrong)
    return Played(done, method.protocol.analyse(done.run))


def bubble(seed: int, clean: Played) -> Played:
    """So large a share of the area at atmospheric pressure."""
    return played(seed, (0.0, Disturbance(bubble=TIMES * clean.limit("trapped bubble"))))


def dry_pores(seed: int, clean: Played) -> Played:
    """So many pores dry at the lowest pressure that wetting them raises p by three limits; the hold wets them all."""
    lowest, last = 10 * psi, 30 * psi
    dry_then = 1 - 1 / (1 + TIMES * clean.limit("incomplete wetting"))
    return played(seed, (0.0, Disturbance(unwetted=dry_then / (1 - lowest / last), wetted_at=last)))


def dirt(seed: int, clean: Played) -> Played:
    """From the first water on, dirt that takes three limits of p over the ladder."""
    rows = clean.analysis.tables["plateaus"]
    first, last = rows[0], rows[-1]
    seconds = float(last["start"]) + float(last["seconds"]) / 2 - float(first["start"]) - float(first["seconds"]) / 2
    through = sum(float(row["J"]) for row in rows) / len(rows) * seconds
    return played(seed, (0.0, Disturbance(fouling=-math.log(1 - TIMES * clean.limit("fouled feed")) / through)))


def moved_zero(seed: int, clean: Played) -> Played:
    """In the middle of the run, without a trace in the set pressures."""
    shift = Disturbance(zero_shifts={FEED_GAUGE: TIMES * clean.limit("zero shift")})
    return played(seed, (clean.began("30 psi"), shift))


def moved_outlet(seed: int, clean: Played) -> Played:
    """From before the run: the rig file's head is wrong."""
    return played(seed, (0.0, Disturbance(head=TIMES * clean.limit("head error") / (997.0 * GRAVITY))))


def narrow_line(seed: int, _: Played) -> Played:
    """A thin permeate line with its own blank run."""
    text = find_rig(RIG).read_text(encoding="utf-8")
    line, liquid = Line(diameter=NARROW, length=0.5, fittings=4.0), WaterTable().at(celsius(22))
    flows = (50 * mL_per_min, 150 * mL_per_min, 250 * mL_per_min)
    losses = [Resistance(line).drop(flow, liquid) / psi for flow in flows]
    for old, new in (
        ('blank_flow = ["100 mL/min", "400 mL/min"]', 'blank_flow = ["50 mL/min", "150 mL/min", "250 mL/min"]'),
        ('blank_loss = ["0.00463 psi", "0.0306 psi"]', f"blank_loss = {[f'{loss:.6g} psi' for loss in losses]}"),
        ('cell = { diameter = "6 mm"', f'cell = {{ diameter = "{NARROW / mm:g} mm"'),
    ):
        assert old in text, old
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "narrow.toml"
        path.write_text(text, encoding="utf-8")
        return played(seed, config=load_rig(path))


def warming(seed: int, clean: Played) -> Played:
    return played(seed, (0.0, Disturbance(warming=TIMES * clean.limit("drifting temperature") / minute)))


def evaporating(seed: int, clean: Played) -> Played:
    return played(seed, (0.0, Disturbance(evaporation=TIMES * clean.limit("evaporation"))))


PLAYS: Final[dict[str, Callable[[int, Played], Played]]] = {
    "zero shift": moved_zero,
    "head error": moved_outlet,
    "incomplete wetting": dry_pores,
    "trapped bubble": bubble,
    "fouled feed": dirt,
    "plumbing-limited": narrow_line,
    "drifting temperature": warming,
    "evaporation": evaporating,
}


def main() -> int:
    """Run the proof; 0 when it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--anomalies", nargs="+", choices=list(REMEDIES), default=list(REMEDIES))
    asked = parser.parse_args()
    clean = [played(seed) for seed in range(asked.seeds)]
    false = sum(bool(one.named) for one in clean)
    print(f"clean: {false} of {asked.seeds} name an anomaly", flush=True)
    holds = false < 0.02 * asked.seeds or not false
    for name in asked.anomalies:
        holds &= named_often(name, [PLAYS[name](seed, one) for seed, one in enumerate(clean)], clean)
    return 0 if holds else 1


def named_often(name: str, runs: Sequence[Played], clean: Sequence[Played]) -> bool:
    """Whether the anomaly is named in 95 of 100; prints what was named besides."""
    count = sum(name in one.named for one in runs)
    others = Counter(other for one in runs for other in one.named - {name})
    limits = [one.limit(name) for one in clean]
    print(
        f"{name}: limit {min(limits):.3g} to {max(limits):.3g}, at {TIMES:g} limits named in {count} of {len(runs)}"
        + (f"; besides: {dict(others)}" if others else ""),
        flush=True,
    )
    return count >= 0.95 * len(runs)


if __name__ == "__main__":
    sys.exit(main())
