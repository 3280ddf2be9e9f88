"""What every driver owes, whatever it drives. A new driver joins by a line in `CASES`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import ValidationError

from labrig import plugins
from labrig.clock import monotonic
from labrig.errors import InstrumentError, RigError
from labrig.quantities import FROM_FILE
from labrig.roles import Actuator, Device, Regulator, Source, Valve, Watchdog

if TYPE_CHECKING:
    from tests.simulated.conftest import Endpoints

PRESSURE = {"unit": "psi", "signal": ["0 V", "10 V"], "value": ["0 psi", "100 psi"]}
WEIGHT = {"channel_name": "permeate", "channel": {"unit": "g", "range": ["0 g", "6200 g"]}}
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
    "alicat-meter": lambda rig: {
        "port": rig.serial["gas_meter"],
        "unit_id": "B",
        "channels": {
            "gas": {"reads": "mass flow", "unit": "mL/min", "range": ["0 mL/min", "20 L/min"]},
            "warmth": {"reads": "temperature", "unit": "°C", "range": ["0 °C", "50 °C"]},
        },
    },
}
"""The rig-file table of each installed instrument, for the simulated rig."""


def built(kind: str, table: Mapping[str, object]) -> Device:
    """The driver as the core builds it from a rig file."""
    driver = plugins.load(plugins.INSTRUMENTS, kind)
    options = plugins.options_of(driver).model_validate(table, context=FROM_FILE)
    device = driver(kind, monotonic, **plugins.keywords(options))
    assert isinstance(device, Device)
    return device


@pytest.fixture(params=sorted(CASES))
def device(request: pytest.FixtureRequest, known_process: Endpoints) -> Iterator[Device]:
    """Each driver in turn, not opened yet."""
    driver = built(request.param, CASES[request.param](known_process))
    yield driver
    driver.close()


def test_every_driver_is_held_to_this() -> None:
    assert set(CASES) == set(plugins.names(plugins.INSTRUMENTS))


def test_a_driver_is_a_source_an_actuator_or_a_watchdog(device: Device) -> None:
    assert isinstance(device, Source | Actuator | Watchdog)


@pytest.mark.parametrize("kind", sorted(CASES))
def test_a_key_that_it_does_not_know_is_refused(kind: str, known_process: Endpoints) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        built(kind, CASES[kind](known_process) | {"colour": "red"})


@pytest.mark.parametrize("kind", sorted(CASES))
def test_its_table_has_a_schema(kind: str) -> None:
    schema = plugins.options_of(plugins.load(plugins.INSTRUMENTS, kind)).model_json_schema()

    assert schema["additionalProperties"] is False
    assert schema["required"]


def test_what_it_measures_and_drives_is_known_before_it_is_opened(device: Device) -> None:
    if isinstance(device, Source):
        assert device.channels
        assert all(channel.name and channel.raw_unit and channel.address for channel in device.channels)
        assert device.period == 0 or device.rate == pytest.approx(1 / device.period)
    if isinstance(device, Actuator):
        assert device.outputs
        assert all(output.low <= output.safe <= output.high for output in device.outputs)


def test_it_says_who_it_is_and_closes_twice(device: Device) -> None:
    identity = device.open()
    device.close()
    device.close()

    assert "serial number" in identity
    assert device.open() == identity


def test_it_opens_again_without_being_closed(device: Device) -> None:
    device.open()
    device.open()


def test_unopened_or_closed_it_says_so(device: Device) -> None:
    for _ in range(2):
        if isinstance(device, Source):
            for verb in (device.start, device.read):
                with pytest.raises(InstrumentError, match="is not connected"):
                    verb()
            device.stop()
        if isinstance(device, Actuator):
            with pytest.raises(InstrumentError, match="is not connected"):
                device.make_safe()
        if isinstance(device, Watchdog):
            with pytest.raises(InstrumentError, match="is not connected"):
                device.pet()
        device.open()
        device.close()


def test_a_read_gives_as_many_values_as_channels(device: Device) -> None:
    if not isinstance(device, Source):
        return
    device.open()
    device.start()
    began = monotonic()

    blocks = [device.read() for _ in range(5)]

    names = tuple(channel.name for channel in device.channels)
    assert all(block.channels == names and block.source == device.name for block in blocks)
    assert all(block.values.shape == (len(block.times), len(names)) for block in blocks)
    assert all(block.values.dtype == np.float64 and block.times.dtype == np.int64 for block in blocks)
    assert [block.first for block in blocks] == np.cumsum([0] + [len(block) for block in blocks[:-1]]).tolist()
    times = np.concatenate([block.times for block in blocks])
    assert (np.diff(times) > 0).all()
    assert abs(int(times[0]) - began) < 1e9
    assert times[-1] <= monotonic()
    device.stop()
    device.stop()


def test_a_valve_opens_and_closes_twice_without_harm(device: Device) -> None:
    if not isinstance(device, Actuator):
        return
    device.open()
    for output in device.outputs:
        verbs = device.output(output.name)
        if isinstance(verbs, Valve):
            for _ in range(2):
                verbs.open()
                assert verbs.is_open()
            for _ in range(2):
                verbs.close()
                assert not verbs.is_open()


def test_a_regulator_holds_what_it_is_told_and_refuses_what_it_may_not(device: Device) -> None:
    if not isinstance(device, Actuator):
        return
    device.open()
    for output in device.outputs:
        verbs = device.output(output.name)
        if isinstance(verbs, Regulator):
            middle = (verbs.low + verbs.high) / 2
            for _ in range(2):
                verbs.set(middle)
                assert verbs.setpoint() == pytest.approx(middle)
            with pytest.raises(RigError):
                verbs.set(verbs.high + 1)
            assert verbs.setpoint() == pytest.approx(middle)


def test_made_safe_it_is_safe(device: Device) -> None:
    if not isinstance(device, Actuator):
        return
    device.open()
    for _ in range(2):
        device.make_safe()
        for output in device.outputs:
            verbs = device.output(output.name)
            state = float(verbs.is_open()) if isinstance(verbs, Valve) else verbs.setpoint()
            assert state == pytest.approx(output.safe)


def test_an_unknown_output_is_refused(device: Device) -> None:
    if isinstance(device, Actuator):
        with pytest.raises(RigError, match="has no output 'nothing'"):
            device.output("nothing")


def test_loading_a_driver_loads_no_vendors_package() -> None:
    """A rig file is checked on computers that have none of them, and the package starts fast."""
    script = (
        "import sys; from labrig import plugins;"
        "[plugins.options_of(plugins.load(plugins.INSTRUMENTS, k)) for k in plugins.names(plugins.INSTRUMENTS)];"
        "print(*sorted({'nidaqmx', 'serial', 'grpc', 'google'} & set(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == ""
