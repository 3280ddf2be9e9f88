"""The devices that a rig's addresses imply: which product sits in which slot, and what it has."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from nidaqmx.constants import BusType, ProductCategory

from labrig.errors import ConfigError
from labrig.plant import AddressKind
from labrig_instruments.simulated.ni.errors import Code, DriverError


@dataclass(frozen=True, slots=True)
class Product:
    """A device type, after its data sheet."""

    name: str
    category: ProductCategory
    bus: BusType
    inputs: int = 0
    measures: AddressKind = "analog voltage"
    input_ranges: tuple[float, ...] = ()
    """Ends of the symmetric input ranges, V or A, rising."""
    headroom: float = 1.0
    """How far a range really reaches, as a multiple of its end."""
    rate: float = 0.0
    """Samples a second of all input channels together."""
    outputs: int = 0
    output_range: float = 10.0
    lines: int = 0
    """Digital output lines of port 0."""
    counters: int = 0
    rates: tuple[float, ...] = ()
    """The only rates that it can make, rising; empty for any below ``rate``."""
    watchdog: float = 0.0
    """Longest time-out of the watchdog timer, s; 0 where there is none."""


CHASSIS: Final = Product("cDAQ-9189", ProductCategory.COMPACT_DAQ_CHASSIS, BusType.TCPIP, watchdog=(2**32 - 1) * 25e-9)
_MODULE: Final = (ProductCategory.C_SERIES_MODULE, BusType.COMPACT_DAQ)
MODULES: Final[Mapping[AddressKind, Product]] = {
    "analog voltage": Product(
        *("NI 9205", *_MODULE), inputs=32, input_ranges=(0.2, 1.0, 5.0, 10.0), headroom=1.04, rate=250e3
    ),
    "analog current": Product(
        *("NI 9203", *_MODULE), inputs=8, measures="analog current", input_ranges=(0.02,), headroom=1.075, rate=200e3
    ),
    "bridge": Product(
        *("NI 9237", *_MODULE),
        inputs=4,
        measures="bridge",
        input_ranges=(25e-3,),
        rate=4 * 50e3,
        rates=tuple(50e3 / n for n in range(31, 0, -1)),
    ),
    "frequency": Product(*("NI 9401", *_MODULE), counters=4),
    "digital output": Product(*("NI 9472", *_MODULE), lines=8),
    "analog output": Product(*("NI 9263", *_MODULE), outputs=4),
}
CARD: Final = Product(
    *("USB-6341", ProductCategory.X_SERIES_DAQ, BusType.USB),
    inputs=16,
    input_ranges=(0.2, 1.0, 5.0, 10.0),
    headroom=1.04,
    rate=500e3,
    outputs=2,
    lines=8,
    counters=4,
    watchdog=(2**32 - 1) * 8e-9,
)
"""What a device is whose name is not a module's, such as ``Dev1``."""
SERIAL: Final[frozenset[AddressKind]] = frozenset({"balance", "reading", "set-point"})
"""Not NI's."""
CARD_KINDS: Final[frozenset[AddressKind]] = frozenset(
    {"analog voltage", "analog output", "digital output", "frequency"}
)


@dataclass(frozen=True, slots=True)
class Device:
    """One device in the system."""

    name: str
    product: Product
    chassis: str = ""
    slot: int = 0

    @property
    def serial(self) -> int:
        """The same for the same name, never 0."""
        return zlib.crc32(self.name.encode()) | 1

    def inputs(self) -> tuple[str, ...]:
        return tuple(f"{self.name}/ai{k}" for k in range(self.product.inputs))

    def outputs(self) -> tuple[str, ...]:
        return tuple(f"{self.name}/ao{k}" for k in range(self.product.outputs))

    def lines(self) -> tuple[str, ...]:
        return tuple(f"{self.name}/port0/line{k}" for k in range(self.product.lines))

    def counters(self) -> tuple[str, ...]:
        return tuple(f"{self.name}/ctr{k}" for k in range(self.product.counters))

    def ports(self) -> tuple[str, ...]:
        return (f"{self.name}/port0",) if self.product.lines else ()


class Inventory:
    """All devices, in the order in which the driver lists them."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._devices = {device.name.casefold(): device for device in devices}
        self.absent: dict[str, Code] = {}
        """What the driver says of devices that were pulled out, by name."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(device.name for device in self._devices.values())

    def modules(self, chassis: str) -> tuple[Device, ...]:
        return tuple(device for device in self._devices.values() if device.chassis == chassis)

    def device(self, name: str) -> Device:
        """By name, whatever its case; -200220 for one that is not there."""
        device = self._devices.get(name.strip().casefold())
        if device is None:
            raise DriverError(Code.INVALID_DEVICE_ID, f"Device Specified: {name}")
        self.check_present(device)
        return device

    def check_present(self, device: Device) -> None:
        """Raises for one that was pulled out, itself or with its chassis."""
        code = self.absent.get(device.name) or self.absent.get(device.chassis)
        if code is not None:
            raise DriverError(code, f"Device Specified: {device.name}")


def inventory(addresses: Mapping[str, AddressKind]) -> Inventory:
    """The devices that carry these addresses; raises `ConfigError` where no product has them all."""
    kinds: dict[str, set[AddressKind]] = {}
    for address, kind in addresses.items():
        if kind not in SERIAL:
            kinds.setdefault(address.split("/")[0], set()).add(kind)
    found: dict[str, Device] = {}
    for name in sorted(kinds):
        device = _device(name, kinds[name])
        if device.chassis:
            found.setdefault(device.chassis, Device(device.chassis, CHASSIS))
        found[name] = device
    result = Inventory(found.values())
    for address, kind in addresses.items():
        if kind not in SERIAL:
            _check(result, address, kind)
    return result


def _device(name: str, kinds: set[AddressKind]) -> Device:
    module = re.fullmatch(r"(.+)Mod(\d+)", name)
    if module is None:
        if not kinds <= CARD_KINDS:
            raise ConfigError("simulated rig", name, f"addresses that a {CARD.name} has", sorted(kinds))
        return Device(name, CARD)
    if len(kinds) > 1:
        raise ConfigError("simulated rig", name, "addresses of one kind on a module", sorted(kinds))
    return Device(name, MODULES[next(iter(kinds))], module[1], int(module[2]))


def _check(devices: Inventory, address: str, kind: AddressKind) -> None:
    device = devices.device(address.partition("/")[0])
    terminals: dict[AddressKind, tuple[str, ...]] = {
        **dict.fromkeys(("analog voltage", "analog current", "bridge"), device.inputs()),
        "frequency": device.counters(),
        **{"analog output": device.outputs(), "digital output": device.lines()},
    }
    if address not in terminals[kind]:
        raise ConfigError("simulated rig", address, f"a terminal ({kind}) that a {device.product.name} has", address)
