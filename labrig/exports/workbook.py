"""An Excel workbook that is written row by row in constant memory, and read back cell by cell."""

from __future__ import annotations

import hashlib
import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from labrig.errors import RecordingError
from labrig.exports.cells import one_line
from labrig.exports.files import sync
from labrig.exports.streams import Names
from labrig.exports.tables import missing

if TYPE_CHECKING:
    from hashlib import _Hash

ROWS: Final = 1_048_576
"""That a sheet has, its heading included."""
LONGEST: Final = 32_767
"""Characters of a cell."""
NAME: Final = 31
"""Characters of a sheet's name."""


class TooLong(RecordingError):
    """A sheet has no row left."""

    def __init__(self, sheet: str) -> None:
        super().__init__(f"the sheet {sheet} would have more than {ROWS} rows, which Excel cannot hold")
        self.sheet = sheet


class Sheet:
    """One sheet. Text is text whatever it begins with; an empty cell is what has no value, as NaN."""

    def __init__(self, sheet: Worksheet, bold: Format) -> None:
        self.name = sheet.get_name()
        self.hash = hashlib.sha256()
        self._sheet, self._bold, self._next = sheet, bold, 0

    def row(self, cells: Sequence[str | float | None], *, bold: bool = False) -> None:
        """The next row; raises `TooLong` where there is none left."""
        at = self._next
        if at >= ROWS:
            raise TooLong(self.name)
        self._next += 1
        for column, cell in enumerate(cells):
            if cell is None or missing(cell):
                continue
            if isinstance(cell, str) or math.isinf(cell):
                text = _text(str(cell))
                self._sheet.write_string(at, column, text, self._bold if bold else None)
            else:
                text = f"{cell:.16G}"  # as XlsxWriter writes it
                self._sheet.write_number(at, column, cell)
            _add(self.hash, at, column, text)
        if bold:
            self._sheet.freeze_panes(1, 0)


class Book:
    """A workbook that is being written; made by `saved`."""

    def __init__(self, book: Workbook) -> None:
        self.sheets: list[Sheet] = []
        self._book, self._names = book, Names()
        self._bold = book.add_format({"bold": True})

    def sheet(self, name: str) -> Sheet:
        """A new sheet; its name is cut to what Excel permits."""
        sheet = Sheet(self._book.add_worksheet(self._names.take(name[: NAME - 3])), self._bold)
        self.sheets.append(sheet)
        return sheet


@contextmanager
def saved(path: Path) -> Iterator[Book]:
    """A workbook that is on the disk and was read back at the end of the block; raises `RecordingError`."""
    options = {
        "constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False, "strings_to_urls": False,
    }  # fmt: skip
    workbook = Workbook(str(path), options)
    book = Book(workbook)
    try:
        yield book
    except BaseException:
        for sheet in workbook.worksheets():
            sheet.row_data_fh.close()  # its rows so far; the folder that they lie in is given up
        raise
    try:
        workbook.close()
    except XlsxWriterException as error:
        raise RecordingError(f"{path.name}: {error}") from error
    sync(path)
    with zipfile.ZipFile(path) as parts:
        for number, sheet in enumerate(book.sheets, 1):
            with parts.open(f"xl/worksheets/sheet{number}.xml") as part:
                if _read_back(part.read) != sheet.hash.hexdigest():
                    raise RecordingError(f"{path.name}: the sheet {sheet.name} was read back different")


def _read_back(read: Callable[[int], bytes]) -> str:
    """The hash of a sheet's cells, from its XML."""
    total, text, cells = hashlib.sha256(), list[str](), list[tuple[int, int]]()

    def begin(tag: str, attributes: dict[str, str]) -> None:
        text.clear()
        if tag == "c":
            cells.append(_place(attributes["r"]))

    def end(tag: str) -> None:
        if tag in {"v", "t"}:
            _add(total, *cells.pop(), "".join(text))

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text.append
    while piece := read(1 << 16):
        parser.Parse(piece)
    parser.Parse(b"", True)
    return total.hexdigest()


def _place(reference: str) -> tuple[int, int]:
    """Row and column, from 0 on, of such as ``AB12``."""
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(reference[len(letters) :]) - 1, column - 1


def _add(total: _Hash, row: int, column: int, text: str) -> None:
    total.update(f"{row} {column} {text}\n".encode())


def _text(text: str) -> str:
    line = one_line(text).encode("utf-8", "backslashreplace").decode()
    return line if len(line) <= LONGEST else line[: LONGEST - 2] + " …"
