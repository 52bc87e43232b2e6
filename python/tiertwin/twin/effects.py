"""Everything a twin can ask of the runtime, on one screen. Imperative, frozen, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Send:
    """Hand a frame to a neighbour's endpoint."""

    peer: str
    frame: bytes


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The session with `peer` (the parent) is over: make a new connection and say so by ``LinkUp``."""

    peer: str


@dataclass(frozen=True, slots=True)
class Ban:
    """`peer` sent its third bad frame within a minute: refuse it at the door, too (R41)."""

    peer: str


@dataclass(frozen=True, slots=True)
class Persist:
    """Put the authority of `peer` on disk before anything behind this effect is carried out (R18)."""

    peer: str
    term: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Put a frame that took effect into the log (R11): of a child, or one of our own stream upwards.

    Parameters
    ----------
    peer
        Name of the child; empty: our own.
    """

    peer: str
    frame: bytes | memoryview


@dataclass(frozen=True, slots=True)
class StartSolve:
    """Solve these problems elsewhere; the answers come back as one ``Solved`` with this ticket."""

    ticket: int
    requests: Sequence[object]


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Wake me with ``TimerFired(name, epoch)`` at `at` (virtual or monotonic ns)."""

    name: str
    epoch: int
    at: int


@dataclass(frozen=True, slots=True)
class Actuate:
    """Put a site's set-points in force in the plant.

    Of each device the share of its tasks a tier (the rest is shed); of each service class its CPU at every server
    ([T − 1, C] GHz) and its uplink on every hop ([T − 2, C] Mb/s), all zero where nobody granted any.
    """

    epoch: int
    device: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    site: int
    cpu: npt.NDArray[np.float64]
    uplink: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the event log; no wall time, pid, port or path may stand in it."""

    what: str
    epoch: int
    fields: Mapping[str, Any] = field(default_factory=dict)


Effect = Send | Reconnect | Ban | Persist | Keep | StartSolve | SetTimer | Actuate | Record
