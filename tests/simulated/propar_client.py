"""Bronkhorst's own package as a client, in a process of its own: its threads never end.

``python propar_client.py URL binary|digits`` prints what it read and did as one line of JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import propar
import serial


def opened(port: str, baud: int, **options: object) -> Any:  # noqa: ANN401 - pyserial ships no types
    return serial.serial_for_url(port, baud, **options)


def main(url: str, form: str) -> None:
    instrument = propar.instrument(url, address=3, serial_class=opened)
    if form == "digits":
        instrument.master.propar.mode = propar.PP_MODE_ASCII
    instrument.master.response_timeout = 10.0
    told = {
        "serial number": instrument.readParameter(92),
        "capacity": instrument.readParameter(21),
        "unit": instrument.readParameter(129),
        "took": instrument.writeParameter(206, 2.5),
        "set-point": instrument.readParameter(206),
        "steps": instrument.setpoint,
        "read-only": instrument.writeParameter(21, 1.0),
    }
    threading.Event().wait(2.5)
    several = instrument.read_parameters([instrument.db.get_parameter(number) for number in (205, 142, 8)])
    told["several"] = [each["data"] for each in several]
    told["zero"] = instrument.writeParameter(9, 0)
    print(json.dumps(told))  # noqa: T201 - for whoever started it


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
