"""Whole runs of the quick method through the real drivers: every membrane on a rig that can measure it.

Run it as ``python -m tests.proofs.real_runs --seeds 3`` (half a minute a run). Each run has a simulated rig of its own,
in a process of its own, whose control port tells the membrane's true permeance over the marked plateaus. It exits with
1 where fewer than nine of ten results lie within their uncertainty, where one lies beyond twice it, where a sample was
lost, or where a file is not whole.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from labrig.recording import RunFile
from tests.line.lines import Case, Judged, through_the_drivers
from tests.line.test_coverage import EXAMPLE_V, OTHERS


def main() -> int:
    """Run the proof; 0 when it holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="runs of each membrane")
    parser.add_argument("--membranes", nargs="+", help="names; all by default")
    asked = parser.parse_args()
    cases = [case for case in (EXAMPLE_V, *OTHERS) if not asked.membranes or case.membrane in asked.membranes]
    found: list[Judged] = []
    wrong = 0
    for case in cases:
        for seed in range(asked.seeds):
            with tempfile.TemporaryDirectory() as folder:
                judged, whole = one(case, seed, Path(folder))
            found.append(judged)
            wrong += not whole
            print(
                f"{case.membrane:13} {case.rig:16} seed {seed}: {judged.error:+.2%} of the truth, {judged.over_U:.2f} U"
                f"{'' if whole else '; SAMPLES LOST OR FILE DAMAGED'}",
                flush=True,
            )
    within = sum(judged.over_U <= 1 for judged in found)
    furthest = max(judged.over_U for judged in found)
    bias = statistics.fmean(judged.error for judged in found)
    print(f"{within} of {len(found)} within U, furthest {furthest:.2f} U, bias {bias:+.2%}, {wrong} files wrong")
    return 0 if within >= 0.9 * len(found) and furthest < 2 and not wrong else 1


def one(case: Case, seed: int, folder: Path) -> tuple[Judged, bool]:
    """The result beside the truth, and whether everything was recorded."""
    real = through_the_drivers(case, seed, folder)
    with RunFile(real.filed.path) as run:
        return real.judged, run.verify().whole and not any(total.lost for total in run.totals.values())


if __name__ == "__main__":
    sys.exit(main())
