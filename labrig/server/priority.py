"""Processor time: a rig server, and a simulated rig, before other programs and before the children that compute for it.

A simulated rig stands for hardware, which nobody else's programs delay.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import Final

log = logging.getLogger(__name__)
FIRST: Final = -10
"""Nice steps of both, as seen from where each was started; below 0 only where the system permits, and only once."""
LAST: Final = 10
"""Nice steps of children that rehearse and analyse."""
SWITCH: Final = 0.0005
"""Seconds after which a thread that computes lets another one go on; Python's own 5 ms would delay the guardian."""


def go_first() -> None:
    """Call before any thread is made: each inherits it. Where the system refuses, the log says so, and all is well."""
    sys.setswitchinterval(SWITCH)
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), subprocess.HIGH_PRIORITY_CLASS)
        return
    try:
        own = os.getpriority(os.PRIO_PROCESS, 0)
        log.info("priority: nice %d", own if own <= FIRST else os.nice(FIRST))
    except OSError as error:
        log.info("priority: as other programs (%s); the right to more is called CAP_SYS_NICE", error.strerror)


def go_as_others(process: subprocess.Popen[bytes]) -> None:
    """A child that commands the rig, or whose answer a person waits for: as important as other programs."""
    _renice(process, 0)


def go_last(process: subprocess.Popen[bytes]) -> None:
    """A child that computes while nobody waits."""
    _renice(process, LAST)


def _renice(process: subprocess.Popen[bytes], steps: int) -> None:
    """Steps below other programs, or below this one where it stands after them itself."""
    if sys.platform == "win32":
        return  # a child does not inherit the server's class
    try:
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, process.pid, min(19, max(own, 0) + steps))
    except OSError as error:  # it has ended already
        log.debug("a child keeps its priority: %s", error)
