"""A device that a rig file describes in words is asked, read, told and checked as it says."""

from __future__ import annotations

import tomllib
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labrig import plugins
from labrig.errors import InstrumentError, RigError, WrongInstrument
from labrig.model import Quality
from labrig.quantities import FROM_FILE
from labrig.roles import Regulator, Valve
from labrig_instruments.ascii_device import AsciiDevice
from labrig_instruments.ascii_options import Query, values_of
from labrig_instruments.line import ScriptedLine, Silence
from labrig_instruments.number import parse_number

METER = """
port = "COM5"
terminator = "\\n"
identity = { ask = "*IDN?", reply = "KEYSIGHT.*,MY1,.*" }
settings = [{ ask = "VOLT:RANG?", reply = '\\+?1\\.0+E\\+01', tell = "VOLT:RANG 10" }]
queries = [{ ask = "READ?", reply = '(?P<level>\\S+)' }]
channels.level = { unit = "psi", reads = "V", signal = ["0 V", "10 V"], value = ["0 psi", "100 psi"] }
"""
SUPPLY = """
port = "COM6"

[setpoints.heater]
unit = "mV"
takes = "V"
range = ["0 mV", "5000 mV"]
safe = "0 V"
tell = "VOLT {value:.3f}"
ask = "VOLT?"
reply = '(?P<value>\\S+)'
tolerance = "1 mV"

[valves.bypass]
safe = "closed"
open = "OUT 1"
close = "OUT 0"
answer = "OK"
ask = "OUT?"
is_open = "1"
is_closed = "0"
"""
NAME = (b"*IDN?", b"KEYSIGHT,34970A,MY1,1.0")
RANGED = (b"VOLT:RANG?", b"+1.0000E+01")
SAFE = ((b"VOLT 0.000", None), (b"VOLT?", b"0.000"), (b"OUT 0", b"OK"), (b"OUT?", b"0"))
Talk = tuple[bytes, bytes | InstrumentError | None]


def described(table: str, *talk: Talk, **changes: Any) -> tuple[AsciiDevice, ScriptedLine]:  # noqa: ANN401 - as in a file
    """The device of that table on a scripted line; a second passes at every look at the clock."""
    options = plugins.options_of(AsciiDevice).model_validate(tomllib.loads(table) | changes, context=FROM_FILE)
    line, ticks = ScriptedLine(talk), count(0, 1_000_000_000)
    return AsciiDevice("device", lambda: next(ticks), lambda _: line, **plugins.keywords(options)), line


def opened(table: str, *talk: Talk) -> tuple[AsciiDevice, ScriptedLine]:
    beginning: tuple[Talk, ...] = (NAME, RANGED) if table is METER else SAFE
    device, line = described(table, *beginning, *talk)
    device.open()
    return device, line


def heater(device: AsciiDevice) -> Regulator:
    verbs = device.output("heater")
    assert isinstance(verbs, Regulator)
    return verbs


def bypass(device: AsciiDevice) -> Valve:
    verbs = device.output("bypass")
    assert isinstance(verbs, Valve)
    return verbs


def test_a_number_becomes_a_sample_in_the_middle_of_question_and_answer() -> None:
    device, line = opened(METER, (b"READ?", b"+2.5000000E+00"))

    block = device.read()

    assert block.values.tolist() == [[2.5]]
    assert block.times.tolist() == [500_000_000]
    assert block.channels == ("level",)
    assert (device.channels[0].raw_unit, device.channels[0].address) == ("V", "COM5/level")
    assert line.finished()


def test_several_groups_of_one_reply_are_several_channels() -> None:
    table = """
    port = "COM1"
    queries = [{ ask = "A", reply = 'A (?P<p>\\S+) (?P<t>\\S+) Air' }]
    channels.p = { unit = "psi", range = ["0 psi", "100 psi"] }
    channels.t = { unit = "°C", range = ["0 °C", "50 °C"] }
    """
    device, _ = described(table, (b"A", b"A +014.70 +025.00 Air"))
    device.open()

    assert device.read().values.tolist() == [[14.7, 25.0]]


