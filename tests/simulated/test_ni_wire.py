"""The hand-packed answer says what NI's generated message says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nidaqmx._stubs.nidaqmx_pb2 import ReadAnalogF64Response

from labrig_instruments.simulated.ni.errors import DriverError
from labrig_instruments.simulated.ni.wire import analog_answer


@given(
    shape=st.tuples(st.integers(1, 4), st.integers(0, 40)),
    spare=st.integers(0, 5),
    by_channel=st.booleans(),
    status=st.sampled_from([0, -200284, 5]),
    data=st.data(),
)
def test_the_packed_answer_parses_to_the_same_message(
    shape: tuple[int, int], spare: int, by_channel: bool, status: int, data: st.DataObject
) -> None:
    numbers = data.draw(
        st.lists(st.floats(allow_nan=False), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    )
    values = np.array(numbers).reshape(shape)

    packed = analog_answer(values, by_channel=by_channel, array_size=values.size + spare, status=status)

    ordered = [value for row in (values if by_channel else values.T) for value in row]
    assert ReadAnalogF64Response.FromString(packed) == ReadAnalogF64Response(
        status=status, read_array=[*ordered, *[0.0] * spare], samps_per_chan_read=shape[1]
    )


def test_samples_that_do_not_fit_the_clients_array_are_refused() -> None:
    with pytest.raises(DriverError, match="-200229"):
        analog_answer(np.zeros((2, 3)), by_channel=True, array_size=5, status=0)
