"""Everything that can happen to a twin, on one screen. Past tense, frozen, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Started:
    """The twin begins. It asks for a session when the link to its parent stands (:class:`LinkUp`)."""


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The transport has a connection to `peer`; one to the parent asks for a session."""

    peer: str


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The transport lost the connection to `peer`."""

    peer: str


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A neighbour's frame arrived (bytes as on the wire, or a buffer of them)."""

    peer: str
    frame: bytes | memoryview


@dataclass(frozen=True, slots=True)
class Sampled:
    """The southbound side of a device gateway delivered telemetry.

    One column an attribute: rows of the gateway's table (u32[k]), values (f64[k], NaN = not sent) and the sender's
    own time of each sample (i64[k] ns).
    """

    rows: npt.NDArray[np.uint32]
    times: npt.NDArray[np.int64]
    attributes: Sequence[int]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reported:
    """The report period ended: what is dirty is summarised and published upwards."""


@dataclass(frozen=True, slots=True)
class EpochBegan:
    """A base epoch began. A tier decides when the number is divisible by its ``control_every``."""

    epoch: int


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that the twin asked for ran out; `name` says which waiting state it bounds."""

    name: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Solved:
    """The answers to a :class:`~tiertwin.twin.effects.StartSolve`, in the order asked."""

    ticket: int
    answers: Sequence[object] = field(default=())


@dataclass(frozen=True, slots=True)
class Recovered:
    """The log of an earlier life was read, and the tables of its streams are what it says; before any session.

    Parameters
    ----------
    streams
        (stream id, number up to which the tables hold it) of each child that the log knows.
    last, frames
        Last number of our own stream upwards, and those of its frames that the parent may not have made durable.
    """

    streams: Mapping[str, tuple[int, int]]
    last: int = 0
    frames: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Synced:
    """What was put into the log is on disk.

    Parameters
    ----------
    streams
        (stream id, number up to which it is durable) of children.
    own
        Number up to which our own stream is.
    """

    streams: Mapping[str, tuple[int, int]]
    own: int


Event = (
    Started
    | LinkUp
    | LinkDown
    | FrameReceived
    | Sampled
    | Reported
    | EpochBegan
    | TimerFired
    | Solved
    | Recovered
    | Synced
)
