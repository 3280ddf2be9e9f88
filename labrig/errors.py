"""What can go wrong, as one tree. A message says what happened, what labrig did, and what to do.

LabrigError
├── UnitError            a quantity that cannot be read, or has the wrong dimension
├── ConfigError          a rig, membrane or method file: names file, key, what was expected and what came
├── InstrumentError      a device answered, and the answer is unusable
│   ├── LinkLost         the line to a device is gone
│   ├── WatchdogExpired  the hardware watchdog ran out: outputs are safe and stay so until a person resets it
│   ├── WrongInstrument  another device answers on the configured line
│   └── SamplesLost      a device overran its buffer: how many samples, after which index
├── RecordingError       a run file cannot be written or read
├── AnalysisError        data do not allow the computation that was asked for
├── CatalogueError       the catalogue cannot be read or written, or refuses an entry
├── RigError             a verb that the rig refuses: unknown role, out of range
└── RunEnded             the run is over; every waiting verb ends with it (not a fault of the protocol)
    ├── Aborted          a person stopped it
    └── Tripped          a condition of the rig stopped it
"""

from __future__ import annotations

from pathlib import Path


class LabrigError(Exception):
    """Root of every error that labrig raises on purpose."""


class UnitError(LabrigError, ValueError):
    """A quantity that cannot be read, or has the wrong dimension."""


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()
"""What was found where a key is missing."""


class ConfigError(LabrigError):
    """A file from outside that cannot be used as it is."""

    def __init__(self, source: Path | str, key: str, expected: str, found: object) -> None:
        self.source, self.key, self.expected, self.found = source, key, expected, found
        where = f"{source}: {key}" if key else f"{source}"
        super().__init__(f"{where}: expected {expected}, found {_shown(found)}")


class InstrumentError(LabrigError):
    """A device answered, and the answer is unusable."""


class LinkLost(InstrumentError):
    """The line to a device is gone."""


class WatchdogExpired(InstrumentError):
    """The hardware watchdog ran out: it made the outputs safe, and keeps them so until a person resets it."""


class WrongInstrument(InstrumentError):
    """Another device answers on the configured line."""


class SamplesLost(InstrumentError):
    """A device overran its buffer."""

    def __init__(self, source: str, after: int, count: int | None) -> None:
        self.source, self.after, self.count = source, after, count
        many = "an unknown number of" if count is None else str(count)
        super().__init__(f"{source}: {many} samples lost after sample {after}; acquisition was restarted")


class RecordingError(LabrigError):
    """A run file cannot be written or read."""


class AnalysisError(LabrigError):
    """Data do not allow the computation that was asked for."""


class CatalogueError(LabrigError):
    """The catalogue cannot be read or written, or refuses an entry."""


class RigError(LabrigError):
    """A verb that the rig refuses."""


class RunEnded(LabrigError):
    """The run is over; every waiting verb ends with it."""


class Aborted(RunEnded):
    """A person stopped the run."""


class Tripped(RunEnded):
    """A condition of the rig stopped the run."""


def _shown(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 120 else f"{text[:117]}..."
