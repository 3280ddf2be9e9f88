"""What the plant did: the last minutes at full resolution, the membrane's permeance for the whole run.

Between two nodes a quantity runs straight; a first-order lag driven by a straight line has an exact answer, so that
signals do not depend on how, or in which pieces, they are asked for. A jump is two nodes at the same time.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np

from labrig.model import Floats

KEPT: Final = 130.0
"""Seconds of history."""
_SLACK: Final = 1e-6
"""Seconds by which a question may lie outside the history: rounding of sample times."""


class Trajectory:
    """Quantities with their first-order lags, and the hysteresis that follows them.

    Columns per quantity: what is, what its lag shows, and what hysteresis adds to that.
    """

    def __init__(self, time: float, values: Sequence[float], lags: Sequence[float], bands: Sequence[float]) -> None:
        self._lags, self._bands = tuple(lags), tuple(bands)
        self._times: Floats = np.empty(1024)
        self._rows: Floats = np.empty((1024, 3 * len(values)))
        self._n = 0
        self._shown = list(values)
        self._stuck = list(values)
        self._last_time, self._last = time, tuple(values)
        self._write(time, values)
        self._write(time, values)

    def append(self, time: float, values: Sequence[float]) -> None:
        """The next node; a time equal to the last one is a jump."""
        step = time - self._last_time
        for k, lag in enumerate(self._lags):
            if lag <= 0:
                self._shown[k] = values[k]
            elif step > 0:
                self._shown[k] = _lagged(self._shown[k], self._last[k], values[k], step, step, lag)
            half = self._bands[k] / 2
            self._stuck[k] = min(max(self._stuck[k], self._shown[k] - half), self._shown[k] + half)
        self._last_time, self._last = time, tuple(values)
        self._write(time, values)

    def shown(self, quantity: int, times: Floats) -> Floats:
        """What the lag and the hysteresis of a quantity show at increasing times, shape (n,), n > 0.

        Raises ValueError for times outside the history.
        """
        first, last = times.item(0), times.item(-1)
        self._require(first, last)
        low, high = self._after(first), self._after(last)
        if low == high:
            return self._within(quantity, low, times)
        n, k, lag = self._n, 3 * quantity, self._lags[quantity]
        node = self._times[:n].searchsorted(times, side="right")
        np.minimum(node, n - 1, out=node)
        columns = self._rows[low - 1 : high + 1, k : k + 3]
        node -= low
        before, change = columns[node], columns[node + 1] - columns[node]
        start = self._times[low - 1 : high + 1]
        step, since = (start[1:] - start[:-1])[node], times - start[node]
        share = np.divide(since, step, out=np.zeros_like(since), where=step > 0)
        result: Floats = before[:, 0] + before[:, 2] + (change[:, 0] + change[:, 2]) * share
        if lag > 0:
            behind = np.divide(change[:, 0] * lag, step, out=np.zeros_like(since), where=step > 0)
            result += (before[:, 1] - before[:, 0] + behind) * np.exp(since / -lag) - behind
        return result

    def shown_at(self, quantity: int, time: float) -> float:
        """`shown` for one time; hysteresis left out."""
        self._require(time, time)
        k, node, item = 3 * quantity, self._after(time), self._rows.item
        start = self._times.item(node - 1)
        step = self._times.item(node) - start
        first, last, shown = item(node - 1, k), item(node, k), item(node - 1, k + 1)
        return _lagged(shown, first, last, time - start, step, self._lags[quantity])

    def value_at(self, quantity: int, time: float) -> float:
        """What a quantity is, without lag."""
        self._require(time, time)
        k, node, item = 3 * quantity, self._after(time), self._rows.item
        start = self._times.item(node - 1)
        step = self._times.item(node) - start
        return _lagged(0.0, item(node - 1, k), item(node, k), time - start, step, 0.0)

    def value_times(self, quantity: int, levels: Floats) -> Floats:
        """When a quantity that never falls passed these levels."""
        return np.interp(levels, self._rows[: self._n, 3 * quantity], self._times[: self._n])

    def _after(self, time: float) -> int:
        """The first node beyond ``time``, or the last one; never the first."""
        return min(max(bisect_right(self._times, time, 0, self._n), 1), self._n - 1)

    def _within(self, quantity: int, node: int, times: Floats) -> Floats:
        """`shown` between one node and the one before it."""
        k, lag, item = 3 * quantity, self._lags[quantity], self._rows.item
        start = self._times.item(node - 1)
        step = self._times.item(node) - start
        first, shown, extra = (item(node - 1, k + c) for c in range(3))
        per_second = 1 / step if step > 0 else 0.0
        slope = (item(node, k) - first) * per_second
        bent = slope + (item(node, k + 2) - extra) * per_second
        since = times - start
        result: Floats = since * bent
        result += first + extra - slope * lag
        swing = shown - first + slope * lag
        if lag > 0 and swing != 0:
            since *= -1 / lag
            np.exp(since, out=since)
            since *= swing
            result += since
        return result

    def _require(self, first: float, last: float) -> None:
        oldest = self._times.item(0)
        if first < oldest - _SLACK or last > self._last_time + _SLACK:
            raise ValueError(
                f"the plant remembers {oldest:.3f} s to {self._last_time:.3f} s, not {first:.3f} s to {last:.3f} s; "
                "advance it first, and read within two minutes"
            )

    def _write(self, time: float, values: Sequence[float]) -> None:
        if self._n == len(self._times):
            self._make_room(time)
        row: list[float] = []
        for value, shown, stuck in zip(values, self._shown, self._stuck, strict=True):
            row += (value, shown, stuck - shown)
        self._times[self._n] = time
        self._rows[self._n] = row
        self._n += 1

    def _make_room(self, time: float) -> None:
        old = int(self._times[: self._n].searchsorted(time - KEPT))
        keep = slice(max(0, old - 1), self._n)
        kept = keep.stop - keep.start
        size = max(1024, 2 * kept)
        times, rows = np.empty(size), np.empty((size, self._rows.shape[1]))
        times[:kept], rows[:kept] = self._times[keep], self._rows[keep]
        self._times, self._rows, self._n = times, rows, kept


class Integral:
    """The integral over time of something slow, kept for the whole run at half-second steps."""

    STEP: Final = 0.5

    def __init__(self, time: float) -> None:
        self._times, self._sums = array("d", [time]), array("d", [0.0])
        self._time, self._sum, self._value = time, 0.0, math.nan

    def append(self, time: float, value: float) -> None:
        """The quantity's value at the next time; a time equal to the last one is a jump."""
        if time > self._time:
            self._sum += (time - self._time) * (self._value + value) / 2
        self._time, self._value = time, value
        if time - self._times[-1] >= self.STEP:
            self._times.append(time)
            self._sums.append(self._sum)

    def mean(self, start: float, end: float) -> float:
        """Mean between two times; raises ValueError where they are not in order or outside the run."""
        if not self._times[0] - _SLACK <= start < end <= self._time + _SLACK:
            raise ValueError(f"a stretch within {self._times[0]:.3f} s to {self._time:.3f} s, not {start} s to {end} s")
        times, sums = [*self._times, self._time], [*self._sums, self._sum]
        first, last = np.interp([start, end], times, sums)
        return float(last - first) / (end - start)


def _lagged(shown: float, first: float, last: float, since: float, step: float, lag: float) -> float:
    """A first-order lag ``since`` seconds after it showed ``shown``, its input running from first to last in step."""
    slope = (last - first) / step if step > 0 else 0.0
    if lag <= 0:
        return first + slope * since
    return first + slope * (since - lag) + (shown - first + slope * lag) * math.exp(-since / lag)
