"""What every driver owes, whatever it drives. A new driver joins by a line in `CASES`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from labrig import plugins
from labrig.clock import monotonic
from labrig.conformance import CHECKS, Check, NotConforming, Subject, check_all
from labrig.errors import InstrumentError
from labrig.model import Channel
from labrig.roles import Device
from labrig_instruments.asked import AnsweringLine, AskedSource
from labrig_instruments.line import LineSettings
from tests.core.some import PRESSURE as SOME

if TYPE_CHECKING:
    from tests.simulated.conftest import Endpoints

PRESSURE = {"unit": "psi", "signal": ["0 V", "10 V"], "value": ["0 psi", "100 psi"]}
WEIGHT = {"channel_name": "permeate", "channel": {"unit": "g", "range": ["0 g", "6200 g"]}}
BAR = ["0 bar", "10 bar"]
SUPPLY = {
    **{"unit": "V", "range": ["0 V", "5 V"], "safe": "0 V"},
    **{"tell": "VOLT {value:.3f}", "ask": "VOLT?", "reply": r"(?P<value>\S+)"},
}
RELAY = {
    **{"safe": "closed", "open": "ON", "close": "OFF", "answer": "OK"},
    **{"ask": "RELAY?", "is_open": "1", "is_closed": "0"},
}
CASES: Mapping[str, Callable[[Any], dict[str, object]]] = {
    "ni-analog-input": lambda rig: {
        "server": rig.ni,
        "device": "cDAQ1Mod6",
        "channels": {"feed": PRESSURE | {"input": "ai0"}, "cell": PRESSURE | {"input": "ai1"}},
    },
    "ni-digital-output": lambda rig: {
        "server": rig.ni,
        "device": "cDAQ1Mod3",
        "lines": {
            "feed": {"line": "port0/line0", "safe": "closed"},
            "vent": {"line": "port0/line1", "safe": "open", "opens": "de-energised"},
        },
    },
    "ni-analog-output": lambda rig: {
        "server": rig.ni,
        "device": "cDAQ1Mod4",
        "outputs": {"pressure": PRESSURE | {"output": "ao0", "safe": "0 psi"}},
    },
    "ni-watchdog": lambda rig: {
        "server": rig.ni,
        "device": "cDAQ1",
        "lines": {"cDAQ1Mod3/port0/line0": "low"},
    },
    "mt-sics": lambda rig: {"port": rig.serial["balance"]} | WEIGHT,
    "sartorius-sbi": lambda rig: {"port": rig.serial["sartorius"]} | WEIGHT,
    "ohaus": lambda rig: {"port": rig.serial["ohaus"]} | WEIGHT,
    "alicat-controller": lambda rig: {
        "port": rig.serial["pressure_controller"],
        "channels": {"supply": {"reads": "gauge pressure", "unit": "psi", "range": ["0 psi", "100 psi"]}},
        "setpoint_name": "target",
        "setpoint": {"unit": "psi", "range": ["0 psi", "80 psi"], "safe": "0 psi"},
    },
    "bronkhorst-controller": lambda rig: {
        "port": rig.serial["mass_flow"],
        "channels": {"gas": {"reads": "measure", "unit": "L/min", "range": ["0 L/min", "10 L/min"]}},
        "setpoint_name": "target",
        "setpoint": {"unit": "L/min", "range": ["0 L/min", "8 L/min"], "safe": "0 L/min"},
    },
    "bronkhorst-meter": lambda rig: {
        "port": rig.serial["normal_flow"],
        "node": 3,
        "channels": {
            "gas": {"reads": "measure", "unit": "mL/min", "range": ["0 mL/min", "10 L/min"]},
            "warmth": {"reads": "temperature", "unit": "°C", "range": ["0 °C", "50 °C"]},
        },
    },
    "sensirion-scc1": lambda rig: {
        "port": rig.serial["flow_meter"],
        "channels": {
            "flow": {"reads": "flow", "unit": "mL/min", "range": ["-600 mL/min", "600 mL/min"]},
            "warmth": {"reads": "temperature", "unit": "°C", "range": ["0 °C", "50 °C"]},
        },
    },
    "alicat-meter": lambda rig: {
        "port": rig.serial["gas_meter"],
        "unit_id": "B",
        "channels": {
            "gas": {"reads": "mass flow", "unit": "mL/min", "range": ["0 mL/min", "20 L/min"]},
            "warmth": {"reads": "temperature", "unit": "°C", "range": ["0 °C", "50 °C"]},
        },
    },
    "ni-counter-input": lambda rig: {
        "server": rig.ni,
        "device": "cDAQ1Mod8",
        "slowest": "20 Hz",
        "channels": {"flow": PRESSURE | {"counter": "ctr0", "signal": ["0 Hz", "1 kHz"]}},
    },
    "modbus-rtu": lambda rig: {
        "port": rig.serial["bus"],
        "baud": 115200,
        "timeout": "2 s",
        "channels": {
            "feed": {"slave": 1, "register": 2, "type": "float32", "unit": "psi", "reads": "bar", "range": BAR}
        },
        "coils": {
            "valve": {"slave": 17, "coil": 0, "safe": "closed"},
            "vent": {"slave": 17, "coil": 1, "safe": "open", "opens": "de-energised", "function": 15},
        },
    },
    "ascii": lambda rig: {
        "port": rig.serial["gauge"],
        "baud": 115200,
        "timeout": "2 s",
        "identity": {"ask": "*IDN?", "reply": "ACME,1"},
        "queries": [{"ask": "?", "reply": r"(?P<force>\S+) N"}],
        "channels": {"force": {"unit": "N", "range": ["-50 N", "50 N"]}},
        "setpoints": {"heater": SUPPLY},
        "valves": {"relay": RELAY},
    },
}
"""The rig-file table of each installed instrument, for the simulated rig."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", sorted(CASES))
def test_a_driver_does_what_the_core_relies_on(kind: str, check: Check, known_process: Endpoints) -> None:
    check(Subject(plugins.load(plugins.INSTRUMENTS, kind), CASES[kind](known_process), name=kind))


