"""NI-DAQmx's C library as the `nidaqmx` package calls it, played on the simulated NI server.

A card in the computer is reached through another half of that package than a server: its library interpreter, with
handles, buffers whose size is asked for first, and references that the library fills. Here each function of the library
becomes the call of the same name; the parameters stand in the same order.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
import nidaqmx._lib as ni
import numpy as np
from nidaqmx._stubs import nidaqmx_pb2 as pb
from nidaqmx._stubs.nidaqmx_pb2_grpc import NiDAQmxStub

Value = Any  # Whatever ctypes, numpy or protobuf hand over.
_KINDS: Final = {
    ni.c_bool32: "Bool",
    ctypes.c_uint32: "UInt32",
    ctypes.c_int32: "Int32",
    ctypes.c_uint64: "UInt64",
    ctypes.c_double: "Double",
}
ATTRIBUTE: Final = "Attribute"
TEXTS: Final = frozenset({"GetExtendedErrorInfo", "GetErrorString"})


class Library:
    """Functions by name, each made when it is first asked for."""

    def __init__(self, server: str) -> None:
        self._channel = grpc.insecure_channel(server, options=[("grpc.use_local_subchannel_pool", 1)])
        self._stub: Value = NiDAQmxStub(self._channel)
        self._handles: dict[int, str] = {}
        self._said = ""
        self._functions: dict[str, Function] = {}

    def __getattr__(self, name: str) -> Function:
        call = name.removeprefix("DAQmx")
        if call not in TEXTS and not call.endswith(ATTRIBUTE) and not hasattr(pb, f"{call}Request"):
            raise AttributeError(name)  # an older library has not all of them either
        known = self._functions.get(name)
        if known is None:
            known = self._functions[name] = Function(lambda *arguments: self._called(name[5:], list(arguments)))
        return known

    def close(self) -> None:
        self._channel.close()

    def _called(self, name: str, arguments: list[Value]) -> int:
        if name in TEXTS:
            arguments[-2].value = self._said.encode()[: arguments[-1] - 1]
            return 0
        if name == "CreateWatchdogTimerTaskEx":
            arguments = [*arguments[:2], arguments[3], arguments[2]]  # its reference stands before its time-out
        if name.startswith("Get") and name.endswith(ATTRIBUTE):
            return self._attribute(name, arguments)
        if name.startswith("Set") and name.endswith(ATTRIBUTE):
            name += _KINDS[type(arguments[-1])]
            arguments = [*arguments[:-1], arguments[-1].value]
        return self._carried_out(name, arguments)[0]

    def _attribute(self, name: str, arguments: list[Value]) -> int:
        if isinstance(arguments[-1], int):  # a buffer and its size: without one, the size that it needs is told
            *asked, buffer, size = arguments
            code, answer = self._carried_out(f"{name}String", asked)
            text = b"" if code else answer.value.encode() + b"\0"
            if code or not size:
                return code or len(text)
            buffer.raw = text
            return 0
        *asked, reference = arguments
        kind = _KINDS[type(reference._obj)]
        code, answer = self._carried_out(f"{name}{kind}", asked)
        if not code:
            reference._obj.value = answer.value_raw if kind == "Int32" else answer.value
        return code

    def _carried_out(self, name: str, arguments: list[Value]) -> tuple[int, Value]:
        """The library's return code, and the server's answer; references and arrays are filled."""
        request = self._request(name, arguments)
        try:
            answer = getattr(self._stub, name)(request)
        except grpc.RpcError as error:
            told: Value = error
            metadata = dict(told.trailing_metadata())
            if "ni-error" not in metadata:
                raise
            self._said = told.details()
            return int(metadata["ni-error"]), None
        if answer.status:
            self._said = "Some or all of the samples requested have not yet been acquired."
        self._fill(answer, arguments)
        return int(answer.status), answer

    def _request(self, name: str, arguments: list[Value]) -> Value:
        make = getattr(pb, f"{name}Request")
        fields = [
            field
            for field in make.DESCRIPTOR.fields
            if (field.containing_oneof is None or field.name.endswith("_raw"))
            and field.name != "initialization_behavior"
        ]
        reads = "read_array" in getattr(pb, f"{name}Response").DESCRIPTOR.fields_by_name
        given = [each for each in arguments if not (reads and isinstance(each, np.ndarray))]
        request = make()
        for field, value in zip(fields, given, strict=False):
            if field.name == "task":
                request.task.name = self._handles.get(value.value, "no such task")
            elif isinstance(value, np.ndarray) and field.type == field.TYPE_BYTES:
                setattr(request, field.name, value.tobytes())
            elif isinstance(value, np.ndarray):
                getattr(request, field.name).extend(value.tolist())
            else:
                setattr(request, field.name, value)
        return request

    def _fill(self, answer: Value, arguments: list[Value]) -> None:
        outputs = [
            field.name
            for field in answer.DESCRIPTOR.fields
            if field.name not in {"status", "read_array", "new_session_initialized"}
        ]
        references = [each._obj for each in arguments if hasattr(each, "_obj")]
        for name, reference in zip(outputs, references, strict=False):
            if name == "task":
                reference.value = len(self._handles) + 1
                self._handles[reference.value] = answer.task.name
            else:
                reference.value = getattr(answer, name)
        for array in (each for each in arguments if isinstance(each, np.ndarray)):
            if hasattr(answer, "read_array"):
                raw = answer.read_array
                values = np.frombuffer(raw, np.bool_) if isinstance(raw, bytes) else np.array(raw, array.dtype)
                array.reshape(-1)[: len(values)] = values[: array.size]


class Function:
    """A function of the library: callable, and the package notes its parameters' types on it."""

    def __init__(self, call: Callable[..., int]) -> None:
        self._call = call
        self.argtypes: Value = None

    def __call__(self, *arguments: Value) -> int:
        return self._call(*arguments)


@contextmanager
def installed(server: str) -> Iterator[None]:
    """The library is there, and the devices of that server are in this computer."""
    library, importer = Library(server), ni.lib_importer
    importer._windll = importer._cdll = ni.DaqFunctionImporter(library)
    importer._encoding = "utf-8"
    try:
        yield
    finally:
        importer._windll = importer._cdll = importer._encoding = None
        library.close()
