"""What is particular to rigs that push water: venting, and feeding a cell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labrig.rig import Rig


def vent(rig: Rig) -> None:
    """Both sides at atmospheric pressure: no supply, vessel vented, cell drained."""
    rig.close("feed")
    rig.set("pressure", 0.0)
    rig.open("vent")
    rig.open("drain")


@contextmanager
def feed_open(rig: Rig) -> Iterator[None]:
    """The vessel closed and fed to the cell; vented again at the end, unless the run's own end has done it already."""
    rig.close("drain")
    rig.close("vent")
    rig.open("feed")
    yield
    vent(rig)
