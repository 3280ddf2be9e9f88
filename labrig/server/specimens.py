"""The coupon of an order, as the catalogue knows it; a child asks the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from labrig.errors import RigError
from labrig.model import Coupon
from labrig.server import children
from labrig.wire.documents import Check, Ordered


class Specimens:
    """Asks anew for every check; `taken` uses what the last check of the same order was told."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._checked: tuple[Ordered, dict[str, Any]] | None = None

    def check(self, ordered: Ordered) -> Check:
        """What is known of the coupon, what was done to it, and whether the order can be right."""
        self._checked = None
        answer = self._asked(ordered)
        words = "; ".join([answer["words"], *answer["cautions"]])
        return Check(name="coupon", ok=not answer["refused"], words=answer["refused"] or words, caution=_told(answer))

    def taken(self, ordered: Ordered) -> Coupon:
        """The coupon for the run's header; raises `RigError` for one that the catalogue has in another lot."""
        answer = self._asked(ordered)
        self._checked = None  # the run changes what is known of it
        if answer["refused"]:
            raise RigError(f"{answer['refused']}; nothing was started")
        return _COUPON.validate_python(answer["coupon"])

    def _asked(self, ordered: Ordered) -> dict[str, Any]:
        if self._checked is not None and self._checked[0] == ordered:
            return self._checked[1]
        request = {"what": "coupon", "data": str(self._data), "coupon": ordered.coupon, "lot": ordered.lot}
        try:
            answer: dict[str, Any] = children.describe(request)
        except children.ChildFailed as error:  # a run never waits for the catalogue
            plain = {"id": ordered.coupon, "lot": ordered.lot}
            words = f"the run goes by what was ordered, because the catalogue cannot be asked: {error}"
            answer = {"coupon": plain, "words": words, "cautions": [], "refused": ""}
        self._checked = (ordered, answer)
        return answer


_COUPON = TypeAdapter(Coupon)


def _told(answer: dict[str, Any]) -> bool:
    return bool(answer["cautions"]) and not answer["refused"]
