"""What makes each output safe when labrig itself is dead: the rule that a rig file must keep.

Every output lies behind a hardware watchdog that brings it to its safe state, or in series with one that does, or is
declared harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from labrig.errors import ConfigError
from labrig.model import Output

_LEVELS: Final = {0.0: "low", 1.0: "high"}


@runtime_checkable
class Guarding(Protocol):
    """A watchdog that says what it guards."""

    @property
    def name(self) -> str: ...

    @property
    def guards(self) -> Mapping[str, float]:
        """Raw state (0 low, 1 high, or volts) by address: what each output is brought to."""
        ...


def check(
    path: Path,
    outputs: Mapping[str, Output],
    watchdogs: Sequence[Guarding],
    in_series_with: Mapping[str, str],
    harmless: Sequence[str],
) -> None:
    """Raises `ConfigError` for an output that nothing makes safe when labrig is dead."""
    guarded = {address: (dog.name, raw) for dog in watchdogs for address, raw in dog.guards.items()}
    _check_names(path, outputs, in_series_with, harmless)
    for output in outputs.values():
        if output.address in guarded:
            _check_state(path, output, *guarded[output.address])
    for name, output in outputs.items():
        relied_on = outputs.get(in_series_with.get(name, name), output)
        if relied_on.address not in guarded and name not in harmless:
            raise ConfigError(
                path,
                f"safety.in_series_with.{name}",
                f"{name} ({output.address}) among the lines or outputs of a hardware watchdog, or in series with an "
                "output that is, or in safety.harmless: nothing would make it safe if labrig died",
                in_series_with.get(name, "neither"),
            )


def _check_names(
    path: Path, outputs: Mapping[str, Output], in_series_with: Mapping[str, str], harmless: Sequence[str]
) -> None:
    known = f"an output of this rig: {', '.join(outputs)}"
    for name, other in in_series_with.items():
        for each in (name, other):
            if each not in outputs:
                raise ConfigError(path, f"safety.in_series_with.{name}", known, each)
    for name in harmless:
        if name not in outputs:
            raise ConfigError(path, "safety.harmless", known, name)


def _check_state(path: Path, output: Output, watchdog: str, raw: float) -> None:
    offset, slope = output.calibration.coefficients
    wanted = offset + slope * output.safe
    if abs(raw - wanted) > 1e-6 * max(1.0, abs(wanted)):
        expected, found = (_LEVELS[state] if output.kind == "valve" else f"{state:g} V" for state in (wanted, raw))
        expected = f"{expected} for {output.address}, the safe state of {output.name}"
        raise ConfigError(path, f"instruments.{watchdog}", expected, found)
