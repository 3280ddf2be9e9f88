"""Set-points as voltages from one NI device or module, such as the target of an electronic pressure regulator.

NI's analog outputs cannot be read back: `NiRegulator.setpoint` is the last value that the device took without an error,
and what the regulator makes of it is for a transducer to say.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from labrig import units
from labrig.drivers import Name, RegulatorOptions
from labrig.errors import InstrumentError, RigError
from labrig.model import Output
from labrig.roles import Now
from labrig_instruments.ni import Daq, SerialNumber, Server, Wanted, distinct, terminal
from labrig_instruments.ni_outputs import Outputs

_PATIENCE: Final = 2.0


class AnalogOutput(RegulatorOptions):
    signals: ClassVar = ("V",)

    output: Annotated[str, terminal(r"ao\d+", "ao0")]

    def span(self) -> tuple[float, float]:
        """Lowest and highest voltage that the two points state."""
        low, high = sorted(units.parse(text, "voltage") for text in self.signal)
        return low, high


class NiAnalogOutput:
    """Regulators by name."""

    def __init__(
        self,
        name: str,
        now: Now,
        *,
        device: str,
        server: Server | None = None,
        product: str | None = None,
        serial_number: SerialNumber | None = None,
        outputs: Annotated[dict[Name, AnalogOutput], Field(min_length=1), distinct("output")],
    ) -> None:
        del now  # A set-point is timed by whoever gives it.
        self.name = name
        self.outputs: tuple[Output, ...] = tuple(
            options.as_output(key, f"{device}/{options.output}") for key, options in outputs.items()
        )
        daq = Daq(name, Wanted(device, server, product, serial_number), patience=_PATIENCE)
        regulators = {
            output.name: NiRegulator(output, options.span(), daq)
            for output, options in zip(self.outputs, outputs.values(), strict=True)
        }
        self._held = Outputs(name, daq, regulators)

    def open(self) -> str:
        """Connect, check identity, claim every output, and only then bring each to its safe state."""
        return self._held.open()

    def close(self) -> None:
        """Let go of the outputs, which stay as they are."""
        self._held.close()

    def output(self, name: str) -> NiRegulator:
        """The regulator of that name; raises `RigError` where there is none."""
        return self._held.output(name)

    def make_safe(self) -> None:
        """Bring each regulator to its safe state; raises the first error after all were tried."""
        self._held.make_safe()


class NiRegulator:
    """One set-point on one analog output."""

    def __init__(self, output: Output, span: tuple[float, float], daq: Daq) -> None:
        self.low, self.high = output.low, output.high
        self._output, self._span, self._daq = output, span, daq
        self._task: Any = None  # nidaqmx ships no types
        self._writer: Any = None
        self._taken: float | None = None

    def set(self, target: float) -> None:
        """Command a set-point, SI; raises `RigError` outside ``low`` to ``high``, unsent."""
        if not self.low <= target <= self.high:
            show = self._output.unit.show
            raise RigError(
                f"{self._output.name}: {show(target)} lies outside its limits {show(self.low)} to {show(self.high)}; "
                "nothing was sent"
            )
        if self._writer is None:
            raise InstrumentError(f"{self._output.name} ({self._output.address}) is not connected")
        offset, slope = self._output.calibration.coefficients
        low, high = self._span
        self._taken = None
        with self._daq.watched():
            self._writer.write_one_sample(min(max(offset + slope * target, low), high))  # rounding may step outside
        self._taken = target

    def setpoint(self) -> float:
        """The last set-point that the device took; raises `InstrumentError` where none is known."""
        if self._taken is None:
            raise InstrumentError(f"{self._output.name} ({self._output.address}): the set-point is not known")
        return self._taken

    def make_safe(self) -> None:
        self.set(self._output.safe)

    def reserve(self) -> None:
        """Claim the output without touching it."""
        from nidaqmx.constants import TaskMode
        from nidaqmx.stream_writers import AnalogSingleChannelWriter

        low, high = self._span
        with self._daq.watched():
            task = self._daq.task()
            task.ao_channels.add_ao_voltage_chan(self._output.address, min_val=low, max_val=high)
            task.control(TaskMode.TASK_RESERVE)
        self._task, self._writer = task, AnalogSingleChannelWriter(task.out_stream)

    def begin(self) -> None:
        """Write the safe set-point, then keep the task running: each later write is one call to the device."""
        self.make_safe()
        with self._daq.watched():
            self._task.start()

    def release(self) -> None:
        self._task, self._writer, self._taken = None, None, None
