"""Valves and set-points, driven through NI's own nidaqmx package against the simulated NI server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from nidaqmx._stubs import nidaqmx_pb2 as pb
from pydantic import TypeAdapter, ValidationError

from labrig.errors import InstrumentError, LinkLost, RigError, WrongInstrument
from labrig.plugins import options_of
from labrig.quantities import FROM_FILE
from labrig.units import psi
from labrig_instruments.ni_analog_output import AnalogOutput, NiAnalogOutput
from labrig_instruments.ni_digital_output import DigitalLine, NiDigitalOutput
from labrig_instruments.simulated.control import Control
from tests.instruments.ni_proxy import NiProxy
from tests.simulated.conftest import Endpoints

LINES = {
    "feed": DigitalLine(line="port0/line0", opens="energised", safe="closed"),
    "vent": DigitalLine(line="port0/line1", opens="de-energised", safe="open"),
    "drain": DigitalLine(line="port0/line2", opens="energised", safe="open"),
}
SAFE = {"line0": 0.0, "line1": 0.0, "line2": 1.0}
SCALE = {"output": "ao0", "unit": "psi", "signal": ("0 V", "10 V"), "value": ("0 psi", "100 psi")}
Make = Callable[..., NiDigitalOutput]


@pytest.fixture
def valves(proxy: NiProxy) -> Iterator[Make]:
    """Makes drivers of three valves behind the proxy, closed after the test."""
    made: list[NiDigitalOutput] = []

    def make(device: str = "cDAQ1Mod3", serial_number: str | None = None) -> NiDigitalOutput:
        made.append(
            NiDigitalOutput(
                "valves", lambda: 0, device=device, server=proxy.address, serial_number=serial_number, lines=LINES
            )
        )
        return made[-1]

    yield make
    for driver in made:
        driver.close()


@pytest.fixture
def regulator(proxy: NiProxy) -> Iterator[NiAnalogOutput]:
    """A pressure regulator behind the proxy, safe at 5 psi, not opened yet."""
    options = AnalogOutput.model_validate(SCALE | {"range": ("0 psi", "80 psi"), "safe": "5 psi"})
    driver = NiAnalogOutput(
        "regulator", lambda: 0, device="cDAQ1Mod4", server=proxy.address, outputs={"pressure": options}
    )
    yield driver
    driver.close()


@pytest.fixture
def commanded(known_process: Endpoints) -> Iterator[Callable[[], dict[str, float]]]:
    """What the plant says that its outputs were told, by the end of the terminal's name."""
    with Control(known_process.control) as control:
        yield lambda: {address.rpartition("/")[2]: raw for address, raw in control.outputs().items()}


def lines_told(proxy: NiProxy) -> list[tuple[str, bool]]:
    """Every write to a line so far: which line, and whether energised."""
    lines = [pb.CreateDOChanRequest.FromString(request) for request in proxy.requests("CreateDOChan")]
    line_of = {request.task.name: request.lines.rpartition("/")[2] for request in lines}
    writes = [pb.WriteDigitalLinesRequest.FromString(request) for request in proxy.requests("WriteDigitalLines")]
    return [(line_of[write.task.name], write.write_array == b"\x01") for write in writes]


def test_opening_writes_the_safe_state_first_and_nothing_else(valves: Make, proxy: NiProxy) -> None:
    driver = valves()

    identity = driver.open()

    assert identity.startswith("NI 9472, serial number ")
    assert lines_told(proxy) == [("line0", False), ("line1", False), ("line2", True)]


def test_every_line_is_claimed_before_one_is_touched(valves: Make, proxy: NiProxy) -> None:
    valves().open()

    names = [name for name, _ in proxy.calls]

    last_claim = max(index for index, name in enumerate(names) if name == "TaskControl")
    assert last_claim < names.index("WriteDigitalLines")


