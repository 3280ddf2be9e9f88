"""Steps before and after a measurement with water: a person does them, and the sensors verify what they can.

What is left in doubt is written into the mark of the step (attribute ``doubt``), and the analysis tells of it.
"""

from __future__ import annotations

from typing import Final, Literal

from labrig.analysis.steady import Collected, Drift, SteadySlope, Still
from labrig.clock import SECOND
from labrig.errors import RigError
from labrig.model import Span
from labrig.rig import Criterion, Rig
from labrig.units import minute, psi
from labrig_protocols.water import vent

Wetting = Literal["none", "water", "alcohol"]
WATER: Final = 998.0
"""kg/m³; good enough to tell how much went through."""
PURGES: Final = 3
"""Times that the operator may ask for another purge."""
REST: Final = 0.01 * psi
"""Move within `RESTING` by which the shut-off cell is at rest."""
RESTING: Final = 10.0
_HOW: Final = {
    "water": "Soak the membrane in water until it is wet through",
    "alcohol": "Wet the membrane with alcohol until it is clear all over, and keep it under liquid",
}


def take_zero(rig: Rig, settle: float, seconds: float, largest: float) -> None:
    """Both sides vented, the transducers' zeros; beyond ``largest`` (Pa, 0 for any) the operator decides.

    Raises `RigError` where the operator stops.
    """
    vent(rig)
    rig.wait(settle)
    zero = rig.mark("zero", rig.wait(seconds))
    read = rig.measure("feed_pressure", zero)
    if largest and abs(read) > largest:
        text = (
            f"With both sides vented the feed pressure reads {read / psi:.3f} psi; {largest / psi:.3f} psi is allowed. "
            "Is the cell really open, and the transducer sound?"
        )
        if rig.ask(text, "Stop", "Go on") == "Stop":
            raise RigError(f"the zero of the feed pressure is {read / psi:.3f} psi, and the operator stopped for it")


def weigh_without_flow(rig: Rig, seconds: float) -> Span:
    """What the beaker loses by itself: feed shut, cell drained."""
    return rig.mark("no flow", rig.wait(seconds))


def wet(rig: Rig, how: Wetting, soak: float) -> Span:
    """The operator wets the membrane; the soak is timed."""
    answer = rig.ask(f"{_HOW[how]}, and mount it skin to the feed. Is it done?", "Done", "Not done")
    doubt = {} if answer == "Done" else {"doubt": "the operator did not confirm it"}
    return rig.mark("wetting", rig.wait(soak), how=how, **doubt)


def flush(rig: Rig, pressure: float, volume: float, patience: float) -> Span:
    """Water through the membrane under pressure, verified by the balance; feed open."""
    rig.set("pressure", pressure)
    span = rig.wait_steady(Collected("permeate_mass", volume * WATER), window=5.0, patience=patience)
    doubt = {} if span.attributes["steady"] else {"doubt": f"the flush was cut short: {span.attributes['unsteady']}"}
    return rig.mark("wetting", span, how="flush", **doubt)


def purge(rig: Rig, pressure: float, seconds: float) -> Span:
    """Water along the feed side into the drain until the operator sees no bubble any more; feed open."""
    rig.set("pressure", pressure)
    doubt: dict[str, str] = {}
    for _ in range(PURGES):
        rig.open("drain")
        span = rig.wait(seconds)
        rig.close("drain")
        if rig.ask("Tilt the cell. Do bubbles still come out of the drain?", "No", "Yes") == "No":
            break
    else:
        doubt = {"doubt": f"bubbles still came after {PURGES} purges"}
    return rig.mark("purge", span, **doubt)


def compact(rig: Rig, pressure: float, settle: float, change: float, window: float, patience: float, flow: str) -> Span:
    """Hold above the highest pressure until the flow changes by no more than ``change`` in ``window``; feed open."""
    rig.set("pressure", pressure)
    start = rig.wait(settle).end
    span = rig.wait_steady(_slows_down(flow, change), window=window, patience=patience)
    doubt = {} if span.attributes["steady"] else {"doubt": f"it did not end: {span.attributes['unsteady']}"}
    lasted = (span.end - start) / SECOND
    return rig.mark("compaction", span, target=pressure, change=change, window=window, lasted=lasted, **doubt)


def come_to_rest(rig: Rig) -> Span:
    """Feed and drain shut: the cell empties through the membrane, until what its tap reads is the static head."""
    rig.close("feed")
    span = rig.wait_steady(Still("feed_pressure", REST), window=RESTING, patience=3 * minute)
    return rig.mark("static head", span)


def _slows_down(flow: str, change: float) -> Criterion:
    return SteadySlope("permeate_mass", change) if flow == "balance" else Drift("permeate_flow", change)
