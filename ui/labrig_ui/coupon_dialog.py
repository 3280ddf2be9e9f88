"""Enter or correct a coupon: its names, its label, its readings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from labrig.errors import LabrigError
from labrig.units import unit
from labrig_ui.confirm import Dialog
from labrig_ui.fields import Field, identifier_error, read
from labrig_ui.form import Line, NameLine
from labrig_ui.orders import Orders
from labrig_ui.parts import add_field, button, choice, form, show, text

if TYPE_CHECKING:
    from labrig.catalogue import CouponRow

READINGS: Final = {"thickness": "µm", "diameter": "mm"}
CONDITIONS: Final = ("fresh", "wetted", "fouled", "broken", "discarded")


@dataclass(frozen=True, slots=True)
class Entered:
    """What a person says of a coupon, as texts; readings with their units."""

    id: str = ""
    lot: str = ""
    sheet: str = ""
    family: str = ""
    barcode: str = ""
    thickness: str = ""
    diameter: str = ""
    condition: str = "fresh"
    note: str = ""
    known: bool = False
    """Whether the catalogue has it already."""

    @classmethod
    def of(cls, row: CouponRow) -> Entered:
        """What the catalogue has."""
        readings = {name: _typed(getattr(row.geometry, name), symbol) for name, symbol in READINGS.items()}
        return cls(
            row.id,
            row.lot,
            row.sheet,
            row.family,
            row.barcode,
            readings["thickness"],
            readings["diameter"],
            row.condition.value,
            row.note,
            known=True,
        )

    def write(self, data: Path, by: str) -> int:
        """Into a data folder's ledger; returns the entry's number. Raises `LabrigError`. Not for the GUI thread."""
        from pydantic import ValidationError

        from labrig.catalogue import CouponEntry, How, LotEntry, open_catalogue

        catalogue = open_catalogue(data)
        try:
            entry = CouponEntry(
                id=self.id,
                lot=self.lot,
                sheet=self.sheet,
                family=self.family,
                barcode=self.barcode,
                thickness=_parts(self.thickness),  # type: ignore[arg-type]  # texts, which pydantic reads
                diameter=_parts(self.diameter),  # type: ignore[arg-type]
                note=self.note,
                **({"condition": self.condition} if self.known else {}),  # type: ignore[arg-type]
            )
            lots = {lot.name for lot in catalogue.lots()}
            first = (LotEntry(name=self.lot),) if self.lot and self.lot not in lots else ()
        except ValidationError as error:
            found = error.errors(include_url=False)[0]
            raise LabrigError(f"nothing was entered: {'.'.join(map(str, found['loc']))}: {found['msg']}") from None
        how = How.EITHER if self.known or first else How.ADD
        return catalogue.store.enter((*first, entry), by=by, how=how)


class CouponDialog(Dialog):
    """Fields that are judged while they are typed; nothing is written before *Enter it*."""

    entered = Signal(object)
    """`Entered`"""

    def __init__(self, parent: QWidget, known: Entered, orders: Orders) -> None:
        title = f"Coupon {known.id}" if known.known else "New coupon"
        words = "Readings are typed with their units, separated by commas: 201 µm, 199 µm."
        super().__init__(parent, title, words, orders)
        self._known = known
        self.id = NameLine("Coupon", "the coupon's identifier", needed=True)
        self.lot, self.sheet, self.family = (
            NameLine(name, name.lower(), needed=False) for name in ("Lot", "Sheet", "Family")
        )
        self.barcode = Line("Barcode", hint="where its label is not the coupon's identifier: scan it here")
        self.readings = {name: Line(name.capitalize()) for name in READINGS}
        self.condition = choice("Condition")
        self.condition.addItems(list(CONDITIONS))
        self.note = Line("Note")
        self.wrong = text(kind="error", wrap=True)
        self.yes = button("&Enter it", self._enter, "primary")
        self.no = button("Cancel", self.reject)
        self._lay_out(known)
        for line in (self.id, self.lot, self.sheet, self.family, *self.readings.values()):
            line.changed.connect(self._judge)
        self._judge()

    def _lay_out(self, known: Entered) -> None:
        fields = form()
        lines = {"&Coupon": self.id, "&Lot": self.lot, "&Sheet": self.sheet, "&Family": self.family}
        for label, line in {**lines, "&Barcode": self.barcode}.items():
            add_field(fields, label, line)
        for name, line in self.readings.items():
            add_field(fields, name.capitalize(), line)
            line.edit.setText(getattr(known, name))
        if known.known:
            add_field(fields, "C&ondition", self.condition)
        add_field(fields, "No&te", self.note)
        for line, said in (
            (self.id, known.id),
            (self.lot, known.lot),
            (self.sheet, known.sheet),
            (self.family, known.family),
            (self.barcode, known.barcode),
            (self.note, known.note),
        ):
            line.edit.setText(said)
        self.condition.setCurrentText(known.condition)
        self.id.edit.setReadOnly(known.known)
        self.content.addLayout(fields)
        self.content.addWidget(self.wrong)
        self.buttons.addWidget(self.no)
        self.buttons.addWidget(self.yes)
        self.finish_layout()
        (self.lot if known.id else self.id).setFocus()

    def said(self) -> Entered:
        """What the fields hold."""
        return replace(
            self._known,
            id=self.id.words,
            lot=self.lot.words,
            sheet=self.sheet.words,
            family=self.family.words,
            barcode=self.barcode.words,
            thickness=self.readings["thickness"].words,
            diameter=self.readings["diameter"].words,
            condition=self.condition.currentText(),
            note=self.note.words,
        )

    def _judge(self) -> None:
        wrong = [line.error for line in (self.id, self.lot, self.sheet, self.family) if line.error]
        for name, line in self.readings.items():
            found = read(_field(name), line.words)
            line.judge(found.error, found.note)
            wrong += [found.error] if found.error else []
        if self.sheet.words and not self.lot.words:
            wrong.append("A sheet is of a lot: name the lot too")
        show(self.wrong, "" if identifier_error("", self.id.words, needed=True) else (wrong or [""])[0])
        self.wrong.setVisible(bool(self.wrong.text()))
        self.yes.setEnabled(not wrong)
        self.fit()

    def _enter(self) -> None:
        self.accept()
        self.entered.emit(self.said())


def _field(name: str) -> Field:
    return Field(name, name, "quantity", many=True, dimension="length", unit=READINGS[name], most=100, optional=True)


def _parts(typed: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in typed.split(",") if part.strip())


def _typed(readings: tuple[float, ...], symbol: str) -> str:
    own = unit(symbol)
    return ", ".join(f"{own.from_si(one):.6g} {symbol}" for one in readings)
