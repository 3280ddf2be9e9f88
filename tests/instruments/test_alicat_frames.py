"""Alicat's tables and data frames as real devices of three generations wrote them; nothing else becomes a number."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.errors import InstrumentError
from labrig.model import Quality
from labrig_instruments.alicat_frames import (
    Column,
    parse_description,
    parse_frame,
    parse_nameplate,
    parse_requested,
    refused,
)

METER_10V = b"""A D00 ID_ NAME______________________ TYPE_______ WIDTH NOTES___________________
A D01 700 Unit ID                    string          1
A D02 002 Abs Press                  s decimal     7/3 010 02 PSIA
A D03 003 Flow Temp                  s decimal     7/2 002 02 `C
A D04 004 Volu Flow                  s decimal     7/3 007 02 LPM
A D05 005 Mass Flow                  s decimal     7/3 007 02 SLPM
A D06 703 Gas                        string          6
A D07 701 *Error                     string          3 ADC
A D08 702 *Status                    string          3 OPL
A D19 702 *Status                    string          3 LCK"""
CONTROLLER_8V = b"""B D00 ID_ NAME______________________ TYPE_______ WIDTH NOTES___________________
B D01 700 Unit ID                    string          1
B D02 002 Abs Press                  s decimal     7/2 010 02 PSIA
B D03 003 Flow Temp                  s decimal     7/2 002 02 `C
B D04 004 Volu Flow                  s decimal     7/2 007 02 LPM
B D05 005 Mass Flow                  s decimal     7/2 007 02 SLPM
B D06 037 Mass Flow Setpt            s decimal     7/2 007 02 SLPM
B D07 703 Gas                        string          6
B D08 701 *Error                     string          3 ADC"""
CONTROLLER_5V = b"""A  D00 NAME_______ TYPE_____ MinVal_  MaxVal_  UNITS__
A  D01 Unit ID     char         A         Z         na
A  D02 Pressure    signed    +000.00  +160.00     PSIA
A  D03 Temperature signed    -010.00  +050.00        C
A  D04 Volumetric  signed    +0000.0  +0500.0      CCM
A  D05 Mass        signed    +0000.0  +0500.0     SCCM
A  D06 SetPoint    signed    +0000.0  +0500.0     SCCM
A  D07 Gas         string        Air       D2       na
A  D08 Error       string         na      ADC       na
A  D09 Status      string         na      LCK       na"""
NAMEPLATE_5V = b"""A  M00 ALICAT SCIENTIFIC
A  M01 www.alicat.com
A  M02 Ph   520-290-6060
A  M03 Fax  520-290-0109
A  M04 Model Number  MC-500SCCM-D
A  M05 Serial Number 122161
A  M06 Date Manufactured 09/24/2015
A  M07 Date Calibrated   09/24/2015
A  M08 Calibrated By     PD
A  M09 Software Revision 5v12.0-R22"""


def columns(table: bytes) -> tuple[Column, ...]:
    return parse_description(table.splitlines())


def test_a_meter_is_read_as_it_describes_itself() -> None:
    frame = parse_frame(b"A +14.633 +022.97 -00.034 -00.034    Air", "A", columns(METER_10V))

    assert frame.values == {
        **{"absolute pressure": 14.633, "temperature": 22.97},
        **{"volumetric flow": -0.034, "mass flow": -0.034},
    }
    assert not frame.words


def test_a_controller_of_an_early_firmware_is_read_too() -> None:
    table = columns(CONTROLLER_5V)
    frame = parse_frame(b"A +014.52 +021.50 +0000.1 +0000.2 0116.3      N2", "A", table)

    assert frame.values["set-point"] == 116.3
    assert frame.values["mass flow"] == 0.2
    assert [column.unit.symbol for column in table if column.unit] == ["psi", "°C", "mL/min", "mL/min", "mL/min"]


def test_who_a_device_is_stands_in_its_nameplate() -> None:
    plate = parse_nameplate(NAMEPLATE_5V.splitlines())

    assert (plate.model, plate.serial_number, plate.software) == ("MC-500SCCM-D", "122161", "5v12.0-R22")
    with pytest.raises(InstrumentError, match="no Alicat device"):
        parse_nameplate([b"A +014.52", b"S S     100.00 g"])


@pytest.mark.parametrize(
    ("words", "statistic", "quality"),
    [
        (b"MOV", "mass flow", Quality.ABOVE),
        (b"MOV", "temperature", Quality.GOOD),
        (b"VOV", "volumetric flow", Quality.ABOVE),
        (b"POV", "absolute pressure", Quality.ABOVE),
        (b"TOV LCK", "temperature", Quality.ABOVE),
        (b"HLD", "set-point", Quality.UNSETTLED),
        (b"HLD", "mass flow", Quality.GOOD),
        (b"LCK", "mass flow", Quality.GOOD),
        (b"ADC", "mass flow", Quality.MISSING),
    ],
)
def test_the_devices_words_are_the_quality_of_what_they_are_about(
    words: bytes, statistic: str, quality: Quality
) -> None:
    frame = parse_frame(b"B +014.70 +025.00 +002.00 +001.90 +002.00 N2 " + words, "B", columns(CONTROLLER_8V))

    assert {name: frame.quality(name) for name in frame.values}[statistic] == quality  # type: ignore[index]


@pytest.mark.fault("DEV-07")
def test_a_byte_lost_from_a_frame_never_makes_another_number() -> None:
    table, whole = columns(CONTROLLER_8V), b"B +014.70 +025.00 +002.00 +001.90 +002.00 N2"
    right = parse_frame(whole, "B", table).values
    for place in range(len(whole)):
        with suppress(InstrumentError):
            assert parse_frame(whole[:place] + whole[place + 1 :], "B", table).values == right


@pytest.mark.parametrize(
    "reply",
    [
        b"A +014.70 +025.00 +002.00 +001.90 +002.00 N2",
        b"B +014.70 +025.00 +002.00 +001.90 +002.00",
        b"B +014.70 +025.00 +002.00 +001.9 +002.00 N2",
        b"B +014.70 +025.00 +002.00 +1001.90 +002.00 N2",
        b"B +014.70 +025.00 +002.00 +001.90 +002.00 N2 XYZ",
        b"B ?",
        b"",
    ],
)
def test_what_is_no_frame_of_this_device_is_refused(reply: bytes) -> None:
    with pytest.raises(InstrumentError):
        parse_frame(reply, "B", columns(CONTROLLER_8V))


@given(noise=st.binary(max_size=60))
def test_noise_is_an_error_and_nothing_else(noise: bytes) -> None:
    table = columns(CONTROLLER_8V)
    for read in (
        lambda: parse_frame(noise, "B", table),
        lambda: parse_requested(noise, "B"),
        lambda: parse_description([noise]),
        lambda: parse_nameplate([noise]),
    ):
        with suppress(InstrumentError):
            read()


@given(values=st.lists(st.floats(-99, 999), min_size=5, max_size=5))
def test_every_frame_is_read_back(values: list[float]) -> None:
    texts = [f"{value:+07.2f}" for value in values]
    frame = parse_frame(f"B {' '.join(texts)}    Air".encode(), "B", columns(CONTROLLER_8V))

    assert list(frame.values.values()) == [float(text) for text in texts]


def test_the_requested_set_point_of_a_ramp_is_the_second_number() -> None:
    assert parse_requested(b"A +078.95 +078.88 12 SCCM", "A") == 78.88
    assert refused(b"?")
    assert refused(b"A ?")
    assert not refused(b"A +078.95")
