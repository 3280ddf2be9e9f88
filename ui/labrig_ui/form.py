"""The parameters of a method as a form: a field with its unit, and what is wrong with it, beside its name."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QVBoxLayout, QWidget

from labrig.wire.documents import MethodPaper
from labrig_ui.fields import Field, as_typed, fields_of, identifier_error, read
from labrig_ui.parts import add_field, choice, clear, column, form, restyle, set_kind, text


class Line(QWidget):
    """A text field with a line below it: a hint, or in its place the error."""

    changed = Signal()

    def __init__(self, name: str, *, hint: str = "", placeholder: str = "") -> None:
        super().__init__()
        self.edit = QLineEdit()
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText(placeholder)
        self._hint = hint
        self.below = text(hint, "hint", wrap=True)
        column(self.edit, self.below, spacing=2, into=self)
        self.setFocusProxy(self.edit)
        self.edit.textChanged.connect(lambda _: self.changed.emit())
        self.edit.returnPressed.connect(self._go_on)
        self.judge("")

    @property
    def words(self) -> str:
        return self.edit.text().strip()

    def judge(self, error: str, note: str = "") -> None:
        """Show what is wrong, or that nothing is."""
        said = error or note or self._hint
        self.below.setText(said)
        self.below.setVisible(bool(said))
        set_kind(self.below, "error" if error else "hint")
        self.edit.setAccessibleDescription(said)
        if self.edit.property("wrong") != bool(error):
            self.edit.setProperty("wrong", bool(error))
            restyle(self.edit)

    def _go_on(self) -> None:
        """A bar code scanner ends with Enter: on to the next field, and nothing else."""
        self.edit.focusNextChild()


class NameLine(Line):
    """The name of a thing in the laboratory."""

    def __init__(self, name: str, what: str, *, needed: bool) -> None:
        super().__init__(name, hint="" if needed else "may be left empty")
        self._what, self._needed, self._touched = what, needed, False
        self.edit.textEdited.connect(self._touch)
        self.changed.connect(self.check)

    @property
    def error(self) -> str:
        return identifier_error(self._what, self.words, needed=self._needed)

    def check(self) -> None:
        """An empty field that nobody has touched yet is not called wrong."""
        self.judge(self.error if self._touched or self.words else "")

    def _touch(self) -> None:
        self._touched = True


class Form(QWidget):
    """Fields of one method at a time."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._fields: dict[str, tuple[Field, QWidget]] = {}
        self._method: MethodPaper | None = None

    def show_method(self, method: MethodPaper | None) -> None:
        """Fields for a method, at its values; what was typed for another is gone."""
        clear(self._column)
        self._fields, self._method = {}, method
        if method is None:
            return
        layout = form()
        for one in fields_of(method):
            widget = self._widget(one)
            add_field(layout, one.label, widget)
            self._fields[one.name] = one, widget
        if not self._fields:
            self._column.addWidget(text("This method has no parameters.", "muted"))
        self._column.addLayout(layout)
        self._column.addStretch(1)

    def restore(self) -> None:
        """The method's own values."""
        self.show_method(self._method)
        self.changed.emit()

    def set_text(self, name: str, typed: str) -> None:
        """Fill in a field as a person would."""
        _type(self._fields[name][1], typed)

    def widget(self, name: str) -> QWidget:
        return self._fields[name][1]

    def errors(self) -> dict[str, str]:
        """What is wrong, by field."""
        found = {name: read(one, _typed(widget)).error for name, (one, widget) in self._fields.items()}
        return {name: error for name, error in found.items() if error}

    def changes(self) -> dict[str, Any]:
        """Values that differ from the method's, as the server takes them. Any: JSON."""
        return {
            name: read(one, _typed(widget)).value
            for name, (one, widget) in self._fields.items()
            if _typed(widget) != one.given
        }

    def _widget(self, one: Field) -> QWidget:
        if one.kind == "flag" and not one.many:
            box = QCheckBox(one.help or "yes")
            box.setAccessibleName(one.label)
            box.setToolTip(one.help)
            box.setMinimumWidth(1)  # long words are cut off instead of making the whole form wider than its room
            box.setChecked(one.given == "yes")
            box.toggled.connect(lambda _: self.changed.emit())
            return box
        if one.kind == "choice" and not one.many:
            combo = choice(one.label)
            combo.addItems(list(one.choices))
            combo.setMinimumWidth(1)
            combo.setCurrentText(one.given)
            combo.currentIndexChanged.connect(lambda _: self.changed.emit())
            return combo
        line = Line(one.label, hint=one.hint)
        line.edit.setText(one.given)
        line.changed.connect(lambda: self._typed_in(one, line))
        return line

    def _typed_in(self, one: Field, line: Line) -> None:
        found = read(one, line.words)
        line.judge(found.error, found.note)
        self.changed.emit()


def _typed(widget: QWidget) -> str:
    match widget:
        case QCheckBox():
            return as_typed(widget.isChecked())
        case QComboBox():
            return widget.currentText()
        case Line():
            return widget.words
        case _:
            return ""


def _type(widget: QWidget, typed: str) -> None:
    match widget:
        case QCheckBox():
            widget.setChecked(typed == "yes")
        case QComboBox():
            widget.setCurrentText(typed)
        case Line():
            widget.edit.setText(typed)
