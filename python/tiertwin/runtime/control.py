"""What a launcher and its children say to each other over pipes: small messages, one length-prefixed MessagePack each.

The first line on a child's standard input is its configuration, JSON; after it, in both directions, messages of this
module. They stay on one host, between a process and the children it started; twins never speak through them.
"""

from __future__ import annotations

import os
import struct
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
import numpy as np

from tiertwin.allocate.leaf import LeafProblem
from tiertwin.errors import ProcessError
from tiertwin.plant import PlantKpis, RadioKpis
from tiertwin.runtime.observed import EdgeObserved, InnerObserved, Observation, RoundObserved

LARGEST = 1 << 28  # bytes of one message: more is a mistake
_LENGTH = struct.Struct("<I")
_ARRAY, _RECORD = 1, 2
_RECORDS: dict[str, type] = {
    t.__name__: t for t in (EdgeObserved, InnerObserved, LeafProblem, Observation, PlantKpis, RadioKpis, RoundObserved)
}


class Message(msgspec.Struct, tag=True, frozen=True):
    """A message; every kind below is one."""


# -- launcher to child -------------------------------------------------------------------------------------------------
class Address(msgspec.Struct, frozen=True):
    """Where a node listens."""

    host: str
    port: int


class Connect(Message, frozen=True):
    """Where the parents of this process's nodes listen: connect; under the real clock, epoch 0 begins at `origin`."""

    addresses: dict[str, Address]
    origin: int = 0


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """A frame under way between processes: it counts as delivered at virtual time `at`."""

    sender: str
    receiver: str
    at: int


class Open(Message, frozen=True):
    """Start every node (virtual time 0)."""


class BeginEpoch(Message, frozen=True):
    """Plan a base epoch, from `start` to `end` (ns)."""

    epoch: int
    start: int
    end: int


class Go(Message, frozen=True):
    """Let everything happen before `until`; frames that arrive meanwhile are `arrivals`, in order of sending."""

    until: int
    arrivals: list[Arrival]


class Collect(Message, frozen=True):
    """The epoch is over at `now`: say what was logged and seen."""

    now: int


class Call(Message, frozen=True):
    """Call a method of what the child owns (the store's writer)."""

    method: str
    args: list[Any]
    options: dict[str, Any]


class Stop(Message, frozen=True):
    """End in order."""


# -- child to launcher -------------------------------------------------------------------------------------------------
class Ready(Message, frozen=True):
    """The sockets are bound and proved: where each node listens."""

    ports: dict[str, int]


class Linked(Message, frozen=True):
    """Every connection to a parent stands."""


class Done(Message, frozen=True):
    """What was asked is done: when something happens next, and which frames left for other processes."""

    next: int | None
    sent: list[Arrival]


class Collected(Message, frozen=True):
    """Log entries, what was seen, the plant's books where it is; wall seconds of the epoch where one process ran it."""

    records: list[dict[str, Any]]
    seen: Any
    kpis: Any = None
    truth: Any = None
    peak_mb: float = 0.0
    seconds: float = 0.0


class Returned(Message, frozen=True):
    """A called method returned."""

    value: Any = None


class Failed(Message, frozen=True):
    """The child cannot go on; in words for a person."""

    reason: str
    kind: str = "ProcessError"


_MESSAGES = (
    Connect | Open | BeginEpoch | Go | Collect | Call | Stop | Ready | Linked | Done | Collected | Returned | Failed
)


def _encode_other(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return value.tolist()
        head = msgspec.msgpack.encode([value.dtype.str, list(value.shape)])
        return msgspec.msgpack.Ext(_ARRAY, _LENGTH.pack(len(head)) + head + np.ascontiguousarray(value).tobytes())
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"Expected plain values, arrays and records in a message, got {type(value).__name__}.")


def _plain(value: Any) -> Any:
    """Turn records into extensions, at any depth; msgspec would send them as maps without a name."""
    if is_dataclass(value) and type(value).__name__ in _RECORDS:
        body = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        return msgspec.msgpack.Ext(_RECORD, _ENCODER.encode([type(value).__name__, body]))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _decode_other(code: int, data: memoryview) -> Any:
    if code == _ARRAY:
        (length,) = _LENGTH.unpack_from(data)
        kind, shape = msgspec.msgpack.decode(data[4 : 4 + length])
        return np.frombuffer(data[4 + length :], dtype=np.dtype(kind)).reshape(shape).copy()
    if code == _RECORD:
        name, body = _INNER.decode(data)
        return _RECORDS[name](**_restored(name, body))
    raise ValueError(f"Expected an array or a record in a message, got extension {code}.")


def _restored(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return body | {"shape": tuple(body["shape"])} if name == "PlantKpis" else body


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_encode_other)
_INNER = msgspec.msgpack.Decoder(ext_hook=_decode_other)
_DECODER = msgspec.msgpack.Decoder(_MESSAGES, ext_hook=_decode_other)


def encode(message: Message) -> bytes:
    """Return a message as it goes into a pipe."""
    if isinstance(message, Collected):
        message = msgspec.structs.replace(message, seen=_plain(message.seen), kpis=_plain(message.kpis))
    body = _ENCODER.encode(message)
    return _LENGTH.pack(len(body)) + body


class Reader:
    """Takes a pipe apart into messages.

    Parameters
    ----------
    fd
        File descriptor to read from.
    who
        Name of the other end, for errors.
    """

    def __init__(self, fd: int, who: str) -> None:
        self.fd = fd
        self._who = who
        self._held = bytearray()
        self.ended = False

    def fill(self) -> bool:
        """Read what is there, waiting for at least one byte; False at the end of the pipe."""
        chunk = os.read(self.fd, 1 << 20)
        if not chunk:
            self.ended = True
            return False
        self._held += chunk
        return True

    def take(self) -> Any:
        """Return the next complete message, None when there is none yet."""
        if len(self._held) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._held)
        if length > LARGEST:
            raise ProcessError(f"{self._who}: expected a message below {LARGEST} bytes, got one of {length}.")
        end = _LENGTH.size + length
        if len(self._held) < end:
            return None
        message = _DECODER.decode(bytes(self._held[_LENGTH.size : end]))
        del self._held[:end]
        return message

    def wait(self) -> Any:
        """Return the next message, waiting for it; None at the end of the pipe."""
        while (message := self.take()) is None:
            if not self.fill():
                return None
        return message


def write(fd: int, message: Message) -> None:
    """Write a whole message; BrokenPipeError when the other end is gone."""
    data = memoryview(encode(message))
    while data:
        data = data[os.write(fd, data) :]
