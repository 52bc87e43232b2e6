"""Frames that somebody waits for in particular are not taken by who waits for the rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from tiertwin.runtime.poolclient import POOL, PoolClient
from tiertwin.runtime.solverframes import encode_answer
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.runtime.twinsprocess import Carrier


class Endpoint:
    """What a switchboard asks of an endpoint when it has something to read."""

    name = "fog-1"

    def __init__(self, *came: tuple[str, bytes]) -> None:
        self._came = list(came)

    def link_events(self) -> list[Any]:
        return []

    def receive(self) -> list[tuple[str, bytes]]:
        came, self._came = self._came, []
        return came


def board_with(*came: tuple[str, bytes]) -> tuple[Switchboard, Endpoint]:
    wire: Any = SimpleNamespace(tick=lambda *_: None, wait=lambda *_: [])
    return Switchboard(wire), Endpoint(*came)


def test_an_answer_that_comes_with_a_frame_waits_for_who_asked() -> None:
    """It was taken with the frames of twins; the process then waited for it for ever."""
    answer = encode_answer(None, 1, 0, 1)
    board, endpoint = board_with((POOL, answer), ("edge-a", b"frame"))
    client = PoolClient(board)
    client._asked[1] = SimpleNamespace(quota=np.zeros(1))  # type: ignore[assignment]
    client._of_ticket["fog-1", 5] = [1]
    board._take(endpoint)  # type: ignore[arg-type]
    assert Carrier(board).receive() == [("edge-a", "fog-1", b"frame")]
    assert client.answers("fog-1", 5) == [None]


def test_frames_of_others_keep_their_order() -> None:
    board, endpoint = board_with(("a", b"1"), (POOL, b"x"), ("b", b"2"), ("a", b"3"))
    answers = board.apart(POOL)
    board._take(endpoint)  # type: ignore[arg-type]
    assert list(board.frames) == [("a", "fog-1", b"1"), ("b", "fog-1", b"2"), ("a", "fog-1", b"3")]
    assert list(answers) == [("fog-1", b"x")]
    assert board.apart(POOL) is answers