@pytest.mark.fault("DEV-04")
def test_nothing_is_written_to_another_device(valves: Make, proxy: NiProxy) -> None:
    with pytest.raises(WrongInstrument, match="cDAQ1Mod3: expected the NI 9472 with serial number 0BADF00D, found "):
        valves(serial_number="0badf00d").open()

    assert not proxy.requests("CreateTask")
    assert not proxy.requests("WriteDigitalLines")


@pytest.mark.parametrize(("name", "line", "energised"), [("feed", "line0", 1.0), ("vent", "line1", 0.0)])
def test_a_valve_opens_and_closes_by_its_own_coil(
    valves: Make, commanded: Callable[[], dict[str, float]], name: str, line: str, energised: float
) -> None:
    driver = valves()
    driver.open()
    valve = driver.output(name)

    valve.open()
    assert valve.is_open()
    assert commanded()[line] == energised
    valve.close()
    assert not valve.is_open()
    assert commanded()[line] == 1 - energised


def test_safe_is_safe_whatever_was_before(valves: Make, commanded: Callable[[], dict[str, float]]) -> None:
    driver = valves()
    driver.open()
    driver.output("feed").open()
    driver.output("vent").close()
    driver.output("drain").close()

    driver.make_safe()

    assert {line: raw for line, raw in commanded().items() if line in SAFE} == SAFE


def test_letting_go_leaves_the_lines_as_they_are(valves: Make, commanded: Callable[[], dict[str, float]]) -> None:
    driver = valves()
    driver.open()
    driver.output("feed").open()

    driver.close()

    assert commanded()["line0"] == 1


@pytest.mark.fault("DEV-09")
def test_a_line_that_refuses_keeps_no_other_from_its_safe_state(
    valves: Make, proxy: NiProxy, commanded: Callable[[], dict[str, float]]
) -> None:
    driver = valves()
    driver.open()
    driver.output("feed").open()
    driver.output("vent").close()
    driver.output("drain").close()
    proxy.faults["WriteDigitalLines"] = proxy.refuse(-200587, times=1)  # the first line's

    with pytest.raises(
        InstrumentError, match=r"valves \(cDAQ1Mod3\): NI-DAQmx refused: refused by the test \(-200587\)"
    ):
        driver.make_safe()

    assert {line: raw for line, raw in commanded().items() if line in SAFE} == SAFE | {"line0": 1.0}


@pytest.mark.fault("DEV-09")
def test_a_line_that_does_not_follow_is_told(valves: Make, proxy: NiProxy) -> None:
    driver = valves()
    driver.open()
    stuck = pb.ReadDigitalLinesResponse(read_array=b"\x00", samps_per_chan_read=1, num_bytes_per_samp=1)
    proxy.faults["ReadDigitalLines"] = lambda request, forward: stuck.SerializeToString()

    with pytest.raises(InstrumentError, match=r"feed \(cDAQ1Mod3/port0/line0\) was told to open and reads back closed"):
        driver.output("feed").open()


@pytest.mark.fault("DEV-05")
def test_a_line_that_another_program_drives_is_refused_and_none_moves(
    valves: Make, proxy: NiProxy, commanded: Callable[[], dict[str, float]]
) -> None:
    first = valves()
    first.open()
    first.output("feed").open()
    before = len(proxy.requests("WriteDigitalLines"))

    with pytest.raises(InstrumentError, match="is in use by another program or instrument"):
        valves().open()

    assert len(proxy.requests("WriteDigitalLines")) == before
    assert commanded()["line0"] == 1


def test_a_valve_that_moves_is_two_calls(valves: Make, proxy: NiProxy) -> None:
    """The client's own write would take five."""
    driver = valves()
    driver.open()
    before = len(proxy.calls)

    driver.output("feed").open()

    assert [name for name, _ in proxy.calls[before:]] == ["WriteDigitalLines", "ReadDigitalLines"]


@pytest.mark.fault("DEV-12")
def test_a_server_that_is_gone_is_a_lost_link(valves: Make, proxy: NiProxy) -> None:
    driver = valves()
    driver.open()
    proxy.close()

    with pytest.raises(LinkLost, match="does not answer"):
        driver.output("feed").close()
    with pytest.raises(LinkLost, match="does not answer"):
        driver.make_safe()


