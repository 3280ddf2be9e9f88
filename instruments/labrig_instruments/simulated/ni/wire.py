"""The message that carries the bulk, packed by hand: filling a protobuf array from numpy costs five times as much."""

from __future__ import annotations

import numpy as np

from labrig.model import Floats
from labrig_instruments.simulated.ni.errors import Code, DriverError

STATUS, READ_ARRAY, SAMPS_PER_CHAN_READ = 0x08, 0x12, 0x18
"""Keys of the fields of ``ReadAnalogF64Response``: number times eight, plus the wire type."""


def analog_answer(values: Floats, *, by_channel: bool, array_size: int, status: int) -> bytes:
    """A ``ReadAnalogF64Response`` ready for the wire.

    ``values`` has shape (c, n). The array always has ``array_size`` numbers, as from NI's server: the samples squashed
    together at its beginning whether or not they are as many as asked for (nidaqmx-python issue 528), zeros after
    them. -200229 where they do not fit.
    """
    if values.size > array_size:
        raise DriverError(Code.READ_BUFFER_TOO_SMALL, read=0)
    ordered = values if by_channel else values.T
    data = np.ascontiguousarray(ordered, dtype="<f8").tobytes() + bytes(8 * (array_size - values.size))
    parts = []
    if status:
        parts += [bytes([STATUS]), _varint(status & 0xFFFF_FFFF_FFFF_FFFF)]
    if data:
        parts += [bytes([READ_ARRAY]), _varint(len(data)), data]
    if values.shape[1]:
        parts += [bytes([SAMPS_PER_CHAN_READ]), _varint(values.shape[1])]
    return b"".join(parts)


def _varint(number: int) -> bytes:
    result = bytearray()
    while number >= 0x80:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    result.append(number)
    return bytes(result)
