"""Specimens at the desktop, with a real catalogue in the data folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from labrig.catalogue import CouponEntry, LotEntry, open_catalogue
from labrig_ui.app import Desktop
from labrig_ui.coupon_dialog import CouponDialog
from labrig_ui.main_window import ORDER, SPECIMENS
from tests.ui.conftest import Until
from tests.ui.fake import FakeRig
from tests.ui.test_access import nameless


@pytest.fixture
def known(rig: FakeRig) -> Path:
    """Two coupons of a lot, one of them with a label, and one of another."""
    entries = (
        LotEntry(name="L-04", family="PSU"),
        CouponEntry(id="C-1", lot="L-04", barcode="4006381333931", thickness=("201 µm", "199 µm")),  # type: ignore[arg-type]
        CouponEntry(id="C-2", lot="L-04"),
        CouponEntry(id="D-1", lot=""),
    )
    open_catalogue(rig.data).store.enter(entries, by="somebody")
    return rig.data


def opened(desktop: Desktop, until: Until, coupons: int) -> None:
    desktop.window.go(SPECIMENS)
    until(lambda: desktop.window.specimens_page.list.rowCount() == coupons)


def said(desktop: Desktop) -> str:
    """All that stands on the right."""
    page = desktop.window.specimens_page
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def test_a_scanned_barcode_opens_its_coupon(known: Path, desktop: Desktop, until: Until) -> None:
    opened(desktop, until, 3)
    page = desktop.window.specimens_page

    QTest.keyClicks(page.search, "4006381333931")
    QTest.keyClick(page.search, Qt.Key.Key_Return)

    until(lambda: page.story is not None and page.story.coupon.id == "C-1")
    assert "Thickness: 200.0 µm (mean of 2 readings)" in said(desktop)
    assert "Lot: L-04" in said(desktop)
    assert "Nothing has been measured on it yet." in said(desktop)


def test_a_lot_is_listed_alone(known: Path, desktop: Desktop, until: Until) -> None:
    opened(desktop, until, 3)
    page = desktop.window.specimens_page

    page.lot.setCurrentText("L-04")

    until(lambda: page.list.rowCount() == 2)


def test_measure_it_prepares_a_run_of_the_coupon(known: Path, desktop: Desktop, until: Until) -> None:
    opened(desktop, until, 3)
    page = desktop.window.specimens_page
    QTest.keyClicks(page.search, "C-2")
    until(lambda: page.story is not None and page.story.coupon.id == "C-2")

    page.measure.emit("C-2", "L-04")

    order = desktop.window.order_page
    assert desktop.window.pages.currentIndex() == ORDER
    assert (order.coupon.words, order.lot.words) == ("C-2", "L-04")


def test_a_coupon_is_entered_with_its_readings_and_the_operators_name(
    desktop: Desktop, rig: FakeRig, until: Until
) -> None:
    desktop.orders.by = "bench"
    opened(desktop, until, 0)
    until(lambda: "no coupons yet" in said(desktop))
    page = desktop.window.specimens_page
    dialog = dialog_of(desktop)

    for line, typed in ((dialog.id, "C-9"), (dialog.lot, "L-9"), (dialog.readings["diameter"], "25.1 mm, 25.0")):
        line.edit.setText(typed)
    assert not dialog.yes.isEnabled(), "a reading without a unit"
    dialog.readings["diameter"].edit.setText("25.1 mm, 25.0 mm")
    dialog.yes.click()

    until(lambda: page.story is not None and page.story.coupon.id == "C-9")
    assert page.story is not None
    assert page.story.coupon.geometry.diameter == pytest.approx((0.0251, 0.025))
    assert open_catalogue(rig.data).changes()[0].by == "bench"


def test_a_coupon_that_is_known_is_not_entered_anew(known: Path, desktop: Desktop, until: Until) -> None:
    opened(desktop, until, 3)
    dialog = dialog_of(desktop)
    dialog.id.edit.setText("C-1")

    dialog.yes.click()

    until(lambda: "does not answer" in desktop.window.specimens_page.said.text() or "C-1" in said(desktop))
    assert open_catalogue(known).coupon("C-1").lot == "L-04"  # type: ignore[union-attr]


def test_every_control_of_the_dialog_has_a_name(desktop: Desktop) -> None:
    dialog = dialog_of(desktop)

    assert nameless(dialog) == []
    dialog.reject()


def dialog_of(desktop: Desktop) -> CouponDialog:
    desktop.window.specimens_page.enter_new()
    return desktop.window.findChildren(CouponDialog)[-1]
