"""The way to the solver pool under the real clock: nobody waits, and what is late is done without an optimiser.

problems → SOLVE frames → pool → SOLVED frames → Solved          all in time
                                               → Solved(None …)  no link, or too late: the ladder goes on at S6
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tiertwin.errors import PeerError
from tiertwin.runtime.poolclient import POOL
from tiertwin.runtime.solverframes import decode_answer, encode_request, number_of_answer
from tiertwin.twin.events import Solved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiertwin.allocate.messages import MasterAnswer, MasterRequest
    from tiertwin.wire.endpoint import Buffer

MILLISECOND = 1_000_000


@dataclass
class _Ticket:
    node: str
    ticket: int
    requests: dict[int, MasterRequest]  # by number on the wire, in order
    until: int
    answers: dict[int, MasterAnswer | None] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return len(self.answers) == len(self.requests)

    def event(self) -> Solved:
        return Solved(self.ticket, [self.answers.get(number) for number in self.requests])


class LivePool:
    """Problems of the nodes of one process and their deadlines.

    Parameters
    ----------
    send
        ``send(node, POOL, frame) -> bool``.
    deadline_ms
        How long an answer may take.
    """

    def __init__(self, send: Callable[[str, str, Buffer], bool], deadline_ms: int) -> None:
        self._send, self._deadline = send, deadline_ms * MILLISECOND
        self._number = 0
        self._open: dict[int, _Ticket] = {}  # by number of each request
        self.counters = {"asked": 0, "answered": 0, "late": 0, "no pool": 0, "S6 for lateness": 0}

    def start(self, node: str, ticket: int, requests: Sequence[Any], now: int) -> tuple[str, Solved] | None:
        """Send problems off; return the answer at once where there is no way to the pool."""
        numbers = {}
        for request in requests:
            self._number += 1
            numbers[self._number] = request
        held = _Ticket(node, ticket, numbers, now + self._deadline)
        self.counters["asked"] += len(numbers)
        left = self._deadline // MILLISECOND
        for number, request in numbers.items():
            if not self._send(node, POOL, encode_request(request, number, left, 1)):
                self.counters["no pool"] += 1
                held.answers[number] = None
            else:
                self._open[number] = held
        return (node, held.event()) if held.complete else None

    def take(self, frame: Buffer) -> tuple[str, Solved] | None:
        """Take a SOLVED frame; return the event when a ticket is complete. Late and unknown ones are dropped (R44)."""
        try:
            number = number_of_answer(frame)
            held = self._open.pop(number, None)
            if held is None:
                self.counters["late"] += 1
                return None
            held.answers[number] = decode_answer(frame, held.requests[number])[1]
        except PeerError:
            return None
        self.counters["answered"] += 1
        return (held.node, held.event()) if held.complete else None

    def next_ns(self) -> int | None:
        """When the next deadline passes."""
        return min((held.until for held in self._open.values()), default=None)

    def expired(self, now: int) -> list[tuple[str, Solved]]:
        """Give up what is late."""
        late = {id(held): held for held in self._open.values() if held.until <= now}
        for held in late.values():
            for number in held.requests:
                if self._open.pop(number, None) is not None:
                    self.counters["S6 for lateness"] += 1
                    held.answers[number] = None
        return [(held.node, held.event()) for held in late.values()]
