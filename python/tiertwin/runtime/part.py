"""A part of a tree in lockstep: one host, and the frames it exchanges with nodes of other processes."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Protocol

from tiertwin.runtime.control import Arrival, BeginEpoch, Collect, Collected, Done, Go, Open
from tiertwin.runtime.host import ORIGIN

if TYPE_CHECKING:
    from tiertwin.runtime.host import Host


class Carrier(Protocol):
    """Carries frames to and from nodes of other processes, in order for each pair."""

    def send(self, sender: str, receiver: str, frame: bytes) -> None:
        """Hand a frame over, waiting while the peer takes nothing (timeout ``send``)."""
        ...

    def receive(self) -> list[tuple[str, str, bytes]]:
        """Wait for frames and return them as (sender, receiver, frame) (timeout ``frame``)."""
        ...


class LockstepPart:
    """Does what the lockstep asks of one process.

    Parameters
    ----------
    host
        The nodes here.
    carrier
        To the nodes elsewhere.
    """

    def __init__(self, host: Host, carrier: Carrier) -> None:
        self.host = host
        self._carrier = carrier
        self._inbox: dict[tuple[str, str], deque[bytes]] = defaultdict(deque)

    def open(self, message: Open) -> Done:
        """Start the nodes."""
        self.host.open()
        return self._done()

    def begin_epoch(self, message: BeginEpoch) -> Done:
        """Plan an epoch."""
        self.host.begin_epoch(message.epoch, message.start, message.end)
        return self._done()

    def go(self, message: Go) -> Done:
        """Let everything happen before ``message.until``."""
        for arrival in message.arrivals:
            frame = self._frame(arrival.sender, arrival.receiver)
            self.host.network.bring(arrival.at, arrival.sender, arrival.receiver, frame)
        self.host.run_until(message.until)
        return self._done()

    def collect(self, message: Collect) -> Collected:
        """Say what was logged and seen at the end of an epoch."""
        host = self.host
        host.now = message.now
        seen = host.observe()
        kpis = truth = None
        if host.southbound is not None:
            kpis, truth = host.southbound.books(host.now - ORIGIN, max(host.epoch, 0))
        return Collected(host.take_records(), seen, kpis, truth)

    def _done(self) -> Done:
        away = self.host.away
        arrivals = [Arrival(letter.sender, letter.receiver, letter.at) for letter in away]
        while away:  # each is let go when it is sent: those of an epoch's beginning are megabytes
            letter = away.popleft()
            self._carrier.send(letter.sender, letter.receiver, letter.frame)
        return Done(self.host.next_time(), arrivals)

    def _frame(self, sender: str, receiver: str) -> bytes:
        held = self._inbox[sender, receiver]
        while not held:
            for who, whom, frame in self._carrier.receive():
                self._inbox[who, whom].append(frame)
        return held.popleft()
