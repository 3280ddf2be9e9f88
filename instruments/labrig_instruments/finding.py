"""Finds devices: NI-DAQmx is asked what it knows, serial ports are listed, and where it is wanted asked who is there.

Asking is reading: only drivers whose ``open`` sends nothing but questions are tried. A question is still a few letters
on the line, and there are machines that move at a letter: a tensile stand at ``d``. So unknown ports are asked on
request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from labrig import plugins
from labrig.clock import monotonic
from labrig.discovery import Found, Search
from labrig.errors import InstrumentError
from labrig.quantities import FROM_FILE
from labrig_instruments.ni import explained, nidaqmx_options

_PATIENCE: Final = "1 s"
_LONGEST: Final = 40
"""Characters of a name that is made of a port's."""
_INPUTS: Final = {
    "V": ('unit = "V"', 'range = ["-10 V", "10 V"]'),
    "A": ('unit = "mA"', 'range = ["3.6 mA", "21 mA"]'),
    "V/V": ('unit = "mV/V"', 'range = ["-2 mV/V", "2 mV/V"]'),
}


def find_serial(search: Search) -> Iterator[Found]:
    """Every serial port, and who answers there."""
    from serial.tools import list_ports

    known = {port.device: str(port.description) for port in list_ports.comports()}
    for where in sorted({*known, *search.ports}):
        described = known.get(where, "")
        if user := search.taken(where):
            yield Found(where, user, "in use")
        elif not search.ask:
            yield Found(where, described, "not asked")
        else:
            yield _asked(where, described)


def _asked(where: str, described: str) -> Found:
    name = f"serial_{_name(where)}"
    for kind, keys in _trials(name).items():
        table = {"port": where, **keys}
        driver = plugins.load(plugins.INSTRUMENTS, kind)
        options = plugins.options_of(driver).model_validate({**table, "timeout": _PATIENCE}, context=FROM_FILE)
        device = driver("found", monotonic, **plugins.keywords(options))
        try:
            return Found(where, device.open(), "found", kind, _toml(name, kind, table))
        except InstrumentError as error:
            if "in use" in str(error):
                return Found(where, str(error), "in use")
            if "cannot be opened" in str(error) or "may not be opened" in str(error):
                return Found(where, str(error), "failed")
        finally:
            device.close()
    return Found(where, described, "silent")


def _trials(name: str) -> Mapping[str, dict[str, Any]]:
    """Tables of drivers that only ask when they are opened, without their port; ``name`` is the instrument's."""
    weight = {"channel_name": f"{name}_weight", "channel": {"unit": "g", "range": ["0 g", "6000 g"]}}
    reading = {f"{name}_reading": {"unit": "V", "range": ["-10 V", "10 V"]}}
    meter = {
        "identity": {"ask": "*IDN?", "reply": "[ -~]*,[ -~]*"},
        "queries": [{"ask": "READ?", "reply": rf"(?P<{name}_reading>\S+)"}],
        "channels": reading,
    }
    return {**dict.fromkeys(("mt-sics", "sartorius-sbi", "ohaus"), weight), "ascii": meter}


def find_ni(search: Search) -> Iterator[Found]:
    """Every NI device that NI-DAQmx knows, with a table of its inputs; outputs are left to people, as comments."""
    from nidaqmx import errors
    from nidaqmx.system import System

    with nidaqmx_options(search.server) as options:
        try:
            system = System.local() if options is None else System.remote(options)
            for device in system.devices:
                yield _ni_device(device, search.server)
        except errors.DaqNotFoundError:
            return  # a computer without NI-DAQmx has no NI devices
        except errors.Error as error:
            yield Found(search.server or "NI-DAQmx", str(explained("NI-DAQmx", None, error)), "failed")


def _ni_device(device: Any, server: str | None) -> Found:  # noqa: ANN401 - nidaqmx ships no types
    name, number = str(device.name), int(device.serial_num)
    identity = f"{device.product_type}, serial number {number:08X}{' (simulated)' if device.is_simulated else ''}"
    shared = [f'device = "{name}"', f'serial_number = "{number:08X}"', *([f'server = "{server}"'] if server else [])]
    inputs = [channel.name.partition("/")[2] for channel in device.ai_physical_chans]
    counters = [channel.name.partition("/")[2] for channel in device.ci_physical_chans]
    lines: list[str] = []
    key, kind = _name(name), ""
    if inputs:
        kind, quantity = "ni-analog-input", _INPUTS[_measures(device)]
        lines += [f"[instruments.{key}]", 'kind = "ni-analog-input"', *shared, ""]
        for terminal in inputs:
            lines += [f"[instruments.{key}.channels.{key}_{terminal}]", f'input = "{terminal}"', *quantity, ""]
    if counters:
        kind = kind or "ni-counter-input"
        lines += [f"[instruments.{key}_counters]", 'kind = "ni-counter-input"', *shared, ""]
        for terminal in (each.lstrip("_") for each in counters):
            head = f"[instruments.{key}_counters.channels.{key}_{terminal}]"
            lines += [head, f'counter = "{terminal}"', 'unit = "Hz"', 'range = ["0 Hz", "10 kHz"]', ""]
    outputs = [channel.name for channel in (*device.do_lines, *device.ao_physical_chans)]
    if outputs:
        kind = kind or ("ni-digital-output" if device.do_lines else "ni-analog-output")
        lines += [f"# {name} has outputs: {', '.join(outputs)}.", "# State the safe state of each that is wired.", ""]
    return Found(name, identity, "found", kind, "\n".join(lines))


def _measures(device: Any) -> str:  # noqa: ANN401 - nidaqmx ships no types
    """Raw unit of a device's inputs: of a voltage where it takes several."""
    from nidaqmx.errors import DaqError

    for unit, property_ in (("V", "ai_voltage_rngs"), ("A", "ai_current_rngs"), ("V/V", "ai_bridge_rngs")):
        try:
            if getattr(device, property_):
                return unit
        except DaqError:  # a device need not know ranges of what it does not measure
            continue
    return "V"


def _toml(name: str, kind: str, table: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict) or key == "identity"}
    lines = [f"[instruments.{name}]", f'kind = "{kind}"', *(f"{key} = {_value(value)}" for key, value in plain.items())]
    for key in (key for key in table if key not in plain):
        inner = table[key]
        tables = inner.items() if all(isinstance(each, dict) for each in inner.values()) else [("", inner)]
        for sub, values in tables:
            head = ".".join(part for part in ("instruments", name, key, sub) if part)
            lines += ["", f"[{head}]", *(f"{k} = {_value(v)}" for k, v in values.items())]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case str() if "\\" in value:
            return f"'{value}'"
        case _:
            return f'"{value}"'


def _name(where: str) -> str:
    """A name of a rig file for an address."""
    return re.sub(r"[^a-z0-9]+", "_", where.casefold()).strip("_")[-_LONGEST:]
