"""``labrig check``: whether a rig file is sound, and what can be measured on that rig."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rich.console import Console

from labrig.cli.ordering import parameters
from labrig.config import RigConfig, find_rig, load_rig, schema, shipped_rigs
from labrig.methods import load_method
from labrig.plant import Forecast, forecast, load_membrane, shipped_membranes
from labrig.protocol import LabProtocol
from labrig.units import mL_per_min, psi

WATER: Final = 998.0
"""kg/m³."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One membrane on one rig by one method."""

    membrane: str
    forecasts: tuple[Forecast, ...]
    """One for each pressure of the method."""

    @property
    def measurable(self) -> bool:
        return all(each.measurable for each in self.forecasts)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not, each with its pressure."""
        return _told(self.forecasts, [each.reasons for each in self.forecasts])

    @property
    def cautions(self) -> tuple[str, ...]:
        return _told(self.forecasts, [each.cautions for each in self.forecasts])


def _told(forecasts: Sequence[Forecast], words: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(
        f"at {f.pressure / psi:g} psi {word}" for f, each in zip(forecasts, words, strict=True) for word in each
    )


def check(rig: str, membrane: str, method: str, changes: Sequence[str], *, schema: bool, as_json: bool) -> int:
    """Report on a rig; 0 if it is sound (and, with a membrane, able to measure it), 1 if it cannot measure it."""
    console = Console(highlight=False)
    if schema:
        print(json.dumps(_schema(), indent=2))
        return 0
    if not rig:
        console.print("Shipped rigs: " + ", ".join(shipped_rigs()))
        console.print("Shipped membranes: " + ", ".join(shipped_membranes()))
        return 0
    config = load_rig(find_rig(rig))
    protocol = load_method(method, parameters(changes)).protocol
    findings = tuple(_finding(config, name, protocol) for name in ([membrane] if membrane else shipped_membranes()))
    if as_json:
        print(json.dumps(_document(config, findings), indent=2))
    else:
        _show(console, config, findings, protocol)
    return 1 if membrane and not all(finding.measurable for finding in findings) else 0


_schema = schema


def _finding(config: RigConfig, membrane: str, protocol: LabProtocol) -> Finding:
    if config.file.simulation is None:
        return Finding(membrane, ())
    pressures: tuple[float, ...] = getattr(protocol, "pressures", ())
    known = load_membrane(membrane)
    expected = (forecast(config.file.simulation, known, pressure) for pressure in pressures)
    return Finding(membrane, tuple(_in_time(each, protocol) for each in expected))


def _in_time(expected: Forecast, protocol: LabProtocol) -> Forecast:
    """The forecast, with a reason where the method gives up before its plateau can be long enough."""
    patience: float = getattr(protocol, "patience", math.inf)
    collected: float = getattr(protocol, "collected", 0.0)
    needed = max(expected.collecting, collected / (WATER * expected.flow) if expected.flow > 0 else math.inf)
    if needed <= patience:
        return expected
    words = (
        f"a plateau takes {needed:.0f} s to collect enough for the balance, and the method waits {patience:.0f} s; "
        "use a finer balance, a larger cell, or a longer patience"
    )
    return replace(expected, reasons=(*expected.reasons, words))


def _show(console: Console, config: RigConfig, findings: Sequence[Finding], protocol: LabProtocol) -> None:
    console.print(f"[bold]{config.name}[/bold]  {config.file.description}")
    console.print(f"{config.path}: sound. {len(config.channels)} channels, {len(config.outputs)} outputs.")
    missing = [role for role in protocol.needs if role not in config.file.roles]
    if missing:
        console.print(f"[bold red]{protocol.title} cannot run here:[/bold red] no {', '.join(missing)}")
    if config.file.simulation is None:
        console.print("No forecast: the file has no table \\[simulation] that describes the rig to the twin.")
        return
    for finding in findings:
        flows = ", ".join(f"{each.flow / mL_per_min:.3g}" for each in finding.forecasts)
        if finding.measurable:
            console.print(f"[green]can[/green]     {finding.membrane}: {flows} mL/min expected")
        else:
            console.print(f"[red]cannot[/red]  {finding.membrane}:")
        for line in finding.reasons:
            console.print(f"          {line}", soft_wrap=True)
        for line in finding.cautions if finding.measurable else ():
            console.print(f"          note: {line}", soft_wrap=True)


def _document(config: RigConfig, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "rig": config.name,
        "channels": list(config.channels),
        "outputs": list(config.outputs),
        "roles": dict(config.file.roles),
        "interlocks": [interlock.name for interlock in config.interlocks],
        "membranes": [
            {
                "membrane": finding.membrane,
                "measurable": finding.measurable,
                "reasons": list(finding.reasons),
                "notes": list(finding.cautions),
                "flows": [each.flow / mL_per_min for each in finding.forecasts],
            }
            for finding in findings
        ],
    }
