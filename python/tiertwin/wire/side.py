"""What the children's and the parent's side of an endpoint have in common."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import zmq

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from tiertwin.wire.context import WireContext
    from tiertwin.wire.endpoint import LinkEvent
    from tiertwin.wire.keys import KeyPair
    from tiertwin.wire.sockets import Socket

PARTS = 4096  # of a message that is thrown away, read in one turn
_EVENT = struct.Struct("=hi")


class Seat(NamedTuple):
    """Whose side it is: the node with its keys, the endpoint that owns the sockets, and where events and counts go."""

    wire: WireContext
    node: str
    keys: KeyPair
    owner: object
    emit: Callable[[LinkEvent], None]
    counted: Counter[str]


class Side:
    """One side of an endpoint."""

    def __init__(self, seat: Seat) -> None:
        self._wire, self._node, self._keys, self._owner, self._emit, self._counted = seat
        self._draining = False  # within a message whose parts are being thrown away

    def _throw_parts_away(self, socket: Socket) -> bool:
        """Read on in a message of many parts; False when more are left for the next turn."""
        for _ in range(PARTS):
            if not socket.recv(zmq.DONTWAIT, copy=False).more:
                self._draining = False
                return True
        return False


def next_event(monitor: Socket) -> tuple[int, int] | None:
    """Return the next event of a monitor and its value; None: no more."""
    try:
        event, value = _EVENT.unpack(monitor.recv_multipart(zmq.DONTWAIT)[0])
    except zmq.Again:
        return None
    return event, value
