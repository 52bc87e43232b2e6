"""What every transport offers a node: send to a neighbour, receive what is ready, hear of links, close.

Two implementations, held to one test suite: in memory (`memory.py`) and over ZeroMQ (`zeromq.py`).

    loop:  for peer, frame in endpoint.receive(64): …      frames of one peer come in its order
           for event in endpoint.link_events(): …          what happened to the links since last asked
           endpoint.tick(now_ns)                           when `next_ns` says, or more often
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

FRAME_BYTES = 1_000_000  # the longest frame (docs/wire-format.md)
HIGH_WATER = 256  # frames that wait for one peer before `send` says False
RECEIVE_LIMIT = 64
NEVER_NS = 2**63 - 1
LOCALHOST = "127.0.0.1"

Buffer: TypeAlias = bytes | memoryview
LinkKind: TypeAlias = Literal["up", "down", "auth_failed", "unreachable"]


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """What happened to the link with `peer`.

    - ``up``: frames can pass. A child answers with HELLO (`Peer.connect`), for it is a new connection.
    - ``down``: the connection is over (`Peer.lost`); a child's endpoint connects again by itself.
    - ``auth_failed``: the peer is there and did not let us in; tried again, ever slower.
    - ``unreachable``: nobody there. After a `send`: the peer is gone (`Peer.lost`).
    """

    peer: str
    kind: LinkKind
    reason: str = ""


class Endpoint(Protocol):
    """One node's mouth and ear. One thread uses it."""

    @property
    def name(self) -> str:
        """Name of the node."""
        ...

    @property
    def next_ns(self) -> int:
        """When `tick` has something to do, on the clock it is given; `NEVER_NS`: not by itself."""
        ...

    def open(self, now_ns: int) -> None:
        """Begin: links come up from now on."""
        ...

    def reopen(self, now_ns: int) -> None:
        """Give the link to the parent up (it is silent) and make a new one after a pause."""
        ...

    def tick(self, now_ns: int) -> None:
        """Let time pass."""
        ...

    def send(self, peer: str, frame: Buffer) -> bool:
        """Hand over a frame, which says nothing of its arrival.

        Returns
        -------
        False when the peer takes nothing now (back-pressure), or there is no link to it.

        Raises
        ------
        ValueError
            The endpoint is closed, or the frame longer than `FRAME_BYTES`.
        """
        ...

    def receive(self, limit: int = RECEIVE_LIMIT) -> list[tuple[str, Buffer]]:
        """Return at most `limit` frames that are ready as (peer, frame); never waits. Nothing after `close`."""
        ...

    def link_events(self) -> list[LinkEvent]:
        """Return what happened to the links since the last call, in order."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Return what was refused or dropped, by reason."""
        ...

    def close(self) -> None:
        """Release everything; calling it twice is harmless."""
        ...


def check_length(frame: Buffer) -> None:
    """Refuse a frame that no peer may accept."""
    if len(frame) > FRAME_BYTES:
        raise ValueError(
            f"Expected a frame of at most {FRAME_BYTES} bytes, got {len(frame)}. Encoders cut tables at 256 KiB; "
            "a unit (docs/wire-format.md) of this size must be sent in several."
        )