def test_an_unknown_output_is_refused(valves: Make, regulator: NiAnalogOutput) -> None:
    with pytest.raises(RigError, match="valves has no output 'fed'; it has feed, vent, drain"):
        valves().output("fed")
    with pytest.raises(RigError, match="regulator has no output 'feed'; it has pressure"):
        regulator.output("feed")


def test_a_regulator_starts_at_its_safe_set_point(
    regulator: NiAnalogOutput, commanded: Callable[[], dict[str, float]], proxy: NiProxy
) -> None:
    regulator.open()

    writes = [pb.WriteAnalogScalarF64Request.FromString(r).value for r in proxy.requests("WriteAnalogScalarF64")]
    assert writes == pytest.approx([0.5])
    assert commanded()["ao0"] == pytest.approx(0.5)
    assert regulator.output("pressure").setpoint() == pytest.approx(5 * psi)


@pytest.mark.parametrize("target", [0.0, 12.34 * psi, 80 * psi])
def test_a_set_point_becomes_its_voltage(
    regulator: NiAnalogOutput, commanded: Callable[[], dict[str, float]], target: float
) -> None:
    regulator.open()

    regulator.output("pressure").set(target)

    assert commanded()["ao0"] == pytest.approx(target / (10 * psi))
    assert regulator.output("pressure").setpoint() == target


@pytest.mark.parametrize("target", [-0.01 * psi, 80.01 * psi, float("nan"), float("inf")])
def test_a_set_point_outside_the_limits_is_not_sent(regulator: NiAnalogOutput, proxy: NiProxy, target: float) -> None:
    regulator.open()
    before = len(proxy.calls)

    with pytest.raises(RigError, match=r"pressure: .* lies outside its limits 0 psi to 80\.00 psi; nothing was sent"):
        regulator.output("pressure").set(target)

    assert len(proxy.calls) == before
    assert regulator.output("pressure").setpoint() == pytest.approx(5 * psi)


@pytest.mark.fault("DEV-09")
def test_after_a_refused_command_the_set_point_is_not_known(regulator: NiAnalogOutput, proxy: NiProxy) -> None:
    regulator.open()
    proxy.faults["WriteAnalogScalarF64"] = proxy.refuse(-200587)
    with pytest.raises(InstrumentError, match="refused by the test"):
        regulator.output("pressure").set(10 * psi)

    with pytest.raises(InstrumentError, match=r"pressure \(cDAQ1Mod4/ao0\): the set-point is not known"):
        regulator.output("pressure").setpoint()


@pytest.mark.parametrize(
    ("driver", "change", "words"),
    [
        (NiDigitalOutput, {"lines": {}}, "at least 1 item"),
        (NiDigitalOutput, {"lines": {"feed": {"line": "line0", "safe": "closed"}}}, "a terminal such as 'port0/line0'"),
        (NiDigitalOutput, {"lines": {"feed": {"line": "port0/line0"}}}, "Field required"),
        (
            NiDigitalOutput,
            {"lines": {name: {"line": "port0/line0", "safe": "closed"} for name in ("a", "b")}},
            "another line for each, not port0/line0 twice",
        ),
        (NiAnalogOutput, {"outputs": {"p": SCALE | {"safe": "101 psi"}}}, "a safe set-point within the range"),
        (NiAnalogOutput, {"outputs": {"p": SCALE | {"safe": "0 psi", "output": "ai0"}}}, "a terminal such as 'ao0'"),
        (
            NiAnalogOutput,
            {"outputs": {n: SCALE | {"safe": "0 psi"} for n in ("a", "b")}},
            "another output for each, not ao0 twice",
        ),
    ],
)
def test_a_wrong_rig_file_is_refused_in_words(
    driver: Callable[..., object], change: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(options_of(driver)).validate_python({"device": "Dev1"} | change, context=FROM_FILE)

    assert words in str(refused.value)
