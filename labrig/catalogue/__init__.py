"""What the laboratory knows of its specimens: lots, sheets, coupons, runs, results; docs/catalogue.md.

``with``-less: `open_catalogue` checks the file, and every question opens and closes it for itself.
"""

from labrig.catalogue.attaching import attach
from labrig.catalogue.entries import CouponEntry, Entry, LotEntry, OperatorEntry, SheetEntry
from labrig.catalogue.reading import Catalogue, open_catalogue, replicates
from labrig.catalogue.rebuilding import Rebuilt, check, rebuild
from labrig.catalogue.records import (
    AttachmentRow,
    ChangeRow,
    CouponRow,
    LotRow,
    Replicates,
    ResultRow,
    RunRow,
)
from labrig.catalogue.search import Filter
from labrig.catalogue.store import How, Store

__all__ = [
    "AttachmentRow",
    "Catalogue",
    "ChangeRow",
    "CouponEntry",
    "CouponRow",
    "Entry",
    "Filter",
    "How",
    "LotEntry",
    "LotRow",
    "OperatorEntry",
    "Rebuilt",
    "Replicates",
    "ResultRow",
    "RunRow",
    "SheetEntry",
    "Store",
    "attach",
    "check",
    "open_catalogue",
    "rebuild",
    "replicates",
]
