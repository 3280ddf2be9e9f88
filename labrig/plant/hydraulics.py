"""Where the water is and where it goes: vessel, lines, cell, membrane, beaker and waste."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from labrig.plant.circuit import (
    GRAVITY,
    MAX_COMPACTION_LOSS,
    REFERENCE_TEMPERATURE,
    Liquid,
    Resistance,
    Sheet,
    WaterTable,
    permeate_flow,
    rising_root,
)
from labrig.plant.disturbance import Disturbance
from labrig.plant.gas import Headspace
from labrig.plant.membrane import Membrane
from labrig.plant.noise import draw
from labrig.plant.spec import PlantSpec
from labrig.units import atm

CREEP_PRESSURE: Final = 1000.0
"""Pressure across the membrane, Pa, from which on it creeps."""
TOLERANCE: Final = 5.0
"""Pressure, Pa, by which a straight line between two steps may miss the true course."""
SHORTEST: Final = 0.002
LONGEST: Final = 1.0
SQUEEZED: Final = 2 / 3
"""Power of its volume with which the area under a bubble shrinks."""


@dataclass(slots=True)
class Valves:
    """What the valves really do, not what was commanded."""

    feed: bool = False
    vent: bool = True
    drain: bool = False


class Hydraulics:
    """The state of the water side, advanced in steps that the caller chooses by `good_step`."""

    def __init__(self, spec: PlantSpec, membrane: Membrane, seed: int) -> None:
        self._spec, self._membrane = spec, membrane
        lines = spec.plumbing
        self._head = lines.head + lines.head_sd * draw(seed, "plumbing/head")
        self._cell_loss = max(0.0, 1 + lines.cell_sd * draw(seed, "plumbing/cell"))
        self._evaporation = max(
            0.0, spec.permeate.evaporation + spec.permeate.evaporation_sd * draw(seed, "permeate/evaporation")
        )
        self._throttle = spec.plumbing.blank_throttle if membrane.family == "none" else 1.0
        self._bubble_gone, self._wetted, self._warmed = False, 0.0, 0.0
        self.loaded = 0.0
        """Water that went through since the feed began to foul, m³ on each m²."""
        self._disturbance = Disturbance()
        self._disturb(self._disturbance)
        self._table = WaterTable()
        self._waves = _waves(seed)
        self.diameter = spec.cell.exposed_diameter + spec.cell.diameter_sd * draw(seed, "cell/diameter")
        self.area = math.pi * self.diameter**2 / 4
        self.gas = Headspace(spec.regulator, seed, spec.valves.vent_time)
        self.valves = Valves()
        self.time = 0.0
        self.level = spec.vessel.level
        """Water in the vessel, m³."""
        self.starved = False
        """The vessel ran empty: gas stands before the membrane, whose water-filled pores hold it back."""
        self.cell = 0.0
        """Gauge pressure at the cell's upstream tap, Pa."""
        self.transmembrane = 0.0
        self.flow = 0.0
        """Through the membrane, m³/s."""
        self.drain_flow = 0.0
        self.creep = 0.0
        """How much of the membrane's creep has happened, 0 to 1."""
        self.delivered = 0.0
        """Water that came out of the permeate line, kg; likewise those that follow."""
        self.drained = 0.0
        self.evaporated = 0.0
        self.spilled = 0.0
        self.in_beaker = spec.permeate.water
        self.beaker_on = True
        """The beaker stands on the balance."""
        self.temperature = self.temperature_at(0.0)
        self.liquid: Liquid = self._table.at(self.temperature)
        self._reference = self._table.at(REFERENCE_TEMPERATURE).viscosity
        self._sheet = self._sheet_now()

    def disturb(self, disturbance: Disturbance) -> None:
        """Let that, and nothing else, be wrong from now on; valves are moved by whoever commands them."""
        self._disturb(disturbance)
        self.gas.runaway = disturbance.runaway
        self._sheet = self._sheet_now()
        self.settle()

    def _disturb(self, disturbance: Disturbance) -> None:
        lines, clogs, before = self._spec.plumbing, disturbance.clogs, self._disturbance
        if (disturbance.bubble, disturbance.bubble_leaves) != (before.bubble, before.bubble_leaves):
            self._bubble_gone = False
        if disturbance.unwetted != before.unwetted:
            self._wetted = 0.0
        if disturbance.fouling and not before.fouling:
            self.loaded = 0.0
        self._disturbance = disturbance
        self._feed_line = Resistance(lines.feed, self._throttle * clogs.get("feed", 1.0))
        self._cell_line = Resistance(lines.cell, clogs.get("cell", 1.0) * self._cell_loss)
        self._drain_line = Resistance(lines.drain, clogs.get("drain", 1.0))

    def run_dry(self) -> None:
        """The vessel is empty from now on."""
        self.level, self.starved = 0.0, True
        self.settle()

    def temperature_at(self, time: float) -> float:
        """Of the water, K: drift and slow waves, and what a disturbance added so far."""
        water = self._spec.water
        swing = sum(math.sin(rate * time + phase) for rate, phase in self._waves)
        own = water.temperature + water.drift * time / 3600 + water.wander * math.sqrt(2 / 3) * swing
        return own + self._warmed

    @property
    def permeance(self) -> float:
        """Of the membrane at 25 °C under the present pressure, m/s/Pa, were it wet, clean and free of air."""
        loss = min(self._membrane.compaction * self.transmembrane, MAX_COMPACTION_LOSS)
        return self._fresh() * (1 - loss)

    @property
    def open_share(self) -> float:
        """Of the membrane, what lets water through: not under air, wetted and not fouled."""
        wrong = self._disturbance
        covered = wrong.air
        if wrong.bubble and not self._bubble_gone:
            covered += wrong.bubble * (atm / (self.cell + atm)) ** SQUEEZED
        dry = wrong.unwetted * max(0.0, 1 - self._wetted / wrong.wetted_at) if wrong.wetted_at > 0 else wrong.unwetted
        return max(0.0, 1 - covered) * (1 - dry) * math.exp(-wrong.fouling * self.loaded)

    @property
    def head(self) -> float:
        """Height of the permeate outlet above the tap, m."""
        return self._head + self._disturbance.head

    @property
    def on_pan(self) -> float:
        """What the balance weighs, kg: zero is the empty beaker."""
        return self.in_beaker if self.beaker_on else -self._spec.permeate.vessel_mass

    @property
    def gas_supply(self) -> float:
        """Gas into the vessel, m³/s at 0 °C and 1 atm."""
        out = self.flow + self.drain_flow if self.valves.feed else 0.0
        headspace = self._spec.vessel.volume - self.level
        return self.gas.supply(flow=out, vented=self.valves.vent, headspace=headspace, temperature=self.temperature)

    def step(self, end: float) -> None:
        """Advance to the plant time ``end``, valves as they are."""
        membrane, headspace = self._membrane, self._spec.vessel.volume - self.level
        step = end - self.time
        self.gas.step(step, flow=self.flow + self.drain_flow, vented=self.valves.vent, headspace=headspace)
        if self.transmembrane > CREEP_PRESSURE:
            self.creep = 1 - (1 - self.creep) * math.exp(-step / membrane.creep_time)
        self.time = end
        self._wetted = max(self._wetted, self.transmembrane)
        self._bubble_gone = self._bubble_gone or self.cell > self._disturbance.bubble_leaves
        self._warmed += self._disturbance.warming * step
        self.temperature = self.temperature_at(self.time)
        self.liquid = self._table.at(self.temperature)
        self._sheet = self._sheet_now()
        flow, drain_flow, stored = self.flow, self.drain_flow, self._stored()
        if self.valves.feed or self.starved:
            self.settle()
            self._account((flow + self.flow) / 2 * step, (drain_flow + self.drain_flow) / 2 * step, step)
        else:
            self._relax(step)
            out, total = stored - self._stored(), flow + drain_flow
            through = out * flow / total if total > 0 else 0.0
            self._account(through, out - through, step)

    def settle(self) -> None:
        """Bring pressures and flows into agreement with the valves as they stand; the cell fills within no time."""
        if self.starved:
            self._hold_gas()
            return
        if not self.valves.feed:
            self._split(self.cell)
            return
        stored = self._stored()
        supply = self.gas.pressure + self._head_of_level()
        if self.valves.drain or self._disturbance.leak:
            self._share_with_drain(supply)
        else:
            opposing = self._opposing_head()
            lines = (self._feed_line, self._cell_line)
            self._through(permeate_flow(self._sheet, supply - opposing, lines, self.liquid, self.transmembrane))
            self.drain_flow = 0.0
            self.cell = max(0.0, supply - self._feed_line.drop(self.flow, self.liquid))
        self.level = max(0.0, self.level - (self._stored() - stored))

    def good_step(self) -> float:
        """The longest step over which every pressure runs nearly straight, s."""
        headspace = self._spec.vessel.volume - self.level
        total = self.flow + self.drain_flow
        bend = self.gas.bend(flow=total, vented=self.valves.vent, headspace=headspace)
        if not self.valves.feed and not self.starved and self.cell > 1.0:
            bend = max(bend, (total / self._compliance()) ** 2 / self.cell)
        step = math.sqrt(8 * TOLERANCE / bend) if bend > 0 else LONGEST
        if self.valves.feed and total > 0:
            step = min(step, self.level / total)
        return min(max(step, SHORTEST), LONGEST)

    def refill(self) -> None:
        self.level = self._spec.vessel.level
        self.starved = False

    def _account(self, permeate: float, drain: float, step: float) -> None:
        """Move volumes (m³) that left the cell in ``step``; those through the feed valve come from the vessel."""
        density = self.liquid.density
        if self.valves.feed:
            wanted = permeate + drain
            given = min(wanted, self.level)
            if wanted > 0:
                permeate, drain = permeate * given / wanted, drain * given / wanted
            self.level -= given
            self.starved = self.starved or self.level <= 0
        self.delivered += permeate * density
        self.loaded += permeate / self.area
        self.drained += drain * density
        self._collect(permeate * density, step)

    def _collect(self, permeate: float, step: float) -> None:
        """Permeate (kg) into the beaker, or past it."""
        balance = self._spec.permeate
        if not self.beaker_on:
            self.spilled += permeate
            return
        self.in_beaker += permeate
        gone = min((self._evaporation + self._disturbance.evaporation) * step, self.in_beaker)
        over = max(0.0, self.in_beaker - gone - balance.vessel_capacity)
        self.in_beaker -= gone + over
        self.evaporated += gone
        self.spilled += over

    def _relax(self, step: float) -> None:
        """The shut-off cell empties itself: dp/dt = -Q(p)/C(p), an exponential step by its rate half-way."""
        if self.cell <= 0:
            self._split(0.0)
            return
        start = self.cell
        rate = (self.flow + self.drain_flow) / (self._compliance() * start)
        self._split(start * math.exp(-rate * step / 2))
        if self.cell == 0:
            return
        rate = (self.flow + self.drain_flow) / (self._compliance() * self.cell)
        self._split(start * math.exp(-rate * step))

    def _hold_gas(self) -> None:
        if self.valves.drain:
            self.cell = 0.0
        elif self.valves.feed:
            self.cell = self.gas.pressure
        self.flow = self.drain_flow = self.transmembrane = 0.0

    def _split(self, pressure: float) -> None:
        """Flows out of a cell at ``pressure`` that nothing feeds."""
        self.cell = pressure if pressure > 0.01 else 0.0
        driving = self.cell - self._opposing_head()
        self._through(permeate_flow(self._sheet, driving, (self._cell_line,), self.liquid, self.transmembrane))
        drain = self._drain_line.flow(self.cell, self.liquid) if self.valves.drain else 0.0
        self.drain_flow = drain + self._disturbance.leak * self.cell

    def _share_with_drain(self, supply: float) -> None:
        def excess(pressure: float) -> float:
            self._split(pressure)
            return pressure + self._feed_line.drop(self.flow + self.drain_flow, self.liquid) - supply

        if supply <= 0:
            self._split(0.0)
        else:
            self._split(rising_root(excess, 0.0, supply))

    def _through(self, transmembrane: float) -> None:
        self.transmembrane = transmembrane
        self.flow = self._sheet.flow(transmembrane)

    def _sheet_now(self) -> Sheet:
        conductance = self._fresh() * self.area * self.open_share * self._reference / self.liquid.viscosity
        return Sheet(conductance, self._membrane.compaction)

    def _fresh(self) -> float:
        return self._membrane.permeance * (1 - self._membrane.creep * self.creep)

    def _head_of_level(self) -> float:
        vessel = self._spec.vessel
        sunk = (vessel.level - self.level) / (math.pi * vessel.diameter**2 / 4)
        return self.liquid.density * GRAVITY * (vessel.level_above_tap - sunk)

    def _opposing_head(self) -> float:
        return self.liquid.density * GRAVITY * self.head

    def _stored(self) -> float:
        """Water that the pressure holds in the cell beyond what it holds at rest, m³: the trapped gas gives way."""
        return self._spec.cell.trapped_gas * self.cell / (self.cell + atm)

    def _compliance(self) -> float:
        return self._spec.cell.trapped_gas * atm / (self.cell + atm) ** 2


def _waves(seed: int) -> tuple[tuple[float, float], ...]:
    """Angular rate and phase of three slow waves."""
    return tuple((2 * math.pi / period, 10 * draw(seed, f"water/wave {period}")) for period in (97, 233, 611))
