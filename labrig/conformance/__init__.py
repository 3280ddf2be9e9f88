"""What every driver owes the core, as checks that any driver can be run through, ours or somebody else's.

A `Subject` says how to make the device; each of `CHECKS` takes it and raises `NotConforming` in words. The checks
operate the device's outputs: run them against a simulated device, or with nothing connected that could do harm. With
pytest::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_driver(check: Check) -> None:
        check(Subject(MyDriver, {"port": "COM1"}, connect=lambda settings: AnsweringLine({b"?": b"1.5 N"})))
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
from pydantic import ValidationError

from labrig import plugins
from labrig.clock import SECOND, monotonic
from labrig.conformance.subject import NotConforming, Subject, owes, refuses
from labrig.errors import InstrumentError, RigError
from labrig.model import Block, Output
from labrig.quantities import FROM_FILE
from labrig.roles import Actuator, Device, Regulator, Source, Valve, Watchdog

__all__ = ["CHECKS", "Check", "NotConforming", "Subject", "check_all"]
Check = Callable[[Subject], None]


def a_key_that_it_does_not_know_is_refused(subject: Subject) -> None:
    unknown = subject.extra or {"no_such_key": "red"}
    try:
        plugins.options_of(subject.driver).model_validate({**subject.table, **unknown}, context=FROM_FILE)
    except ValidationError:
        return
    raise NotConforming(f"the table takes {unknown}: the rig file could hold a mistyped key")


def its_table_has_a_schema(subject: Subject) -> None:
    schema = plugins.options_of(subject.driver).model_json_schema()
    owes(schema.get("additionalProperties") is False, "the schema of its table refuses other keys")
    owes(bool(schema.get("required")), "its table has a key that must be given")


def it_is_a_source_an_actuator_or_a_watchdog(subject: Subject) -> None:
    device = subject.made()
    owes(isinstance(device, Device), "it has a name, open() and close()")
    owes(isinstance(device, Source | Actuator | Watchdog), "it has every verb of a source, an actuator or a watchdog")


def what_it_has_is_known_before_it_is_opened(subject: Subject) -> None:
    device = subject.made()
    owes(device.name == subject.name, f"its name is the one it was given, {subject.name!r}, not {device.name!r}")
    if isinstance(device, Source):
        for channel in device.channels:
            owes(bool(channel.name and channel.raw_unit and channel.address), f"{channel} has name, unit and address")
            owes(channel.low < channel.high, f"the range of {channel.name} rises")
            finite = all(map(math.isfinite, channel.calibration.coefficients))
            owes(finite, f"the calibration of {channel.name} is finite")
        paced = device.period > 0
        owes(not paced or math.isclose(device.rate, 1 / device.period), "a paced source's rate is 1 / period")
    if isinstance(device, Actuator):
        for output in device.outputs:
            owes(output.low <= output.safe <= output.high, f"the safe state of {output.name} lies within its limits")
    owes(bool(_channels(device) or _outputs(device)) or isinstance(device, Watchdog), "it has a channel or an output")


def it_says_who_it_is_and_the_same_when_opened_again(subject: Subject) -> None:
    device = subject.made()
    try:
        identity = device.open()
        owes(bool(identity.strip()) and identity.isprintable(), f"open() returns who it is in a line, not {identity!r}")
        device.close()
        device.close()
        again = device.open()
        owes(again == identity, f"it says the same of itself again: {identity!r}, then {again!r}")
        device.open()
    finally:
        device.close()


def unopened_or_closed_it_says_so(subject: Subject) -> None:
    device = subject.made()
    try:
        for _ in range(2):
            for verb in _verbs_that_need_a_line(device):
                refuses(InstrumentError, verb, "a device that is not open says so with an InstrumentError")
            device.open()
            device.close()
    finally:
        device.close()


def a_read_gives_as_many_values_as_channels(subject: Subject) -> None:
    with subject.opened() as device:
        if not _channels(device) or not isinstance(device, Source):
            return
        device.start()
        began = monotonic()
        blocks = [device.read() for _ in range(subject.reads)]
        ended = monotonic()
        names = tuple(channel.name for channel in device.channels)
        for block in blocks:
            owes(block.source == device.name and block.channels == names, f"a block is of {device.name}: {names}")
            owes(block.values.dtype == np.float64 and block.times.dtype == np.int64, "float64 values, int64 times")
        times = np.concatenate([block.times for block in blocks])
        owes(bool((np.diff(times) > 0).all()), "times of samples go up")
        owes(bool(began - SECOND < times[0] and times[-1] <= ended), "times lie in the clock that it was given")
        device.stop()
        device.stop()


def indices_go_on_over_a_restart(subject: Subject) -> None:
    with subject.opened() as device:
        if not _channels(device) or not isinstance(device, Source):
            return
        device.start()
        before = [device.read() for _ in range(subject.reads)]
        _in_order(before)
        device.stop()
        device.close()
        device.open()
        device.start()
        after = device.read()
        last = before[-1].first + len(before[-1])
        owes(after.first >= last, f"sample {last - 1} is followed by a higher one after a restart, not {after.first}")


def values_that_are_none_say_so(subject: Subject) -> None:
    with subject.opened() as device:
        if not _channels(device) or not isinstance(device, Source):
            return
        device.start()
        for block in (device.read() for _ in range(subject.reads)):
            nothing = ~np.isfinite(block.values)
            owes(bool((block.quality[nothing] & 1).all()), "a value that is no number carries Quality.MISSING")


def opened_it_is_safe_and_stays_so_when_told_again(subject: Subject) -> None:
    with subject.opened() as device:
        if isinstance(device, Actuator):
            for _ in range(3):
                for output in device.outputs:
                    _is_safe(device, output)
                device.make_safe()


def a_valve_opens_and_closes_twice_without_harm(subject: Subject) -> None:
    with subject.opened() as device:
        for verbs in (verbs for _, verbs in _driven(device) if isinstance(verbs, Valve)):
            for verb, state in ((verbs.open, True), (verbs.open, True), (verbs.close, False), (verbs.close, False)):
                verb()
                owes(verbs.is_open() is state, f"told to {'open' if state else 'close'}, it reads back so")
        if isinstance(device, Actuator):
            device.make_safe()


def a_set_point_is_held_and_refused_outside_its_limits(subject: Subject) -> None:
    with subject.opened() as device:
        for output, verbs in _driven(device):
            if not isinstance(verbs, Regulator):
                continue
            middle, slack = (verbs.low + verbs.high) / 2, (verbs.high - verbs.low) / 100
            for _ in range(2):
                verbs.set(middle)
                owes(abs(verbs.setpoint() - middle) <= slack, f"{output.name} holds what it is told")
            for beyond in (verbs.high + slack, verbs.low - slack, math.nan):
                refuses(RigError, partial(verbs.set, beyond), f"{output.name} refuses {beyond:g}")
            owes(abs(verbs.setpoint() - middle) <= slack, f"{output.name} did not follow what it refused")
        if isinstance(device, Actuator):
            device.make_safe()


def an_unknown_output_is_refused(subject: Subject) -> None:
    device = subject.made()
    if isinstance(device, Actuator):
        refuses(RigError, lambda: device.output("no such output"), "an output that it does not have is a RigError")


def a_line_that_is_taken_away_is_an_instrument_error(subject: Subject) -> None:
    if subject.cut is None:
        return
    with subject.opened() as device:
        if isinstance(device, Source):
            device.start()
        subject.cut(device)
        for verb in _verbs_after_a_loss(device):
            refuses(InstrumentError, verb, "a line that is gone is an InstrumentError, and nothing else")
        device.close()


CHECKS: Final[tuple[Check, ...]] = (
    a_key_that_it_does_not_know_is_refused,
    its_table_has_a_schema,
    it_is_a_source_an_actuator_or_a_watchdog,
    what_it_has_is_known_before_it_is_opened,
    it_says_who_it_is_and_the_same_when_opened_again,
    unopened_or_closed_it_says_so,
    a_read_gives_as_many_values_as_channels,
    indices_go_on_over_a_restart,
    values_that_are_none_say_so,
    opened_it_is_safe_and_stays_so_when_told_again,
    a_valve_opens_and_closes_twice_without_harm,
    a_set_point_is_held_and_refused_outside_its_limits,
    an_unknown_output_is_refused,
    a_line_that_is_taken_away_is_an_instrument_error,
)


def check_all(subject: Subject) -> None:
    """Every check in turn; raises the first `NotConforming`, with the check's name in its notes."""
    for check in CHECKS:
        try:
            check(subject)
        except NotConforming as failure:
            failure.add_note(check.__name__)
            raise


