"""What every transport offers a twin: send to a neighbour, receive what is ready, close."""

from __future__ import annotations

from typing import Protocol


class Endpoint(Protocol):
    """One node's mouth and ear. Implementations: in memory (virtual clock) and ZeroMQ."""

    def send(self, peer: str, frame: bytes) -> bool:
        """Hand over a frame; False when the peer takes nothing now (back-pressure)."""
        ...

    def receive(self) -> list[tuple[str, bytes]]:
        """Return what is ready as (peer, frame), in order of arrival; never waits."""
        ...

    def close(self) -> None:
        """Release everything; calling it twice is harmless."""
        ...
