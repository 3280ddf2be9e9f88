"""Which task holds which part of the hardware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nidaqmx.constants import ChannelType

from labrig_instruments.simulated.ni.channels import Channel, terminals
from labrig_instruments.simulated.ni.errors import Code, DriverError

ENGINES: Final = 3
"""Timed analog input tasks that one chassis runs at a time (cDAQ-9189 specifications)."""


class Reservations:
    """Parts of the hardware, each held by one task at most."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}

    def take(self, task: str, wanted: Sequence[str]) -> None:
        """All of them or, when another task holds one, none: -50103.

        A name that ends in ``*`` stands for any one of `ENGINES` alike.
        """
        chosen = [self._chosen(task, name) for name in wanted]
        for name in chosen:
            self._holders[name] = task

    def release(self, task: str) -> None:
        self._holders = {name: holder for name, holder in self._holders.items() if holder != task}

    def _chosen(self, task: str, wanted: str) -> str:
        choices = [f"{wanted[:-1]}{k}" for k in range(ENGINES)] if wanted.endswith("*") else [wanted]
        for name in choices:
            if self._holders.get(name, task) == task:
                return name
        raise DriverError(Code.PAL_RESOURCE_RESERVED, f"Resource: {wanted.rstrip('*')}\n\nTask Name: {task}")


def resources(channels: Sequence[Channel], *, timed: bool) -> list[str]:
    """What a task needs for itself: the converter of a module, a timing engine of its chassis, its own outputs."""
    if channels[0].kind is not ChannelType.ANALOG_INPUT:
        return terminals(channels)
    converters = sorted({f"{channel.device.name}/ai" for channel in channels})
    groups = {channel.device.chassis or channel.device.name for channel in channels} if timed else set()
    return [*converters, *(f"{group}/ai timing engine *" for group in sorted(groups))]
