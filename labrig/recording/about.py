"""The tables of a run file that are for people: what it is, how to read it, and the channels beside the JSON."""

from __future__ import annotations

from labrig.model import Channel, RunHeader
from labrig.recording import codec
from labrig.recording.schema import Cell

_HOW = """\
One run of a laboratory test rig, recorded by labrig. Everything can be read with SQLite alone.
header.json: everything known before the first sample. channel: what was measured, one row a channel; raw values become
SI values by coefficients: c0 + c1*raw + c2*raw^2 + ...; SI = shown * unit_factor + unit_offset.
block: n successive samples of one source; first: the index of its first sample, counted from when the rig began to
sample (a run begins at any index), so that a jump shows lost samples. Sample k was taken at start_ns + k*step_ns; where
times is not empty, at its k-th value (64-bit signed integers, little-endian). All times are nanoseconds of a monotonic
clock; table clock ties it to UTC.
samples: one row for each channel of a block, ids from block.samples on, in the order of source.channels. raw: n 64-bit
IEEE floats, little-endian, as the device delivered them. quality: empty when all n are good, else n bytes of bits:
1 missing, 2 below and 4 above the calibrated range, 8 open current loop, 16 unsettled, 32 samples were lost before.
event: what happened, as JSON. end: how the run ended; no row there means that the recording was cut off.
crc: CRC-32 of the row. end.sha256: hash of all rows except end and analysis. analysis: results, by version.
view overview: the blocks with names, seconds from the start, lowest and highest raw value."""


def about(header: RunHeader) -> dict[str, str]:
    """The rows of table ``about``; the header's most wanted facts stand there once more."""
    return {
        "format": "labrig run file, version 1",
        "how to read": _HOW,
        "run": header.run_id,
        "started": header.started_utc,
        "protocol": header.protocol,
        "method": header.method,
        "coupon": header.coupon.id,
        "operator": header.operator,
        "rig": header.rig,
        "simulated": "yes" if header.simulated else "no",
    }


def channel_cells(number: int, channel: Channel) -> tuple[Cell, ...]:
    """The columns of a row of ``channel``."""
    return (
        *(number, channel.name, channel.label, channel.unit.symbol, channel.unit.factor, channel.unit.offset),
        *(channel.raw_unit, codec.dumps(list(channel.calibration.coefficients))),
        *(channel.low, channel.high, channel.resolution, channel.address),
    )