@pytest.mark.parametrize("reply", [b"+9.90000000E+37", b"9.91E37", b"-9.9E+37"])
def test_what_scpi_says_for_no_number_is_a_missing_value(reply: bytes) -> None:
    device, _ = opened(METER, (b"READ?", reply))

    block = device.read()

    assert np.isnan(block.values).all()
    assert block.quality.tolist() == [[int(Quality.MISSING)]]


def test_a_group_without_a_match_is_a_missing_value() -> None:
    query = Query(ask="?", reply=r"(?P<force>[-.\d]+) N|OVER")

    assert values_of(query, "OVER", "gauge") == {"force": None}
    assert values_of(query, "-4.285 N", "gauge") == {"force": -4.285}


@pytest.mark.fault("DEV-04")
def test_another_device_is_refused_before_anything_is_set() -> None:
    device, line = described(METER, (b"*IDN?", b"KEYSIGHT,34970A,MY2,1.0"))

    with pytest.raises(WrongInstrument, match=r"another device than the rig file describes.*MY2"):
        device.open()

    assert line.closed


def test_a_setting_that_is_not_so_is_set_and_asked_for_again() -> None:
    device, line = described(
        METER, NAME, (b"VOLT:RANG?", b"+1.0000E+00"), (b"VOLT:RANG 10", None), RANGED, (b"READ?", b"1")
    )

    assert device.open() == "KEYSIGHT,34970A,MY1,1.0 on COM5"
    assert device.read().values.tolist() == [[1.0]]
    assert line.finished()


def test_a_setting_that_stays_as_it_is_is_an_error() -> None:
    unset = (b"VOLT:RANG?", b"+1.0000E+00")
    device, line = described(METER, NAME, unset, (b"VOLT:RANG 10", None), unset)

    with pytest.raises(InstrumentError, match="was told 'VOLT:RANG 10', and does not say that it is so"):
        device.open()

    assert line.closed


@pytest.mark.fault("DEV-10")
def test_a_device_that_was_off_meanwhile_has_its_settings_checked_and_one_reading_left_out() -> None:
    silent = Silence("COM5: the device did not answer")
    forgotten = ((b"VOLT:RANG?", b"+1.0E+00"), (b"VOLT:RANG 10", None), RANGED)
    device, line = opened(METER, (b"READ?", silent), (b"", silent), NAME, *forgotten, (b"READ?", b"3.0"))
    with pytest.raises(Silence):
        device.read()

    with pytest.raises(InstrumentError, match="switched off and on meanwhile, and had forgotten 'VOLT:RANG 10'"):
        device.read()

    assert device.read().values.tolist() == [[3.0]]
    assert line.finished()


@pytest.mark.fault("DEV-10")
def test_a_set_point_that_a_device_forgot_is_told_and_not_set_again() -> None:
    silent = Silence("quiet")
    device, line = opened(
        SUPPLY,
        *((b"VOLT 2.000", None), (b"VOLT?", b"2.000")),
        *((b"VOLT?", silent), (b"", silent), (b"VOLT?", b"0.000")),
    )
    heater(device).set(2.0)
    with pytest.raises(Silence):
        device.read()

    with pytest.raises(InstrumentError, match="heater was told 2000 mV and tells 0 mV"):
        device.read()

    assert line.finished()


@pytest.mark.fault("DEV-08")
def test_a_late_reply_is_not_taken_for_the_next_one() -> None:
    silent = Silence("quiet")
    device, _ = opened(METER, (b"READ?", silent), (b"", b"1.0"), (b"", silent), NAME, RANGED, (b"READ?", b"2.0"))
    with pytest.raises(Silence):
        device.read()

    assert device.read().values.tolist() == [[2.0]]


@pytest.mark.fault("DEV-06")
@pytest.mark.parametrize("reply", [b"\xff\xfe", b"", b"1.0 V", b"inf", b"0x10", b"1_0"])
def test_a_reply_that_is_not_as_described_is_an_error(reply: bytes) -> None:
    device, _ = opened(METER, (b"READ?", reply))

    with pytest.raises(InstrumentError):
        device.read()


