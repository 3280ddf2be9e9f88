"""A question of the method to the operator, on every page until it is answered; its choices are big buttons."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QPushButton

from labrig.wire.documents import QuestionPaper
from labrig_ui.desk import Desk
from labrig_ui.orders import Orders
from labrig_ui.parts import button, clear, column, row, set_kind, show, text


class QuestionPanel(QFrame):
    """Shows the question that waits; hidden while none does."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        super().__init__()
        self._desk, self._orders = desk, orders
        self._question: QuestionPaper | None = None
        set_kind(self, "question")
        self.setAccessibleName("Question to the operator")
        self.words = text(kind="asked", wrap=True)
        self._row = row(spacing=12)
        self.buttons: tuple[QPushButton, ...] = ()
        asked = column(text("The method asks", "muted"), self.words, spacing=2)
        layout = row(asked, self._row, margin=12, spacing=20, into=self)
        layout.setStretch(0, 1)
        orders.failed.connect(self._allow)
        desk.status_changed.connect(self.refresh)
        desk.attachment_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        status = self._desk.status
        question = status.question if status is not None and self._desk.server is not None else None
        if question != self._question:
            self._question = question
            self._show(question)
        self.setVisible(question is not None)

    def _show(self, question: QuestionPaper | None) -> None:
        clear(self._row)
        self.buttons = ()
        if question is None:
            return
        show(self.words, question.text, "Question")
        self.setAccessibleDescription(question.text)
        self.buttons = tuple(self._choice(number, one) for number, one in enumerate(question.choices, start=1))
        for made in self.buttons:
            self._row.addWidget(made)

    def _choice(self, number: int, choice: str) -> QPushButton:
        made = button(
            choice.replace("&", "&&"),
            lambda: self._answer(choice),
            "choice",
            name=choice,
            tip=f"Answer the question (Alt+Shift+{number})",
        )
        made.setShortcut(f"Alt+Shift+{number}")
        return made

    def _answer(self, choice: str) -> None:
        if self._question is None:
            return
        for made in self.buttons:
            made.setEnabled(False)
        self._orders.answer(self._question.question, choice)

    def _allow(self) -> None:
        for made in self.buttons:
            made.setEnabled(True)
