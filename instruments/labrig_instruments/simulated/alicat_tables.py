"""The tables by which an Alicat device tells who it is and what its data frames hold, as a real one writes them."""

from __future__ import annotations

from typing import Final

_STATUSES: Final = ("OPL", "POV", "P2O", "TOV", "VOV", "MOV", "TMF", "OVR", "COM", "HLD", "EXH", "GTA", "LCK")
_HEADING: Final = "D00 ID_ NAME______________________ TYPE_______ WIDTH NOTES___________________"


def introduced(unit_id: str, model: str, serial_number: str) -> bytes:
    """The answer to ``??M*``."""
    texts = (
        *("ALICAT SCIENTIFIC", "www.alicat.com", "Ph   520-290-6060", "info@alicat.com"),
        *(f"Model Number {model}", f"Serial Number {serial_number}"),
        *("Date Manufactured 03/02/2025", "Date Calibrated   03/02/2025", "Calibrated By     BL"),
        "Software Revision 10v20.0-R24",
    )
    return b"".join(f"{unit_id}  M{number:02d} {text}\r".encode() for number, text in enumerate(texts))


def described(unit_id: str, controls: str) -> bytes:
    """The answer to ``??D*`` of a controller of that quantity, or of a meter where it is empty."""
    setpoints = {
        "mass flow": ("037", "Mass Flow Setpt", "007 02 SLPM"),
        "gauge pressure": ("038", "Gauge Press Setpt", "010 02 PSIG"),
    }
    rows = [
        ("700", "Unit ID", "string", "    1", ""),
        ("006", "Gauge Press", "s decimal", "7/2", "010 02 PSIG"),
        ("003", "Flow Temp", "s decimal", "7/2", "002 02 `C"),
        ("004", "Volu Flow", "s decimal", "7/3", "007 02 LPM"),
        ("005", "Mass Flow", "s decimal", "7/3", "007 02 SLPM"),
    ]
    if controls:
        code, name, unit = setpoints[controls]
        rows.append((code, name, "s decimal", "7/2", unit))
    rows += [("703", "Gas", "string", "    6", ""), ("701", "*Error", "string", "    3", "ADC")]
    rows += [("702", "*Status", "string", "    3", word) for word in _STATUSES]
    lines = [
        _HEADING,
        *(
            f"D{n:02d} {code} {name:<27}{kind:<11}{width:>6} {note}".rstrip()
            for n, (code, name, kind, width, note) in enumerate(rows, 1)
        ),
    ]
    return b"".join(f"{unit_id} {line}\r".encode() for line in lines)
