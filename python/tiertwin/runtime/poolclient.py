"""A process's way to the solver pool: problems leave as SOLVE frames, answers are waited for when they are due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiertwin.runtime.solverframes import decode_answer, encode_request, number_of_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin.allocate.messages import MasterAnswer, MasterRequest
    from tiertwin.runtime.switchboard import Switchboard

POOL = "pool"
SOLVE_S, HAND_OVER_S = 120.0, 10.0  # timeouts `solve` and `send`


class PoolClient:
    """Implements :class:`tiertwin.runtime.host.Solver` for the nodes of a process in lockstep.

    Parameters
    ----------
    board
        The process's endpoints; each asking node has one towards the pool.
    """

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._frames = board.apart(POOL)  # whoever waits for frames of twins would take answers with them
        self._number = 0
        self._asked: dict[int, MasterRequest] = {}
        self._answered: dict[int, MasterAnswer | None] = {}
        self._of_ticket: dict[tuple[str, int], list[int]] = {}

    def start(self, node: str, ticket: int, requests: Sequence[Any]) -> None:
        """Send problems off."""
        numbers = []
        for request in requests:
            self._number += 1
            numbers.append(self._number)
            self._asked[self._number] = request
            frame = encode_request(request, self._number, 0, 1)
            if not self._board.send(node, POOL, frame):
                self._board.wait_for(lambda f=frame: self._board.send(node, POOL, f), "send", HAND_OVER_S)  # type: ignore[misc]
        self._of_ticket[node, ticket] = numbers

    def answers(self, node: str, ticket: int) -> list[Any]:
        """Return the answers of one ticket, waiting for them (timeout ``solve``)."""
        numbers = self._of_ticket.pop((node, ticket))
        self._board.wait_for(lambda: self._have(numbers), "solve", SOLVE_S)
        return [self._answered.pop(number) for number in numbers]

    def _have(self, numbers: list[int]) -> bool:
        self._sort()
        return all(number in self._answered for number in numbers)

    def _sort(self) -> None:
        """Take the answers that came."""
        while self._frames:
            _, frame = self._frames.popleft()
            number = number_of_answer(frame)
            request = self._asked.pop(number, None)
            if request is not None:  # late or unknown ids are dropped (R44)
                self._answered[number] = decode_answer(frame, request)[1]
