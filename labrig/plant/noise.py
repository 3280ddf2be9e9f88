"""Chance that can be asked again: every number is a function of the seed, a label and an index, in any order."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np

from labrig.model import Floats

CHUNK: Final = 1024


def draw(seed: int, label: str) -> float:
    """One standard normal number, the same for the same seed and label whatever else is drawn."""
    return float(_generator(seed, label, 0).standard_normal())


class Noise:
    """An endless row of standard normal numbers, of which any stretch can be asked for.

    Chunk k of it comes from a Philox generator whose key is the seed and the label and whose counter starts at k in
    its second word, so that a chunk does not depend on those before it.
    """

    def __init__(self, seed: int, label: str) -> None:
        self._seed, self._label = seed, label
        self._index = -1
        self._chunk: Floats = np.empty(0)

    def at(self, index: int) -> float:
        """Number ``index`` of the row."""
        return float(self._of(index // CHUNK)[index % CHUNK])

    def stretch(self, first: int, n: int) -> Floats:
        """Numbers ``first`` to ``first + n - 1``, shape (n,)."""
        start, end = first // CHUNK, (first + n - 1) // CHUNK
        if end <= start:
            return self._of(start)[first - start * CHUNK : first - start * CHUNK + n]
        row = np.concatenate([self._of(chunk) for chunk in range(start, end + 1)])
        return row[first - start * CHUNK : first - start * CHUNK + n]

    def _of(self, chunk: int) -> Floats:
        if chunk != self._index:
            self._chunk = _generator(self._seed, self._label, chunk).standard_normal(CHUNK)
            self._chunk.flags.writeable = False
            self._index = chunk
        return self._chunk


def _generator(seed: int, label: str, chunk: int) -> np.random.Generator:
    key = int.from_bytes(blake2b(f"{seed}/{label}".encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key, counter=chunk << 64))
