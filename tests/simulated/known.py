"""A stand-in for the plant that delivers numbers a test can work out, served as the real one is.

Run as a program it serves itself until its standard input closes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from labrig.model import Floats
from labrig.plant import AddressKind, Weighing
from labrig.units import L_per_min, mL_per_min, psi
from labrig_instruments.simulated.ports import Kind
from labrig_instruments.simulated.server import serve_plant

RAMP = 1000
"""Samples after which a terminal's ramp begins anew."""
CLOCK = "ai31"
"""The voltage terminals of this number deliver the plant time of the sample, modulo `WRAP` seconds, as volts."""
WRAP = 10.0
FORGETS = 120.0
"""Seconds after which the plant no longer knows what a converter saw."""
ADDRESSES: Mapping[str, AddressKind] = MappingProxyType(
    {
        **{f"cDAQ1Mod{slot}/ai0": "analog voltage" for slot in (1, 5, 6, 7)},
        **{"cDAQ1Mod2/ai0": "analog current"},
        **{f"cDAQ1Mod3/port0/line{line}": "digital output" for line in range(3)},
        **{"cDAQ1Mod4/ao0": "analog output"},
        **dict.fromkeys(("balance", "sartorius", "ohaus"), "balance"),
        **dict.fromkeys(
            ("pressure_controller/pressure", "gas_meter/flow", "flow_meter/flow", "normal_flow/flow"), "reading"
        ),
        **{"pressure_controller/setpoint": "set-point"},
        **{"cDAQ1Mod8/ctr0": "frequency", "cDAQ1Mod9/ai0": "bridge"},
        **{"bus/1/input/2": "reading", "bus/17/coil/0": "set-point", "gauge/force": "reading"},
    }
)
PULSES = 100.0
"""Hz at the first counter; none come to the others."""
BRIDGE = 1e-3
"""V/V."""
DEVICES: Mapping[str, Mapping[str, object]] = {
    "sartorius": {"kind": "sartorius-sbi"},
    "ohaus": {"kind": "ohaus"},
    "pressure_controller": {"kind": "alicat"},
    "flow_controller": {"kind": "alicat", "controls": "mass flow"},
    "flow_meter": {"kind": "sensirion-scc1"},
    "mass_flow": {"kind": "bronkhorst"},
    "normal_flow": {"kind": "bronkhorst", "kind_of": "meter"},
    "gas_meter": {"kind": "alicat", "kind_of": "meter", "unit_id": "B"},
    "bus": {
        "kind": "modbus-rtu",
        "baud": 115200,
        "registers": [{"slave": 1, "at": 2, "type": "float32", "unit": "bar"}],
        "coils": [{"slave": 17, "coil": 0}, {"slave": 17, "coil": 1}],
    },
    "scpi": {"kind": "ascii", "answers": [{"ask": r"\*IDN\?", "say": "KEYSIGHT TECHNOLOGIES,34970A,MY1,1.0"}]},
    "gauge": {
        "kind": "ascii",
        "baud": 115200,
        "numbers": {"force": "N"},
        "memory": {"volts": 0.0, "relay": 0.0},
        "answers": [
            {"ask": r"\*IDN\?", "say": "ACME,{serial}"},
            {"ask": r"\?", "say": "{force:.3f} N"},
            {"ask": r"VOLT (?P<volts>\S+)"},
            {"ask": r"VOLT\?", "say": "{volts:.3f}"},
            {"ask": "ON", "say": "OK", "put": {"relay": 1.0}},
            {"ask": "OFF", "say": "OK", "put": {"relay": 0.0}},
            {"ask": r"RELAY\?", "say": "{relay:.0f}"},
        ],
    },
}


def known(address: str, index: Floats) -> Floats:
    """What a terminal delivers for these sample indices: its number as an offset, and a ramp of `RAMP` samples."""
    if "ctr" in address or "Mod9" in address:
        shown = {"cDAQ1Mod8/ctr0": PULSES, "cDAQ1Mod9/ai0": BRIDGE}.get(address, 0.0)
        return np.full(len(index), shown)
    number = int(re.findall(r"\d+", address)[-1])
    ramp = (index % RAMP) * 1e-6
    return 0.004 + number * 1e-3 + ramp if "Mod2" in address else number * 0.1 + ramp


READINGS: Mapping[str, float] = {
    **{"pressure_controller/pressure": 20 * psi, "gas_meter/flow": 2 * L_per_min},
    **{"bus/1/input/2": 125_000.0, "gauge/force": 4.285},
    **{"flow_meter/flow": 125 * mL_per_min, "normal_flow/flow": 4 * L_per_min},
}
"""Of digital instruments, SI."""


class KnownPlant:
    """Time passes, outputs are remembered, nothing else happens."""

    def __init__(self) -> None:
        self.time = 0.0
        self.addresses = ADDRESSES
        self.weighing = Weighing(grams=123.45, settled=True, load="in range")
        self._outputs: dict[str, float] = {}

    def advance(self, until: float) -> None:
        self.time = max(self.time, until)

    def command(self, address: str, raw: float) -> None:
        self._outputs[address] = raw

    def readback(self, address: str) -> float:
        return self._outputs.get(address, 0.0)

    def acquire(self, address: str, first: int, n: int, rate: float, start: float) -> Floats:
        index = np.arange(first, first + n, dtype=np.float64)
        if n and not self.time - FORGETS <= start + first / rate <= start + index[-1] / rate <= self.time:
            raise ValueError(f"{address}: samples {first} to {first + n - 1} do not lie in the last {FORGETS:g} s")
        return (start + index / rate) % WRAP if address.endswith(CLOCK) else known(address, index)

    def measure(self, address: str, at: float) -> float:
        return READINGS[address]

    def weigh(self, address: str, at: float) -> Weighing:
        return self.weighing

    def truth(self) -> dict[str, float]:
        return {"time": self.time, "answer": 42.0}

    def true_permeance(self, start: float, end: float) -> float:
        if not 0 <= start < end <= self.time:
            raise ValueError("start and end in order, within the run")
        return 1e-9 * (end - start)

    def empty_beaker(self) -> None:
        self.weighing = Weighing(grams=0.0, settled=True, load="in range")

    def refill_vessel(self) -> None:
        self.weighing = Weighing(grams=50.0, settled=False, load="in range")


if __name__ == "__main__":
    kind: Kind = "pty" if "pty" in sys.argv else "socket"
    sys.exit(serve_plant(KnownPlant(), follow=sys.stdin.buffer, serial=kind, devices=DEVICES))