def _channels(device: Device) -> bool:
    return isinstance(device, Source) and bool(device.channels)


def _outputs(device: Device) -> tuple[Output, ...]:
    return device.outputs if isinstance(device, Actuator) else ()


def _driven(device: Device) -> list[tuple[Output, Valve | Regulator]]:
    return [(output, device.output(output.name)) for output in device.outputs] if isinstance(device, Actuator) else []


def _is_safe(device: Actuator, output: Output) -> None:
    verbs = device.output(output.name)
    state = float(verbs.is_open()) if isinstance(verbs, Valve) else verbs.setpoint()
    slack = 1e-9 + (output.high - output.low) / 100
    owes(abs(state - output.safe) <= slack, f"{output.name} is in its safe state {output.safe:g}, not {state:g}")


def _in_order(blocks: list[Block]) -> None:
    for earlier, later in pairwise(blocks):
        expected = earlier.first + len(earlier)
        owes(later.first >= expected, f"sample {expected} or a later one comes next, not {later.first}")


def _verbs_that_need_a_line(device: Device) -> list[Callable[[], object]]:
    verbs: list[Callable[[], object]] = []
    if isinstance(device, Source):
        verbs += [device.start, device.read]
    if isinstance(device, Actuator) and device.outputs:
        verbs += [device.make_safe]
    if isinstance(device, Watchdog):
        verbs += [device.pet]
    return verbs


def _verbs_after_a_loss(device: Device) -> list[Callable[[], object]]:
    return [
        verb for verb in _verbs_that_need_a_line(device) if not (isinstance(device, Source) and verb == device.start)
    ]
