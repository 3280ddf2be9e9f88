"""Everything on one Modbus RTU line, by a map of registers in the rig file: transducers, thermometers, relay boards."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np

from labrig.drivers import Name, Period
from labrig.errors import InstrumentError, RigError, WrongInstrument
from labrig.model import Block, Channel, Output, judge_raw
from labrig.roles import Now
from labrig_instruments.line import Framing, LineSettings
from labrig_instruments.modbus_line import Attach, Bus, ModbusLine
from labrig_instruments.modbus_registers import (
    Coil,
    Question,
    Register,
    SlaveIdentity,
    number,
    questions,
)

_STATES: Final = {True: "open", False: "closed"}


class ModbusRtu:
    """Registers as channels and coils as valves, of whichever slaves hang on the line."""

    def __init__(
        self,
        name: str,
        now: Now,
        attach: Attach = ModbusLine,
        *,
        port: str,
        baud: int = 9600,
        framing: Framing = "8N1",
        timeout: Period = 0.3,
        period: Period = 0.1,
        identities: tuple[SlaveIdentity, ...] = (),
        channels: dict[Name, Register] | None = None,
        coils: dict[Name, Coil] | None = None,
    ) -> None:
        registers, relays = channels or {}, coils or {}
        if not registers and not relays:
            raise InstrumentError(f"{name}: a channel or a coil at least")
        self.name, self.period, self.rate = name, period, 1 / period
        self._now, self._attach = now, attach
        self._settings = LineSettings(port, baud, framing, timeout=timeout)
        self._registers = tuple(registers.values())
        self._questions, self._identities = questions(self._registers), identities
        self.channels: tuple[Channel, ...] = tuple(
            options.as_channel(key, f"{port}/{options.slave}/{options.table}/{options.register_}")
            for key, options in registers.items()
        )
        self._valves = {key: ModbusValve(key, port, options, self) for key, options in relays.items()}
        self.outputs: tuple[Output, ...] = tuple(valve.described for valve in self._valves.values())
        self._turn = threading.RLock()
        self._bus: Bus | None = None
        self._index, self._in_doubt = 0, False

    def open(self) -> str:
        """Connect; every slave must answer, and be who it should, before a coil is touched."""
        self.close()
        with self._turn:
            self._bus = self._attach(self._settings)
            try:
                identity = self._identified()
                if self._valves:
                    self.make_safe()
            except InstrumentError:
                self.close()
                raise
            self._in_doubt = False
        return identity

    def close(self) -> None:
        bus, self._bus = self._bus, None
        for valve in self._valves.values():
            valve.forget()
        if bus is not None:
            bus.close()

    def start(self) -> None:
        self.bus()

    def stop(self) -> None:
        """Nothing: slaves speak only when asked."""

    def read(self) -> Block:
        """One number of each channel; without channels, whether the coils still are as they were told.

        Raises `InstrumentError` for a slave that refuses, is silent or garbled, `LinkLost` when the line is gone.
        """
        with self._turn:
            bus = self.bus()
            index, self._index = self._index, self._index + 1
            self._resynchronised(bus)
            asked = self._now()
            self._in_doubt = True
            words = {question: bus.read(question) for question in self._questions}
            if not self.channels:
                self._check_coils()
            self._in_doubt = False
            time = (asked + self._now()) // 2
        rows = 1 if self.channels else 0
        raw = np.array([[self._value(register, words) for register in self._registers]])[:rows]
        quality = np.zeros(raw.shape, np.uint8)
        for column, channel in enumerate(self.channels):
            quality[:, column] = judge_raw(channel, raw[:, column])
        names = tuple(channel.name for channel in self.channels)
        return Block(self.name, names, index, np.array([time][:rows], np.int64), raw, quality)

    def output(self, name: str) -> ModbusValve:
        """The valve on that coil; raises `RigError` where there is none."""
        if name not in self._valves:
            raise RigError(f"{self.name} has no output {name!r}; it has {', '.join(self._valves) or 'none'}")
        return self._valves[name]

    def make_safe(self) -> None:
        """Bring each coil to its safe state; raises the first error after all were tried."""
        self.bus()
        errors: list[InstrumentError] = []
        for valve in self._valves.values():
            try:
                valve.make_safe()
            except InstrumentError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def bus(self) -> Bus:
        """The open line, for the coils."""
        if self._bus is None:
            raise InstrumentError(f"{self.name} is not connected")
        return self._bus

    def turn(self) -> threading.RLock:
        """Held while a command and the question after it belong together."""
        return self._turn

    def _identified(self) -> str:
        """Who is there; raises `Silence` for a slave that does not answer."""
        bus, told = self.bus(), dict[int, str]()
        for wanted in self._identities:
            said = wanted.said(bus.read(Question(wanted.slave, wanted.table, wanted.register_, wanted.words)))
            if wanted.expect is not None and said != wanted.expect:
                raise WrongInstrument(
                    f"{self._settings.port}: expected slave {wanted.slave} to be {wanted.expect}, and it says {said}. "
                    "Not connected."
                )
            told[wanted.slave] = f"slave {wanted.slave} is {said}"
        for register in self._registers:
            if register.slave not in told:
                bus.read(Question(register.slave, register.table, register.register_, register.words))
                told[register.slave] = f"slave {register.slave} answers"
        for valve in self._valves.values():
            if valve.slave not in told:
                valve.is_open()
                told[valve.slave] = f"slave {valve.slave} answers"
        return f"Modbus RTU on {self._settings.port}: {', '.join(told[slave] for slave in sorted(told))}"

    def _resynchronised(self, bus: Bus) -> None:
        """After a failure: no late answer under way, the same slaves, coils as they were told."""
        if not self._in_doubt:
            return
        bus.drain()
        self._identified()
        self._check_coils()
        self._in_doubt = False

    def _check_coils(self) -> None:
        for valve in self._valves.values():
            valve.check()

    def _value(self, register: Register, words: dict[Question, list[int]]) -> float:
        for question, found in words.items():
            at = register.register_ - question.first
            together = (question.slave, question.table) == (register.slave, register.table)
            if together and at >= 0 and at + register.words <= question.count:
                value = number(found[at : at + register.words], register.type, register.order)
                return float("nan") if value == register.missing else value * register.scale
        raise AssertionError(f"{self.name}: no question asks for register {register.register_}")


class ModbusValve:
    """A valve on one coil."""

    def __init__(self, name: str, port: str, options: Coil, device: ModbusRtu) -> None:
        self.described = options.as_output(name, f"{port}/{options.slave}/coil/{options.coil}")
        self.slave = options.slave
        self._options, self._device = options, device
        self._opens_energised = options.opens == "energised"
        self._told: bool | None = None

    def open(self) -> None:
        self._command(opened=True)

    def close(self) -> None:
        self._command(opened=False)

    def is_open(self) -> bool:
        """What the coil reads back."""
        return self._device.bus().coil(self.slave, self._options.coil) == self._opens_energised

    def check(self) -> None:
        """Raises `InstrumentError` where the coil is not as it was told."""
        if self._told is not None and self.is_open() != self._told:
            raise InstrumentError(
                f"{self.described.name} ({self.described.address}) was told to be {_STATES[self._told]} and is "
                f"{_STATES[not self._told]}. Check the valve by hand."
            )

    def make_safe(self) -> None:
        self._command(opened=self.described.safe == 1)

    def forget(self) -> None:
        """What was told, because the line is closed."""
        self._told = None

    def _command(self, *, opened: bool) -> None:
        """Write and read back; raises `InstrumentError` where the coil did not follow."""
        on = opened == self._opens_energised
        with self._device.turn():
            self._told = None
            self._device.bus().write_coil(self.slave, self._options.coil, self._options.function, on=on)
            self._told = opened
            self.check()