def test_outputs_are_told_in_the_devices_unit_and_asked_back() -> None:
    device, line = opened(SUPPLY, (b"VOLT 1.500", None), (b"VOLT?", b"1.5000"), (b"OUT 1", b"OK"), (b"OUT?", b"1"))

    heater(device).set(1.5)
    bypass(device).open()

    assert line.finished()


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (((b"OUT 1", b"OK"), (b"OUT?", b"0")), "bypass was told to be open and is closed"),
        (((b"OUT 1", b"ERR"),), "it answered 'ERR', which is not as 'OK'"),
        (((b"OUT 1", b"OK"), (b"OUT?", b"?")), "it answered '\\?', which is not as '0'"),
    ],
)
def test_a_valve_that_does_not_follow_is_an_error(talk: tuple[Talk, ...], words: str) -> None:
    device, _ = opened(SUPPLY, *talk)

    with pytest.raises(InstrumentError, match=words):
        bypass(device).open()


def test_a_set_point_outside_its_range_is_refused_unsent() -> None:
    device, _ = opened(SUPPLY)

    with pytest.raises(RigError, match="heater: 6000 mV lies outside its limits 0 mV to 5000 mV; nothing was sent"):
        heater(device).set(6.0)


@pytest.mark.parametrize(
    ("table", "changes", "words"),
    [
        (METER, {"queries": []}, "a channel for each named group of a reply, and the reverse, not level"),
        (METER, {"queries": [{"ask": "?", "reply": "(?P<a>"}]}, "a regular expression; '\\(\\?P<a>' is none"),
        (METER, {"terminator": "é"}, "text of ASCII characters"),
        (METER, {"queries": [{"ask": "?", "reply": "(?P<level>.)"}] * 2}, "each channel in one reply only, not level"),
        (METER, {"queries": [], "channels": {}}, "a channel, a set-point or a valve at least"),
    ],
)
def test_a_description_that_does_not_fit_together_is_refused_in_words(
    table: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises((ValidationError, InstrumentError), match=words):
        described(table, **changes)


@pytest.mark.parametrize(
    "tell", ["VOLT", "V {value} {value}", "V {value!r}", "V {value.real}", "V {value:>1000000}", "V {0}"]
)
def test_a_command_that_could_say_anything_but_its_number_is_refused(tell: str) -> None:
    table = tomllib.loads(SUPPLY)["setpoints"]
    table["heater"]["tell"] = tell

    with pytest.raises(ValidationError, match=r"a command with|a format of the number"):
        described(SUPPLY, setpoints=table)


@given(st.floats(-1e30, 1e30, allow_nan=False), st.sampled_from(["{:+.6E}", "{:.3f}", "{:g}", " {:+010.4f}"]))
def test_whatever_a_device_prints_is_read_as_that_number(value: float, form: str) -> None:
    text = form.format(value)

    assert parse_number(text) == float(text)


@given(st.text(max_size=30))
def test_no_text_is_read_as_another_number_than_python_reads(text: str) -> None:
    try:
        value = parse_number(text)
    except InstrumentError:
        return

    assert value == float(text.replace(" ", "").strip()) or np.isnan(value)


@given(st.binary(max_size=40))
def test_noise_on_the_line_is_an_error_or_a_number_and_nothing_else(noise: bytes) -> None:
    device, _ = opened(METER, (b"READ?", noise))
    try:
        block = device.read()
    except InstrumentError:
        return

    assert block.values.shape == (1, 1)


@given(st.text(alphabet="(?P<level>)[]+*.\\d|{}", max_size=20))
def test_no_pattern_fails_in_another_way_than_by_refusal(pattern: str) -> None:
    try:
        device, _ = described(METER, NAME, RANGED, (b"READ?", b"1.0"), queries=[{"ask": "READ?", "reply": pattern}])
        device.open()
        device.read()
    except (ValidationError, InstrumentError):
        return
