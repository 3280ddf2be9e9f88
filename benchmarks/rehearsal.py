"""How long it takes to rehearse a long run: three plateaus of 14 minutes, 45 simulated minutes and more.

Run it as ``python benchmarks/rehearsal.py``. Beside each rehearsal, in the same process, stands the least that any
rehearsal of that run can do: the plant alone, advanced through the same time in the same strides of a second with the
same pressures set, without a rig, blocks, interlocks, history or events. Times are those of the
processor, so that a busy machine does not count.
"""

from __future__ import annotations

import argparse
import statistics
import time

from labrig.clock import SECOND
from labrig.config import find_rig, load_rig
from labrig.header import Order
from labrig.methods import load_method
from labrig.model import Commanded, Coupon
from labrig.plant import Plant, load_membrane
from labrig.rehearsal import Rehearsal, rehearse


def main() -> None:
    """Measure, and print one figure a line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rig", default="bench-25")
    parser.add_argument("--membrane", default="example-v")
    parser.add_argument("--window", default="14 min", help="length of each of the three plateaus")
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    config, membrane = load_rig(find_rig(asked.rig)), load_membrane(asked.membrane)
    changes = {"zero": "3 min", "window": asked.window, "patience": "60 min", "drift": "10 %"}
    method = load_method("quick-permeability", {**changes, "pressures": ["2 psi", "4 psi", "6 psi"]})
    order = Order(method.facts, Coupon("benchmark"), "benchmark")
    assert config.file.simulation is not None
    whole, bare, analysing = [], [], []
    for seed in range(asked.times):
        started = time.process_time()
        rehearsal = rehearse(method.protocol, order, config, membrane, seed=seed)
        whole.append(time.process_time() - started)
        plant = Plant(config.file.simulation, membrane, seed)
        started = time.process_time()
        follow(rehearsal, plant)
        bare.append(time.process_time() - started)
        started = time.process_time()
        method.protocol.analyse(rehearsal.run)
        analysing.append(time.process_time() - started)
    samples = sum(len(block) * len(block.channels) for block in rehearsal.run.blocks())
    seconds = rehearsal.schedule.total
    print(f"rehearsed   {seconds / 60:.1f} min, outcome {rehearsal.outcome.value}, {samples} samples a run")
    print(f"rehearsal   {shown(whole)}: {seconds / statistics.median(whole):.0f} times as fast as the rig")
    print(f"plant alone {shown(bare)}; ratio {statistics.median(whole) / statistics.median(bare):.1f}")
    print(f"analysis    {shown(analysing)} (the first one imports what it needs: {analysing[0] * 1e3:.0f} ms)")


def follow(rehearsal: Rehearsal, plant: Plant) -> None:
    """Take a plant through the same commands at the same times."""
    spec = plant.spec
    coils = {"feed_valve": spec.valves.feed.address, "vent_valve": spec.valves.vent.address,
             "drain_valve": spec.valves.drain.address}  # fmt: skip
    now = 0.0
    for event in rehearsal.run.events:
        if not isinstance(event, Commanded) or event.value is None:
            continue
        now = advanced(plant, now, event.time / SECOND)
        if event.output in coils:
            energised = bool(event.value) != (event.output == "vent_valve")
            plant.command(coils[event.output], float(energised))
        else:
            low, high = spec.regulator.pressure
            plant.command(spec.regulator.address, 10.0 * (event.value - low) / (high - low))
    advanced(plant, now, rehearsal.schedule.total)


def advanced(plant: Plant, now: float, end: float) -> float:
    """In strides of a second."""
    while now < end:
        now = min(end, now + 1.0)
        plant.advance(now)
    return now


def shown(seconds: list[float]) -> str:
    """Median and range in milliseconds."""
    low, high = min(seconds), max(seconds)
    return f"{statistics.median(seconds) * 1e3:.0f} ms ({low * 1e3:.0f} to {high * 1e3:.0f}, {len(seconds)} runs)"


if __name__ == "__main__":
    main()
