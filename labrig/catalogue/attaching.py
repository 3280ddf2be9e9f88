"""Files beside a lot, a coupon or a run: a photograph, a certificate, a data sheet."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from labrig.catalogue.entries import AttachmentEntry
from labrig.catalogue.reading import FOLDER, Catalogue, stored_name
from labrig.catalogue.store import sync_folder
from labrig.errors import CatalogueError

LARGEST: Final = 1_000_000_000
"""Bytes."""


def attach(catalogue: Catalogue, kind: str, subject: str, file: Path, *, by: str, note: str = "") -> str:
    """Copy a file beside the runs and enter it; returns its SHA-256.

    Raises `CatalogueError` for a subject that is not there, and for a file that cannot be read or copied.
    """
    _check(catalogue, kind, subject)
    try:
        size = file.stat().st_size
        if size > LARGEST:
            raise CatalogueError(f"{file}: {size} bytes; an attachment has at most {LARGEST}")
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        _copy(file, catalogue.store.data / FOLDER / stored_name(sha256, file.name), sha256)
    except OSError as error:
        raise CatalogueError(f"{file} was not attached: {error}; nothing was changed") from error
    entry = AttachmentEntry(of=kind, subject_name=subject, name=file.name, sha256=sha256, size=size, note=note)
    catalogue.store.enter([entry], by=by)
    return sha256


def _check(catalogue: Catalogue, kind: str, subject: str) -> None:
    if kind == "run":
        catalogue.run(subject)
    elif kind == "lot":
        if subject not in {lot.name for lot in catalogue.lots()}:
            raise CatalogueError(f"the catalogue has no lot {subject}; nothing was changed")
    elif catalogue.coupon(subject) is None:
        raise CatalogueError(f"the catalogue has no coupon {subject}; nothing was changed")


def _copy(file: Path, to: Path, sha256: str) -> None:
    """Under its own name only when it is whole and on the disk."""
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(to.name + ".part")
    try:
        shutil.copyfile(file, part)
        with part.open("r+b") as copied:
            if hashlib.file_digest(copied, "sha256").hexdigest() != sha256:
                raise CatalogueError(f"{file} changed while it was copied; nothing was changed")
            os.fsync(copied.fileno())
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(to.parent)
