"""Where serial devices are plugged in when nobody says where."""

from __future__ import annotations

import errno
import os

import pytest

from labrig_instruments.simulated.ports import plug


def test_a_line_is_a_socket_where_no_pseudo_terminal_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[int, int]:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    monkeypatch.setattr(os, "openpty", refuse)
    port = plug()
    port.close()

    assert port.url.startswith("socket://127.0.0.1:")


def test_a_line_is_a_socket_where_a_pseudo_terminal_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> str:
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))

    monkeypatch.setattr(os, "ttyname", refuse)
    port = plug()
    port.close()

    assert port.url.startswith("socket://127.0.0.1:")
