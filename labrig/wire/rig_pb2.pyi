from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Document(_message.Message):
    __slots__ = ("json",)
    JSON_FIELD_NUMBER: _ClassVar[int]
    json: str
    def __init__(self, json: _Optional[str] = ...) -> None: ...

class TraceRequest(_message.Message):
    __slots__ = ("channel", "start", "end", "run")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    channel: str
    start: int
    end: int
    run: str
    def __init__(self, channel: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., run: _Optional[str] = ...) -> None: ...

class Digest(_message.Message):
    __slots__ = ("source", "channels", "starts", "ends", "n", "mean", "m2", "low", "high", "last", "quality")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    M2_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    source: str
    channels: _containers.RepeatedScalarFieldContainer[str]
    starts: bytes
    ends: bytes
    n: bytes
    mean: bytes
    m2: bytes
    low: bytes
    high: bytes
    last: bytes
    quality: bytes
    def __init__(self, source: _Optional[str] = ..., channels: _Optional[_Iterable[str]] = ..., starts: _Optional[bytes] = ..., ends: _Optional[bytes] = ..., n: _Optional[bytes] = ..., mean: _Optional[bytes] = ..., m2: _Optional[bytes] = ..., low: _Optional[bytes] = ..., high: _Optional[bytes] = ..., last: _Optional[bytes] = ..., quality: _Optional[bytes] = ...) -> None: ...

class Update(_message.Message):
    __slots__ = ("digest", "event", "status")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    digest: Digest
    event: Document
    status: Document
    def __init__(self, digest: _Optional[_Union[Digest, _Mapping]] = ..., event: _Optional[_Union[Document, _Mapping]] = ..., status: _Optional[_Union[Document, _Mapping]] = ...) -> None: ...
