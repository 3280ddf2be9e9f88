"""The simulated Alicat: numat's client understands it, our driver commands it, and the plant is what it reads."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig import plugins
from labrig.clock import monotonic
from labrig.errors import InstrumentError, LinkLost, RigError, WrongInstrument
from labrig.model import Quality
from labrig.quantities import FROM_FILE
from labrig.units import psi
from labrig_instruments.alicat import AlicatMeter
from labrig_instruments.alicat_controller import AlicatController
from labrig_instruments.simulated.alicat import Alicat
from labrig_instruments.simulated.control import Control
from labrig_instruments.simulated.live import LivePlant
from labrig_instruments.simulated.terminal import Terminal
from tests.simulated.clients import wait
from tests.simulated.conftest import KNOWN, Endpoints, simulated_rig
from tests.simulated.known import KnownPlant

CLIENT = Path(__file__).with_name("alicat_client.py")


@pytest.fixture(scope="module")
def rig() -> Iterator[Endpoints]:
    """Devices on sockets, because that is what numat's client takes besides names of real ports."""
    with simulated_rig([str(KNOWN)]) as endpoints:
        yield endpoints


@pytest.fixture
def control(rig: Endpoints) -> Iterator[Control]:
    with Control(rig.control) as port:
        yield port
        port.clear_faults()


def options(**changes: object) -> dict[str, object]:
    return {
        "timeout": "0.3 s",
        "channels": {
            "supply": {"reads": "gauge pressure", "unit": "psi", "range": ["0 psi", "100 psi"]},
            "gas": {"reads": "mass flow", "unit": "L/min", "range": ["0 L/min", "20 L/min"]},
            "wanted": {"reads": "set-point", "unit": "psi", "range": ["0 psi", "100 psi"]},
        },
        "setpoint_name": "target",
        "setpoint": {"unit": "psi", "range": ["0 psi", "80 psi"], "safe": "0 psi"},
        **changes,
    }


def made(driver: Callable[..., Any], port: str, **changes: object) -> Any:  # noqa: ANN401 - whichever driver it is
    model = plugins.options_of(driver).model_validate({"port": port} | options(**changes), context=FROM_FILE)
    return driver("pc", monotonic, **plugins.keywords(model))


@pytest.fixture
def controller(rig: Endpoints) -> Iterator[AlicatController]:
    driver = made(AlicatController, rig.serial["pressure_controller"])
    driver.open()
    yield driver
    driver.close()


