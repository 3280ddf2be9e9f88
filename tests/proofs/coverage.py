"""How often a stated uncertainty holds, in virtual time, against two truths of a membrane that compacts.

Run it as ``python -m tests.proofs.coverage --seeds 200 --membranes example-v``. The first truth is the plant's
permeance averaged over the plateaus by their length, which is what a result means (ADR 14). The second weighs each
plateau by the square of its pressure, as an unweighted slope through the origin does: what the choice is worth.
It exits with 1 where fewer than nine of ten lie within their uncertainty of the first, or one beyond twice it.
"""

from __future__ import annotations

import argparse
import sys

from labrig.clock import SECOND
from tests.line.lines import Case, Judged, Virtual, on_the_twin
from tests.line.test_coverage import EXAMPLE_V, OTHERS, words


def main() -> int:
    """Run the proof; 0 when it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--membranes", nargs="+", help="names; all by default")
    asked = parser.parse_args()
    everything: list[Judged] = []
    for case in (EXAMPLE_V, *OTHERS):
        if not asked.membranes or case.membrane in asked.membranes:
            everything += covered(case, asked.seeds)
    print(f"together: {words(everything)}")
    within = sum(judged.over_U <= 1 for judged in everything)
    return 0 if within >= 0.9 * len(everything) and max(one.over_U for one in everything) < 2 else 1


def covered(case: Case, seeds: int) -> list[Judged]:
    """One membrane on its rig; prints both comparisons."""
    runs = [on_the_twin(case, seed) for seed in range(seeds)]
    found = [run.judged for run in runs]
    weighed = [Judged(run.judged.result, by_pressure(run)) for run in runs]
    print(f"{case.membrane} on {case.rig}: {words(found)}\n    weighed by pressure: {words(weighed)}", flush=True)
    return found


def by_pressure(virtual: Virtual) -> float:
    """The plant's permeance over the plateaus, each weighed by the square of its target."""
    parts = [
        (float(span.attributes["target"]) ** 2, virtual.plant.true_permeance(span.start / SECOND, span.end / SECOND))
        for span in virtual.run.spans("plateau")
    ]
    return sum(weight * p for weight, p in parts) / sum(weight for weight, _ in parts)


if __name__ == "__main__":
    sys.exit(main())
