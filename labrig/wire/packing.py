"""Digests as packed messages and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labrig.model import Digest, Floats
from labrig.wire import rig_pb2
from labrig.wire.documents import WireError


def pack_digest(digest: Digest) -> rig_pb2.Digest:
    return rig_pb2.Digest(
        source=digest.source,
        channels=digest.channels,
        starts=digest.starts.tobytes(),
        ends=digest.ends.tobytes(),
        n=digest.n.tobytes(),
        mean=digest.mean.tobytes(),
        m2=digest.m2.tobytes(),
        low=digest.low.tobytes(),
        high=digest.high.tobytes(),
        last=digest.last.tobytes(),
        quality=digest.quality.tobytes(),
    )


def unpack_digest(message: rig_pb2.Digest) -> Digest:
    """Raises `WireError` where the arrays do not fit together."""
    starts = np.frombuffer(message.starts, np.int64)
    k, c = len(starts), len(message.channels)

    def table(packed: bytes, kind: type[np.generic]) -> NDArray[np.generic]:
        flat = np.frombuffer(packed, kind)
        if len(flat) != k * c:
            raise WireError(f"a digest of {k} bins and {c} channels holds {len(flat)} values")
        return flat.reshape(k, c)

    def floats(packed: bytes) -> Floats:
        return table(packed, np.float64).astype(np.float64)

    ends = np.frombuffer(message.ends, np.int64)
    if len(ends) != k:
        raise WireError(f"a digest with {k} starts and {len(ends)} ends")
    return Digest(
        message.source,
        tuple(message.channels),
        starts,
        ends,
        table(message.n, np.int64).astype(np.int64),
        floats(message.mean),
        floats(message.m2),
        floats(message.low),
        floats(message.high),
        floats(message.last),
        table(message.quality, np.uint8).astype(np.uint8),
    )
