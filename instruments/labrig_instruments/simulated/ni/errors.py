"""What the driver refuses, with NI's numbers and in short what NI says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nidaqmx.error_codes import DAQmxErrors as Code

__all__ = ["TEXTS", "ClientGone", "Code", "DriverError"]

TEXTS: Final[Mapping[int, str]] = {
    Code.INVALID_DEVICE_ID: "Device identifier is invalid.",
    Code.DEV_CANNOT_BE_ACCESSED: "Device cannot be accessed. It might be disconnected, or have lost its power.",
    Code.PHYSICAL_CHAN_DOES_NOT_EXIST: "Physical channel specified does not exist on this device.",
    Code.PHYSICAL_CHANNEL_NOT_SPECIFIED: "You must specify a physical channel.",
    Code.INVALID_RANGE_OF_OBJECTS_SYNTAX_IN_STRING: "Syntax for a range of objects in the input string is invalid.",
    Code.INVALID_PHYS_CHAN_TYPE: (
        "I/O type of the physical channel does not match the I/O type required for this operation."
    ),
    Code.PHYS_CHAN_MEAS_TYPE: "Measurement type is not supported by the physical channel.",
    Code.CHAN_ALREADY_IN_TASK: "Specified channel cannot be added to the task, because a channel with the same name "
    "is already in the task.",
    Code.LAB_VIEW_INVALID_TASK_OR_CHANS: "Value passed to the task/channels in control is invalid.",
    Code.PAL_RESOURCE_RESERVED: (
        "The specified resource is reserved. The operation could not be completed as specified."
    ),
    Code.INVALID_TASK: "Task specified is invalid or does not exist.",
    Code.INVALID_ATTRIBUTE_VALUE: "Requested value is not a supported value for this property.",
    Code.ATTR_NOT_SUPPORTED: "Specified property is not supported by the device or is not applicable to the task.",
    Code.CANNOT_SET_PROPERTY_WHEN_TASK_RUNNING: "Specified property cannot be set while the task is running.",
    Code.CAN_NOT_PERFORM_OP_WHILE_TASK_RUNNING: "Specified operation cannot be performed while the task is running.",
    Code.CAN_NOT_PERFORM_OP_WHEN_NO_CHANS_IN_TASK: (
        "Specified operation cannot be performed when there are no channels in the task."
    ),
    Code.CANNOT_GET_PROPERTY_WHEN_TASK_NOT_RESERVED_COMMITTED_OR_RUNNING: (
        "Specified property cannot be read while the task is not reserved, committed or running."
    ),
    Code.CANNOT_REGISTER_DA_QMX_SOFTWARE_EVENT_WHILE_TASK_IS_RUNNING: (
        "DAQmx software event cannot be registered because the task is running."
    ),
    Code.EVERY_N_SAMPS_ACQ_INTO_BUFFER_EVENT_ALREADY_REGISTERED: (
        "Every N Samples Acquired Into Buffer Event already registered within the task."
    ),
    Code.DONE_EVENT_ALREADY_REGISTERED: "Done Event already registered within the task.",
    Code.CANNOT_READ_WHEN_AUTO_START_FALSE_AND_TASK_NOT_RUNNING_OR_COMMITTED: (
        "Read cannot be performed when the auto-start property is false and the task is not running or committed."
    ),
    Code.CANNOT_WRITE_WHEN_AUTO_START_FALSE_AND_TASK_NOT_RUNNING: (
        "Write cannot be performed when the auto start input to DAQmx Write is false, task is not running, and timing "
        "for the task is not configured or Timing Type is set to On Demand."
    ),
    Code.WRITE_NUM_CHANS_MISMATCH: "Number of channels in the data does not match the number of channels in the task.",
    Code.INVALID_AO_DATA_WRITE: "Attempted writing analog data that is too large or too small.",
    Code.READ_BUFFER_TOO_SMALL: "Buffer is too small to fit read data.",
    Code.SAMPLES_NO_LONGER_AVAILABLE: (
        "The application is not able to keep up with the hardware acquisition. Increasing the buffer size, reading "
        "the data more frequently, or specifying a fixed number of samples to read might correct the problem."
    ),
    Code.SAMPLES_WILL_NEVER_BE_AVAILABLE: "Attempted to read a sample beyond the final sample acquired.",
    Code.SAMPLES_NOT_YET_AVAILABLE: "Some or all of the samples requested have not yet been acquired.",
    Code.WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE: (
        "Wait Until Done did not indicate that the task was done within the specified timeout."
    ),
    Code.WATCHDOG_TIMER_NOT_SUPPORTED: "Watchdog timer is not supported on this device.",
    Code.WATCHDOG_TIMEOUT_OUT_OF_RANGE_AND_NOT_SPECIAL_VAL: "Watchdog timeout is out of range.",
    Code.ACTION_NOT_SUPPORTED_TASK_NOT_WATCHDOG: "Requested action is not supported, because the task is no watchdog.",
    Code.CANT_RESET_EXPIRED_WATCHDOG: "Watchdog timer has expired; an expired timer cannot be reset.",
    Code.WRITE_FAILED_BECAUSE_WATCHDOG_EXPIRED: "Write failed, because a watchdog timer on the device has expired.",
    Code.CONFIG_FAILED_BECAUSE_WATCHDOG_EXPIRED: (
        "Device cannot be configured, because its watchdog timer has expired. Clear the expiration or reset the device."
    ),
    Code.CANT_RESERVE_WATCHDOG_TASK_WHILE_OTHER_TASKS_RESERVED: (
        "Watchdog timer task cannot be reserved while other tasks are reserved on the chassis."
    ),
    Code.MULTIPLE_COUNTER_INPUT_TASK: "Only one counter input channel can be created in a task.",
    Code.RUNTIME_ABORTING_ROUTING: "Specified operation did not complete, because it was aborted.",
    Code.ROUTE_NOT_SUPPORTED_BY_HW: "Specified route cannot be satisfied, because the hardware does not support it.",
}


class DriverError(Exception):
    """A call that the driver refuses."""

    def __init__(self, code: Code, detail: str = "", *, read: int | None = None) -> None:
        self.code, self.read = code, read
        super().__init__("\n\n".join(part for part in (TEXTS[code], detail, f"Status Code: {int(code)}") if part))


class ClientGone(Exception):
    """Whoever waited for an answer has hung up."""
