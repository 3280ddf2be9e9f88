"""Findings that make a result less than valid, each in words for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labrig.model import Validity

_WORSE = (Validity.VALID, Validity.INDICATIVE, Validity.INVALID)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason and how far it reaches."""

    validity: Validity
    words: str


def invalid(words: str) -> Finding:
    return Finding(Validity.INVALID, words)


def indicative(words: str) -> Finding:
    return Finding(Validity.INDICATIVE, words)


def judged(findings: Iterable[Finding]) -> tuple[Validity, tuple[str, ...]]:
    """The worst validity and all reasons, the gravest first."""
    ordered = sorted(findings, key=lambda finding: -_WORSE.index(finding.validity))
    worst = ordered[0].validity if ordered else Validity.VALID
    return worst, tuple(dict.fromkeys(finding.words for finding in ordered))
