"""Protocols that do what no protocol should, once they stand in a runner; rehearsed, each is a model of good behaviour.

The harness installs this file for its servers alone: a copy beside a ``dist-info`` folder on their ``PYTHONPATH``.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from labrig.errors import AnalysisError
from labrig.model import Analysis, RunData, Validity
from labrig.quantities import Duration, Pressure
from labrig.rig import Rig
from labrig.units import psi

TOLD = Path(__file__).with_name("deed")
"""Says the deed: no parameter, so that a server rehearses the protocol once for all deeds."""


@dataclass(frozen=True, slots=True)
class Misbehaving:
    """Pressure on the cell, and then the deed."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    title: ClassVar[str] = "Misbehaving"
    needs: ClassVar[tuple[str, ...]] = ("feed", "vent", "drain", "pressure", "feed_pressure", "permeate_mass")

    pressure: Pressure = 10 * psi
    """Set point."""
    after: Duration = 0.1
    """How long the pressure stands before the deed."""
    lasting: Annotated[Duration, Field(le=3600)] = 600.0
    """How long it goes on doing nothing."""
    ask: bool = False
    """Whether to ask first."""

    @property
    def skipped(self) -> tuple[str, ...]:
        return ()

    def run(self, rig: Rig) -> None:
        deed = TOLD.read_text("utf-8")
        print("a protocol may print")  # noqa: T201 - what it prints goes to the run's log
        if self.ask:
            rig.note(f"the answer was {rig.ask('Is the beaker empty?', 'yes', 'no')}")
        with rig.step("Pressure"):
            rig.close("drain")
            rig.close("vent")
            rig.open("feed")
            rig.set("pressure", self.pressure)
            rig.wait(self.after)
        with rig.step("Deed"):
            if "labrig.rehearsal" not in sys.modules:
                self._do(rig, deed)

    def analyse(self, run: RunData) -> Analysis:
        """As a file of the disturbed folder says."""
        mood = Path(os.environ.get("LABRIG_DISTURBED", ".")) / "analysis"
        match mood.read_text("utf-8") if mood.exists() else "":
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "raises":
                raise ZeroDivisionError("by a mistake in the analysis")
            case "exits":
                os._exit(5)
            case "slow":
                Event().wait(7.0)
                return Analysis("misbehaving", "1", (), Validity.VALID)
            case "well":
                return Analysis("misbehaving", "1", (), Validity.VALID)
        raise AnalysisError("there is nothing to analyse")

    def _do(self, rig: Rig, deed: str) -> None:  # noqa: PLR0912 - one branch a deed
        match deed:
            case "nothing":
                rig.wait(self.lasting)
            case "raise":
                raise ZeroDivisionError("by a mistake in the script")
            case "loop":
                while True:
                    pass
            case "sleep":
                Event().wait()
            case "exit":
                sys.exit(3)
            case "os-exit":
                os._exit(4)
            case "abort":
                os.abort()
            case "swallow":
                _swallow(rig)
            case "flood":
                while True:
                    rig.open("feed")
            case "linger":
                _linger()
            case "refuse":
                rig.set("pressure", 1e9)
            case "overshoot":
                rig.set("pressure", 3 * self.pressure)
                rig.wait(self.lasting)
            case "reflex":
                rig.until("feed_pressure", patience=self.lasting, above=self.pressure / 2, then=[("open", "vent", 0.0)])
                rig.wait(self.lasting)


def _swallow(rig: Rig) -> None:
    """Catches all there is to catch, and opens the feed again and again."""
    while True:
        try:
            rig.open("feed")
            rig.wait(0.01)
        except BaseException:  # noqa: BLE001 - the deed
            pass


def _linger() -> None:
    """Returns, and leaves something behind that the interpreter waits for."""
    import threading

    threading.Thread(target=Event().wait).start()  # noqa: TID251 - the deed
