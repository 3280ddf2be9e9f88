"""What a rig will show of a membrane, before anybody wets it: flow, losses, times, and reasons in words why not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from labrig.plant.circuit import (
    GRAVITY,
    REFERENCE_TEMPERATURE,
    Liquid,
    Resistance,
    Sheet,
    WaterTable,
    permeate_flow,
)
from labrig.plant.membrane import Membrane
from labrig.plant.spec import PlantSpec
from labrig.plant.transmitters import FlowMeter, PressureTransmitter
from labrig.units import g, minute, mL_per_min, percent, psi

STEPS_OF_BALANCE: Final = 100
"""Readabilities that a plateau collects, so that rounding is at most a percent."""
PATIENCE: Final = 5 * minute
"""Longest time that a plateau may take to collect them."""
LONG_PLATEAU: Final = 30.0
SHORTEST_RUN: Final = 1 * minute
"""A rig that is full or empty earlier measures nothing."""
MUCH_OF_METER: Final = 80 * percent
CORRECTED: Final = 10 * percent
"""Share of the pressure that the lines may take before a blank run must correct it."""
REFUSED: Final = 50 * percent
"""Share beyond which no correction helps."""
VISIBLE_EVAPORATION: Final = 0.5 * percent
LARGE_EVAPORATION: Final = 20 * percent
OFF_TARGET: Final = 10 * percent


@dataclass(frozen=True, slots=True)
class Forecast:
    """One membrane on one rig at one set pressure, without anybody's errors; SI."""

    pressure: float
    """Set at the regulator, gauge."""
    tap: float
    """What the cell's pressure tap reads then."""
    transmembrane: float
    flow: float
    plumbing_share: float
    """Of the pressure between tap and outlet, what the lines take and not the membrane."""
    collecting: float
    """Seconds until the balance has collected a hundred steps of its readability."""
    filling: float
    """Seconds until balance or beaker is full."""
    emptying: float
    """Seconds until the feed vessel is empty."""
    evaporation_share: float
    reasons: tuple[str, ...]
    """Why it cannot be measured so, in words; empty where it can."""
    cautions: tuple[str, ...]
    """What to mind."""

    @property
    def measurable(self) -> bool:
        return not self.reasons


def forecast(spec: PlantSpec, membrane: Membrane, pressure: float) -> Forecast:
    """What to expect of ``membrane`` on ``spec`` at a regulator set to ``pressure`` (Pa, gauge), before any creep."""
    liquid = WaterTable().at(spec.water.temperature)
    tap, transmembrane, flow = _steady(spec, membrane, pressure, liquid)
    lost = Resistance(spec.plumbing.cell).drop(flow, liquid)
    per_second = flow * liquid.density
    balance = spec.permeate
    room = min(balance.capacity - balance.vessel_mass, balance.vessel_capacity) - balance.water
    draft = Forecast(
        pressure=pressure,
        tap=tap,
        transmembrane=transmembrane,
        flow=flow,
        plumbing_share=lost / (lost + transmembrane) if transmembrane > 0 else 0.0,
        collecting=_over(STEPS_OF_BALANCE * balance.readability, per_second),
        filling=_over(max(0.0, room), per_second),
        emptying=_over(spec.vessel.level, flow),
        evaporation_share=min(_over(balance.evaporation, per_second), 1.0),
        reasons=(),
        cautions=(),
    )
    return replace(draft, reasons=tuple(_reasons(spec, draft)), cautions=tuple(_cautions(spec, membrane, draft)))


def line_coefficients(spec: PlantSpec, temperature: float) -> tuple[float, float]:
    """What a blank run of this rig finds: a (Pa·s/m³) and b (Pa·s²/m⁶) in ΔP = a·Q + b·Q² from tap to outlet.

    Exact while the flow is laminar; ``a`` goes with the viscosity at ``temperature`` (K).
    """
    return Resistance(spec.plumbing.cell).coefficients(WaterTable().at(temperature))


def _steady(spec: PlantSpec, membrane: Membrane, pressure: float, liquid: Liquid) -> tuple[float, float, float]:
    """Pressure at the tap, across the membrane, and flow, once everything stands still."""
    area = math.pi * spec.cell.exposed_diameter**2 / 4
    reference = WaterTable().at(REFERENCE_TEMPERATURE).viscosity
    sheet = Sheet(membrane.permeance * area * reference / liquid.viscosity, membrane.compaction)
    feed, cell = Resistance(spec.plumbing.feed), Resistance(spec.plumbing.cell)
    weight = liquid.density * GRAVITY
    set_to = min(pressure, spec.regulator.pressure[1]) + weight * spec.vessel.level_above_tap
    flow = transmembrane = 0.0
    for _ in range(30):
        droop = spec.regulator.droop * min(flow / spec.regulator.full_flow, 2.0)
        driving = set_to - droop - weight * spec.plumbing.head
        transmembrane = permeate_flow(sheet, driving, (feed, cell), liquid, transmembrane)
        flow = (flow + sheet.flow(transmembrane)) / 2 if flow else sheet.flow(transmembrane)
    return transmembrane + cell.drop(flow, liquid) + weight * spec.plumbing.head, transmembrane, flow


