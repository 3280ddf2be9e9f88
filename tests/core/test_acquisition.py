"""What opening a rig does with instruments that cannot be opened."""

from __future__ import annotations

import pytest

from labrig.acquisition import Acquisition
from labrig.errors import InstrumentError, LinkLost, WatchdogExpired
from tests.core.test_poll import Device, Patience


def opened(error: InstrumentError, *, reconnect: bool) -> tuple[Acquisition, Device, Device]:
    clock = Patience()
    sound, refused = Device(clock, iter(())), Device(clock, iter(()))
    sound.is_open = refused.is_open = False
    refused.answers = [error]
    return Acquisition({"sound": sound, "refused": refused}, clock, reconnect=reconnect), sound, refused


@pytest.mark.fault("DEV-13")
@pytest.mark.expected_logs("labrig.acquisition")
def test_a_source_that_an_expired_watchdog_keeps_does_not_keep_the_server_from_its_rig() -> None:
    """A chassis may refuse every task until a person resets it, which needs a server."""
    acquisition, sound, refused = opened(WatchdogExpired("expired"), reconnect=True)

    identities = acquisition.open()

    assert set(identities) == {"sound"}
    assert (sound.is_open, refused.is_open) == (True, False)


@pytest.mark.parametrize(("error", "reconnect"), [(WatchdogExpired("expired"), False), (LinkLost("gone"), True)])
def test_any_other_failure_leaves_none_open(error: InstrumentError, *, reconnect: bool) -> None:
    """And so does that one where nobody could reset the watchdog: without a server."""
    acquisition, sound, _ = opened(error, reconnect=reconnect)

    with pytest.raises(type(error)):
        acquisition.open()

    assert not sound.is_open
