"""Valves on the digital lines of one NI device or module. Every write is read back."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from labrig.drivers import Name, ValveOptions
from labrig.errors import InstrumentError
from labrig.model import Output
from labrig.roles import Now
from labrig_instruments.ni import Daq, SerialNumber, Server, Wanted, distinct, terminal
from labrig_instruments.ni_outputs import Outputs

_PATIENCE: Final = 2.0


class DigitalLine(ValveOptions):
    line: Annotated[str, terminal(r"port\d+/line\d+", "port0/line0")]


class NiDigitalOutput:
    """Valves by name."""

    def __init__(
        self,
        name: str,
        now: Now,
        *,
        device: str,
        server: Server | None = None,
        product: str | None = None,
        serial_number: SerialNumber | None = None,
        lines: Annotated[dict[Name, DigitalLine], Field(min_length=1), distinct("line")],
    ) -> None:
        del now  # A valve's commands are timed by whoever gives them.
        self.name = name
        self.outputs: tuple[Output, ...] = tuple(
            options.as_output(key, f"{device}/{options.line}") for key, options in lines.items()
        )
        daq = Daq(name, Wanted(device, server, product, serial_number), patience=_PATIENCE)
        self._held = Outputs(name, daq, {output.name: NiValve(output, daq) for output in self.outputs})

    def open(self) -> str:
        """Connect, check identity, claim every output, and only then bring each to its safe state."""
        return self._held.open()

    def close(self) -> None:
        """Let go of the outputs, which stay as they are."""
        self._held.close()

    def output(self, name: str) -> NiValve:
        """The valve of that name; raises `RigError` where there is none."""
        return self._held.output(name)

    def make_safe(self) -> None:
        """Bring each valve to its safe state; raises the first error after all were tried."""
        self._held.make_safe()


class NiValve:
    """One valve on one line."""

    def __init__(self, output: Output, daq: Daq) -> None:
        self._output, self._daq = output, daq
        self._opens_energised = output.calibration.coefficients[1] > 0
        self._task: Any = None  # nidaqmx ships no types
        self._writer: Any = None
        self._reader: Any = None

    def open(self) -> None:
        self._command(opened=True)

    def close(self) -> None:
        self._command(opened=False)

    def make_safe(self) -> None:
        self._command(opened=self._output.safe == 1)

    def is_open(self) -> bool:
        """What the line reads back."""
        with self._daq.watched():
            return bool(self._reserved(self._reader).read_one_sample_one_line()) == self._opens_energised

    def reserve(self) -> None:
        """Claim the line without touching it."""
        from nidaqmx.constants import LineGrouping, TaskMode
        from nidaqmx.stream_readers import DigitalSingleChannelReader
        from nidaqmx.stream_writers import DigitalSingleChannelWriter

        with self._daq.watched():
            task = self._daq.task()
            task.do_channels.add_do_chan(self._output.address, line_grouping=LineGrouping.CHAN_PER_LINE)
            task.control(TaskMode.TASK_RESERVE)
        self._task = task
        self._writer = DigitalSingleChannelWriter(task.out_stream)
        self._reader = DigitalSingleChannelReader(task.in_stream)

    def begin(self) -> None:
        """Write the safe state, then keep the task running: each later write is one call to the device."""
        self.make_safe()
        with self._daq.watched():
            self._reserved(self._task).start()

    def release(self) -> None:
        self._task = self._writer = self._reader = None

    def _command(self, *, opened: bool) -> None:
        """Write and read back; raises `InstrumentError` where the line did not follow."""
        energised = opened == self._opens_energised
        with self._daq.watched():
            self._reserved(self._writer).write_one_sample_one_line(energised)
        if self.is_open() != opened:
            raise InstrumentError(
                f"{self._output.name} ({self._output.address}) was told to {'open' if opened else 'close'} and reads "
                f"back {'closed' if opened else 'open'}. Check the valve by hand."
            )

    def _reserved(self, part: Any) -> Any:  # noqa: ANN401 - nidaqmx ships no types
        if part is None:
            raise InstrumentError(f"{self._output.name} ({self._output.address}) is not connected")
        return part