def _reasons(spec: PlantSpec, expected: Forecast) -> Iterator[str]:
    flow, most = expected.flow, spec.regulator.pressure[1]
    if expected.pressure > most:
        yield f"the regulator ends at {_psi(most)}, below the {_psi(expected.pressure)} wanted; use a lower pressure"
    reach = max((gauge.span[1] for gauge in _gauges(spec)), default=0.0)
    if expected.tap > reach:
        yield f"no pressure transmitter at the cell reaches {_psi(expected.tap)}; fit one, or use a lower pressure"
    if flow <= 0:
        yield f"{_psi(expected.pressure)} does not lift the water to the outlet; use a higher pressure"
        return
    for meter in _meters(spec):
        if flow > meter.span[1]:
            yield (
                f"the flow meter's range of {_flow(meter.span[1])} ends below the expected {_flow(flow)}; "
                "use a smaller cell or a lower pressure"
            )
    if expected.plumbing_share > REFUSED:
        yield (
            f"the lines would take {_percent(expected.plumbing_share)} of the pressure, more than half; "
            "use wider or shorter lines, or a smaller cell"
        )
    if expected.collecting > PATIENCE:
        yield (
            f"the balance needs {_time(expected.collecting)} for {STEPS_OF_BALANCE} steps of "
            f"{spec.permeate.readability / g:g} g at the expected {_flow(flow)}; "
            "use a finer balance, a larger cell or a higher pressure"
        )
    if expected.filling < SHORTEST_RUN:
        yield f"beaker or balance is full after {_time(expected.filling)}; use a smaller cell or a lower pressure"
    if expected.emptying < SHORTEST_RUN:
        yield f"the feed vessel is empty after {_time(expected.emptying)}; use a smaller cell or a lower pressure"
    if expected.evaporation_share > LARGE_EVAPORATION:
        yield (
            f"evaporation takes {_percent(expected.evaporation_share)} of the expected {_flow(flow)}; "
            "cover the beaker, use a larger cell or a higher pressure"
        )


def _cautions(spec: PlantSpec, membrane: Membrane, expected: Forecast) -> Iterator[str]:
    flow = expected.flow
    if membrane.wetting == "alcohol":
        yield "the membrane repels water: wet it with alcohol first, then flush without letting it dry"
    if flow <= 0:
        return
    for meter in _meters(spec):
        cut = meter.span[0] + meter.cut_off * (meter.span[1] - meter.span[0])
        if flow < cut:
            yield f"the flow meter shows nothing below {_flow(cut)}: only the balance measures {_flow(flow)}"
        elif MUCH_OF_METER * meter.span[1] < flow <= meter.span[1]:
            yield f"{_flow(flow)} is more than {_percent(MUCH_OF_METER)} of the flow meter's range"
    if CORRECTED < expected.plumbing_share <= REFUSED:
        yield f"the lines take {_percent(expected.plumbing_share)} of the pressure: correct it by a blank run"
    if expected.pressure > 0 and abs(expected.tap / expected.pressure - 1) > OFF_TARGET:
        yield f"the cell sees {_psi(expected.tap)} of the {_psi(expected.pressure)} that the regulator is set to"
    if VISIBLE_EVAPORATION < expected.evaporation_share <= LARGE_EVAPORATION:
        yield f"evaporation is {_percent(expected.evaporation_share)} of the flow: weigh a blank without flow as well"
    yield from _coarse_gauge(spec, expected)
    if LONG_PLATEAU < expected.collecting <= PATIENCE:
        yield (
            f"each plateau takes {_time(expected.collecting)} and more: so long needs {_flow(flow)} for "
            f"{STEPS_OF_BALANCE} steps of the balance"
        )
    if SHORTEST_RUN <= expected.filling < PATIENCE:
        yield f"beaker or balance is full after {_time(expected.filling)}"
    if SHORTEST_RUN <= expected.emptying < PATIENCE:
        yield f"the feed vessel is empty after {_time(expected.emptying)}"


def _coarse_gauge(spec: PlantSpec, expected: Forecast) -> Iterator[str]:
    reaching = [gauge for gauge in _gauges(spec) if gauge.span[1] >= expected.tap]
    if not reaching or expected.tap <= 0:
        return
    finest = min(reaching, key=lambda gauge: gauge.span[1])
    doubt = finest.offset_sd * (finest.span[1] - finest.span[0])
    if doubt > 1 * percent * expected.tap:
        yield (
            f"the zero of the finest gauge that reaches {_psi(expected.tap)} is off by {_psi(doubt)}, "
            f"{_percent(doubt / expected.tap)} of it: subtract the measured zero"
        )


def _gauges(spec: PlantSpec) -> Iterator[PressureTransmitter]:
    for each in spec.transmitters:
        if isinstance(each, PressureTransmitter) and each.quantity != "vessel_pressure":
            yield each


def _meters(spec: PlantSpec) -> Iterator[FlowMeter]:
    return (each for each in spec.transmitters if isinstance(each, FlowMeter))


def _over(amount: float, rate: float) -> float:
    return amount / rate if rate > 0 else math.inf


def _psi(pressure: float) -> str:
    return f"{pressure / psi:.3g} psi"


def _flow(flow: float) -> str:
    return f"{flow / mL_per_min:.4g} mL/min" if flow >= 1000 * mL_per_min else f"{flow / mL_per_min:.3g} mL/min"


def _percent(share: float) -> str:
    return f"{share / percent:.2g} %"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * minute else f"{seconds / minute:.0f} min"
