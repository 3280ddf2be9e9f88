"""What a rig file may say about analog inputs, and how their currents are judged."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from labrig.model import Quality
from labrig.plugins import options_of
from labrig.quantities import FROM_FILE
from labrig_instruments.ni_analog_input import NiAnalogInput, judged
from labrig_instruments.ni_analog_options import AnalogInput
from tests.instruments.analog_inputs import (
    LOOP,
    MODULE,
    TENTH_OF_A_PSI,
)


@pytest.mark.fault("SIG-02")
@pytest.mark.fault("SIG-03")
@pytest.mark.parametrize(
    ("milliamperes", "quality"),
    [
        (0.0, Quality.OPEN_LOOP),
        (3.59, Quality.OPEN_LOOP),
        (3.9, Quality.BELOW),
        (4.1, Quality.GOOD),
        (12.0, Quality.GOOD),
        (19.9, Quality.GOOD),
        (20.5, Quality.ABOVE),
        (21.1, Quality.OPEN_LOOP),
        (22.0, Quality.OPEN_LOOP),
        (float("nan"), Quality.MISSING),
    ],
)
def test_a_loop_is_judged_by_its_current(milliamperes: float, quality: Quality) -> None:
    channel = AnalogInput.model_validate(LOOP | {"input": "ai0"}).as_channel("p", "Mod2/ai0", loop=True)

    (flags,) = judged(np.array([[milliamperes * 1e-3]]), [channel], after_gap=False)

    assert Quality(int(flags[0])) == quality


@pytest.mark.parametrize(
    ("table", "loop"),
    [
        (LOOP, True),
        (LOOP | {"signal": ("0 mA", "20 mA")}, False),
        (LOOP | {"signal": ("20 mA", "4 mA")}, True),
        (LOOP | {"live_zero": False}, False),
        (TENTH_OF_A_PSI, False),
    ],
)
def test_which_channel_is_a_loop(table: dict[str, object], loop: bool) -> None:
    assert AnalogInput.model_validate(table | {"input": "ai0"}).is_loop() is loop


OPTIONS = {"device": MODULE, "rate": "100 Hz", "channels": {"feed": TENTH_OF_A_PSI | {"input": "ai0"}}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"server": "192.168.0.7:31763"},
            "a server on this computer, such as '127.0.0.1:31763', not '192.168.0.7:31763'",
        ),
        ({"rate": "0.1 Hz"}, "a rate of at least 1 Hz, not 0.1 Hz"),
        ({"rate": 100}, "a frequency with its unit"),
        ({"block": "60 ms"}, "a block of 50 ms at most, not 60 ms"),
        ({"serial_number": "one"}, "a serial number as printed on the device"),
        ({"channels": {"Feed": TENTH_OF_A_PSI | {"input": "ai0"}}}, "a name of small letters"),
        ({"channels": {"feed": TENTH_OF_A_PSI | {"input": "Dev1/ai0"}}}, "a terminal such as 'ai0', not 'Dev1/ai0'"),
        ({"channels": {"feed": TENTH_OF_A_PSI | {"input": "ai0", "live_zero": True}}}, "live_zero for a current only"),
        ({"channels": {"feed": TENTH_OF_A_PSI | {"input": "ai0", "input_range": ("0 V", "1 A")}}}, "input_range as"),
        (
            {"channels": {n: TENTH_OF_A_PSI | {"input": "ai0"} for n in ("a", "b")}},
            "another input for each, not ai0 twice",
        ),
    ],
)
def test_a_wrong_rig_file_is_refused_in_words(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(options_of(NiAnalogInput)).validate_python(OPTIONS | change, context=FROM_FILE)

    assert words in str(refused.value)
