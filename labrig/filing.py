"""What becomes of a finished run: its analysis, written into its file; its place in the catalogue."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from labrig.errors import AnalysisError, LabrigError, RecordingError
from labrig.model import Analysis, Outcome, Validity
from labrig.plugins import PluginError
from labrig.protocol import LabProtocol, in_file, make
from labrig.recording import RunFile, add_analysis
from labrig.shown import analysis_as_json

log = logging.getLogger(__name__)
RUNS: Final = "runs"
"""The folder of run files in a data folder."""


@dataclass(frozen=True, slots=True)
class FiledRun:
    """A run that is over: its file, how it ended, and what the analysis made of it."""

    path: Path
    outcome: Outcome
    reason: str
    analysis: Analysis | None
    """None where the data do not allow one; ``not_analysed`` says why."""
    not_analysed: str = ""
    not_catalogued: str = ""
    """Why the catalogue does not have it; it will at the next filing or rebuild."""


def file_run(path: Path, protocol: LabProtocol) -> FiledRun:
    """Analyse a closed run file, write the analysis into it, bring it into the catalogue; raises `RecordingError`."""
    filed = _analysed(path, protocol)
    return replace(filed, not_catalogued=catalogue_run(path))


def catalogue_run(path: Path) -> str:
    """Bring a closed run, and every other of its folder that was missed, into the catalogue; why not, or nothing."""
    if path.parent.name != RUNS:
        return ""  # a copy elsewhere
    from labrig.catalogue.store import Store

    try:
        return Store(path.absolute().parent.parent).sync().failed.get(path.name, "")
    except (LabrigError, OSError) as error:
        log.debug("not catalogued", exc_info=True)
        return str(error)


def _analysed(path: Path, protocol: LabProtocol) -> FiledRun:
    with RunFile(path) as run:
        outcome, reason = run.outcome, run.reason
        try:
            analysis = _with_damage(protocol.analyse(run), tuple(run.damage))
        except AnalysisError as error:
            return FiledRun(path, outcome, reason, None, str(error))
        except Exception as error:  # an analysis is anybody's code, and the run is over and safe
            log.debug("the analysis raised", exc_info=True)
            words = (
                f"{type(error).__name__} in the analysis: {error}. The run's file is whole; mend the analysis, then: "
            )
            return FiledRun(path, outcome, reason, None, f"{words}labrig analyse {path}")
    analysis = _of_a_part(analysis, outcome)
    try:
        add_analysis(path, analysis)
    except RecordingError as error:
        return FiledRun(path, outcome, reason, analysis, f"the result is not in the run file: {error}")
    return FiledRun(path, outcome, reason, analysis)


def _of_a_part(analysis: Analysis, outcome: Outcome) -> Analysis:
    """A run that did not complete shows at best what its first part says."""
    if outcome is Outcome.COMPLETED:
        return analysis
    words = f"the run was {outcome.value}: this is what its part before that says"
    validity = Validity.INDICATIVE if analysis.validity is Validity.VALID else analysis.validity
    return replace(analysis, validity=validity, reasons=(words, *analysis.reasons))


def _with_damage(analysis: Analysis, damage: tuple[str, ...]) -> Analysis:
    """An analysis of a file that is not whole is invalid: nobody can say what the lost samples would have shown."""
    if not damage:
        return analysis
    words = f"the run file is damaged: {'; '.join(damage[:3])}{' …' if len(damage) > 3 else ''}"
    return replace(analysis, validity=Validity.INVALID, reasons=(words, *analysis.reasons))


def file_again(path: Path, protocol: str = "", *, trusted: bool = False) -> FiledRun:
    """Analyse a closed run file by the protocol and parameters that it names; raises `LabrigError` as `file_run`.

    A protocol that is a file is code from who knows where: it is run only where ``protocol`` names it, or where the
    run file is ``trusted``, because its run was made here.
    """
    with RunFile(path) as run:
        header = run.header
    if in_file(header.protocol) and not (protocol or trusted):
        raise PluginError(
            f"{path}: its protocol is the file {header.protocol}, which labrig runs only when you name it: "
            f"labrig analyse {path} --protocol {header.protocol}"
        )
    parameters = {name: value for name, value in header.parameters.items() if name != "skipped"}
    return file_run(path, make(protocol or header.protocol, parameters, f"{path}: parameters"))


def main() -> None:
    """A child process: one JSON request on standard input, one JSON answer on standard output."""
    path = Path(json.load(sys.stdin)["run"])
    try:
        with redirect_stdout(sys.stderr):  # what an analysis prints is no part of the answer
            filed = file_again(path, trusted=True)
        kept = None if filed.not_analysed else analysis_as_json(filed.analysis)
        answer: dict[str, Any] = {
            "answer": {"analysis": kept, "not_analysed": filed.not_analysed, "not_catalogued": filed.not_catalogued}
        }
    except LabrigError as error:
        catalogue_run(path)  # a run without a result is a run
        answer = {"error": str(error)}
    print(json.dumps(answer))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