def test_every_driver_is_held_to_this() -> None:
    assert set(CASES) == set(plugins.names(plugins.INSTRUMENTS))


class Thing(AskedSource):
    """A driver as it should be, for others to depart from."""

    def __init__(self, name: str, now: Any, connect: Any, *, port: str) -> None:  # noqa: ANN401 - the least of a driver
        super().__init__(name, now, connect, LineSettings(port), 0.1, (replace(SOME, address=port),))

    def identify(self, line: Any) -> str:  # noqa: ANN401
        return str(line.ask(b"who").decode())

    def ask(self, line: Any) -> tuple[float, ...]:  # noqa: ANN401
        return (float(line.ask(b"value")),)


def on_trial(driver: type[Device]) -> Subject:
    return Subject(driver, {"port": "COM1"}, lambda _: AnsweringLine({b"who": b"a thing", b"value": b"1.5"}))


def test_a_driver_as_it_should_be_passes_every_check() -> None:
    check_all(on_trial(Thing))


class Anonymous(Thing):
    def identify(self, line: object) -> str:
        return ""


class Forgetful(Thing):
    """Begins to count anew when it is opened."""

    def open(self) -> str:
        self._index = 0
        return super().open()


class Loud(Thing):
    """Raises what nobody expects when it is not open."""

    def read(self) -> Any:  # noqa: ANN401
        if self._line is None:
            raise RuntimeError("no line")
        return super().read()


class Late(Thing):
    """Connects when it is made."""

    channels: tuple[Channel, ...] = ()

    def __init__(self, name: str, now: Any, connect: Any, *, port: str) -> None:  # noqa: ANN401
        super().__init__(name, now, connect, port=port)
        self.channels = ()


class Liar(Thing):
    """Stamps its samples with a clock of its own."""

    def __init__(self, name: str, now: Any, connect: Any, *, port: str) -> None:  # noqa: ANN401
        super().__init__(name, lambda: monotonic() + 10**12, connect, port=port)


@pytest.mark.parametrize(
    ("driver", "words"),
    [
        (Anonymous, "open() returns who it is"),
        (Forgetful, "is followed by a higher one after a restart"),
        (Loud, "says so with an InstrumentError; it raised RuntimeError: no line"),
        (Late, "it has a channel or an output"),
        (Liar, "times lie in the clock that it was given"),
    ],
)
def test_a_driver_that_departs_from_it_is_told_how(driver: type[Device], words: str) -> None:
    with pytest.raises(NotConforming) as found:
        check_all(on_trial(driver))

    assert words in str(found.value)


def test_a_lost_line_must_be_an_instrument_error() -> None:
    def cut(device: Device) -> None:
        assert isinstance(device, Thing)
        assert device._line is not None  # noqa: SLF001 - the line of this test's own driver
        device._line.ask = lost  # type: ignore[method-assign]  # noqa: SLF001

    def lost(request: bytes, *, timeout: float | None = None) -> bytes:
        raise OSError("gone")

    subject = Subject(Thing, {"port": "COM1"}, on_trial(Thing).connect, cut=cut)
    with pytest.raises(
        NotConforming, match="a line that is gone is an InstrumentError, and nothing else; it raised OSE"
    ):
        check_all(subject)


def test_a_table_that_does_not_fit_is_told_as_in_a_rig_file() -> None:
    with pytest.raises((InstrumentError, ValueError)):
        check_all(Subject(Thing, {"baud": 9600}))


def test_loading_a_driver_loads_no_vendors_package() -> None:
    """A rig file is checked on computers that have none of them, and the package starts fast."""
    script = (
        "import sys; from labrig import plugins;"
        "[plugins.options_of(plugins.load(plugins.INSTRUMENTS, k)) for k in plugins.names(plugins.INSTRUMENTS)];"
        "print(*sorted({'nidaqmx', 'serial', 'grpc', 'google', 'propar', 'sensirion_shdlc_driver'} & set(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == ""