def numat(rig: Endpoints, device: str, kind: str, unit: str) -> dict[str, Any]:
    address = rig.serial[device].removeprefix("socket://")
    command = [sys.executable, str(CLIENT), address, kind, unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_numats_client_controls_a_flow_with_it(rig: Endpoints) -> None:
    said = numat(rig, "flow_controller", "controller", "A")

    assert said["before"] == {
        **{"pressure": 0.0, "temperature": 23.0, "volumetric_flow": 0.0, "mass_flow": 0.0},
        **{"setpoint": 0.0, "gas": "N2", "control_point": "mass flow"},
    }
    assert said["flowing"]["setpoint"] == 5.0
    assert said["flowing"]["mass_flow"] == pytest.approx(5.0, rel=0.01)
    assert said["locked"] is True
    assert said["firmware"].startswith("A   10v20.0")
    assert said["pid"]["loop_type"] == "PD2I"


def test_numats_client_reads_a_meter_of_another_letter(rig: Endpoints) -> None:
    said = numat(rig, "gas_meter", "meter", "B")

    assert said["before"]["mass_flow"] == pytest.approx(2 * 298.15 / 273.15, abs=0.001)
    assert "setpoint" not in said["before"]


def test_its_driver_reads_what_the_plant_has_and_says_who_it_is(controller: AlicatController) -> None:
    assert controller.open() == "Alicat MC-20SLPM-D, serial number 225873"
    block = controller.read()

    assert block.values.tolist() == [[20.0, 0.0, 0.0]]
    assert not block.quality.any()


def test_a_set_point_arrives_at_the_plant_and_is_read_back(controller: AlicatController, control: Control) -> None:
    controller.set(33.25 * psi)

    assert controller.setpoint() == pytest.approx(33.25 * psi)
    assert controller.read().values[0, 2] == 33.25
    assert control.outputs()["pressure_controller/setpoint"] == pytest.approx(33.25 * psi)
    with pytest.raises(RigError, match=r"90\.00 psi lies outside its limits 0 psi to 80\.00 psi; nothing was sent"):
        controller.set(90 * psi)
    controller.make_safe()
    assert control.outputs()["pressure_controller/setpoint"] == 0.0


def face(**keys: Any) -> tuple[Alicat, KnownPlant]:  # noqa: ANN401 - whatever the face takes
    plant = KnownPlant()
    return Alicat(Terminal(LivePlant(plant), "pressure_controller"), **keys), plant


def test_a_held_valve_does_not_follow_until_the_hold_is_cancelled() -> None:
    device, plant = face()
    assert device.exchange(b"AS 10\r", 0.0).endswith(b"+010.00    N2\r")
    assert b"HLD" in device.exchange(b"AHP\r", 0.0)
    device.exchange(b"AS 20\r", 0.0)
    assert plant.readback("pressure_controller/setpoint") == pytest.approx(10 * psi)

    assert b"HLD" not in device.exchange(b"AC\r", 0.0)

    assert plant.readback("pressure_controller/setpoint") == pytest.approx(20 * psi)
    device.exchange(b"AHC\r", 0.0)
    assert plant.readback("pressure_controller/setpoint") == 0.0


def test_it_is_silent_to_other_letters_and_refuses_what_it_does_not_know() -> None:
    device, _ = face()

    assert device.exchange(b"B\rB??M*\r", 0.0) == b""
    assert device.exchange(b"AXQ\rAS 1e3\rAS 500\rAW122=99\rAP\r", 0.0) == b"?\r" * 5


@given(pieces=st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_disturb_it(pieces: list[bytes]) -> None:
    device, _ = face()
    for now, piece in enumerate(pieces):
        device.exchange(piece, float(now))

    assert device.exchange(b"\rA\r", 100.0).split(b"\r")[-2].startswith(b"A +")


def test_a_hold_at_the_device_is_an_error_that_the_safe_state_ends(
    rig: Endpoints, controller: AlicatController
) -> None:
    line = controller._opened()  # noqa: SLF001 - somebody at the device's keys
    line.ask(b"AHP")
    with pytest.raises(InstrumentError, match=r"took 10\.00 psi, but its valve is held \(HLD\) and does not follow"):
        controller.set(10 * psi)
    assert controller.read().quality[0].tolist() == [0, 0, int(Quality.UNSETTLED)]

    controller.make_safe()

    assert not controller.read().quality.any()
    controller.set(10 * psi)


def test_a_tare_is_refused_with_pressure_on_it_and_with_a_set_point(controller: AlicatController) -> None:
    with pytest.raises(InstrumentError, match=r"refused 'P' \(\?\)"):
        controller.tare("pressure")
    controller.tare("flow")
    controller.set(5 * psi)
    with pytest.raises(InstrumentError, match="bring its set-point to zero first"):
        controller.tare("flow")


@pytest.mark.fault("DEV-04")
def test_another_device_or_another_quantity_is_refused_before_anything_is_set(rig: Endpoints, control: Control) -> None:
    port = rig.serial["pressure_controller"]
    since = control.time()[1]
    with pytest.raises(WrongInstrument, match="serial number 1234, found 225873"):
        made(AlicatController, port, serial_number="1234").open()
    with pytest.raises(InstrumentError, match="controls a flow, its rig file a pressure"):
        made(AlicatController, rig.serial["flow_controller"]).open()
    with pytest.raises(InstrumentError, match="does not tell its set-point"):
        made(AlicatController, rig.serial["gas_meter"], unit_id="B").open()
    with pytest.raises(InstrumentError, match="did not answer"):
        made(AlicatController, port, unit_id="Z").open()

    assert control.commands(since) == []


@pytest.mark.fault("DEV-02")
@pytest.mark.fault("DEV-06")
@pytest.mark.fault("DEV-07")
@pytest.mark.fault("DEV-08")
def test_a_bad_line_never_becomes_a_number(control: Control, controller: AlicatController) -> None:
    place = {"address": "pressure_controller"}
    for fault in ("silence", "garbage", "partial"):
        control.set_fault(fault, **place)
        for _ in range(2):
            with pytest.raises(InstrumentError):
                controller.read()
        with pytest.raises(InstrumentError):
            controller.set(1 * psi)
        control.clear_fault(fault)
        assert controller.read().values[0, 0] == 20.0
    control.set_fault("late", delay="0.4 s", **place)
    with pytest.raises(InstrumentError, match="did not answer"):
        controller.set(7 * psi)
    control.clear_fault("late")
    wait(0.5)
    controller.set(3 * psi)
    assert controller.setpoint() == pytest.approx(3 * psi)
    control.set_fault("silence", **place)
    with pytest.raises(InstrumentError):
        controller.read()
    control.clear_fault("silence")
    control.set_fault("wrong identity", serial_number="999999", **place)
    with pytest.raises(WrongInstrument, match="found 999999"):
        controller.set(5 * psi)


@pytest.mark.fault("DEV-02")
def test_unplugged_it_is_lost(control: Control, controller: AlicatController) -> None:
    control.set_fault("unplugged", address="pressure_controller")
    with pytest.raises(LinkLost):
        controller.read()
    control.clear_fault("unplugged")
    controller.open()

    assert controller.read().values[0, 0] == 20.0


def test_beyond_its_range_the_reading_says_so(control: Control, rig: Endpoints) -> None:
    driver: AlicatMeter = made_meter(rig)
    control.set_fault("overload", address="gas_meter")
    try:
        driver.open()
        block = driver.read()
    finally:
        driver.close()

    assert block.values[0, 0] == pytest.approx(1.28 * 20)
    assert int(block.quality[0, 0]) & Quality.ABOVE


def made_meter(rig: Endpoints) -> AlicatMeter:
    channels = {"gas": {"reads": "mass flow", "unit": "L/min", "range": ["0 L/min", "20 L/min"]}}
    table = {"port": rig.serial["gas_meter"], "unit_id": "B", "channels": channels}
    model = plugins.options_of(AlicatMeter).model_validate(table, context=FROM_FILE)
    return AlicatMeter("meter", monotonic, **plugins.keywords(model))
