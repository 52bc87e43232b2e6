"""Problems on their way to solvers and back: order, deadlines, workers that come and go."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiertwin.allocate.messages import MasterAnswer, MasterRequest
from tiertwin.runtime.livepool import MILLISECOND, LivePool
from tiertwin.runtime.pool import PoolFront
from tiertwin.runtime.solverframes import decode_request, encode_answer, encode_request
from tiertwin.twin.events import Solved

HELLO = bytes([0, 0, 0, 1])


def request(seed: int = 0) -> MasterRequest:
    rng = np.random.default_rng(seed)
    return MasterRequest(
        1, rng.random((2, 3)), rng.random((2, 3, 1)), np.ones((2, 1)), np.ones(1), np.ones(1), np.zeros(0), np.zeros(0)
    )


def answer(value: float = 1.0) -> MasterAnswer:
    return MasterAnswer(np.zeros((2, 1)), np.zeros(1), np.full((2, 3), 1 / 3), value)


class Wire:
    """Takes what is sent, or refuses it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.takes = True

    def send(self, peer: str, frame: Any) -> bool:
        if self.takes:
            self.sent.append((peer, frame))
        return self.takes

    def from_node(self, node: str, peer: str, frame: Any) -> bool:
        assert peer == "pool"
        return self.send(node, frame)


def front(wire: Wire, workers: int = 2) -> PoolFront:
    made = PoolFront([f"solver-{k + 1}" for k in range(workers)], wire.send, lambda: 5.0)
    for k in range(workers):
        made.take(f"solver-{k + 1}", HELLO)
    return made


def test_each_worker_has_one_problem_and_answers_go_to_who_asked() -> None:
    wire = Wire()
    pool = front(wire)
    frames = [encode_request(request(k), k, 0, 1) for k in range(3)]
    for k, frame in enumerate(frames):
        pool.take(f"fog-{k + 1}", frame)
    assert wire.sent == [("solver-1", frames[0]), ("solver-2", frames[1])]
    assert pool.depth == 1
    done = encode_answer(answer(), 1, 0, 1)
    pool.take("solver-2", done)
    assert wire.sent[2:] == [("fog-2", done), ("solver-2", frames[2])]
    assert pool.served == {"solver-2": 1}


def test_nobody_gets_a_problem_before_it_said_hello() -> None:
    wire = Wire()
    pool = PoolFront(["solver-1"], wire.send, lambda: 0.0)
    frame = encode_request(request(), 1, 0, 1)
    pool.take("fog-1", frame)
    assert wire.sent == []
    pool.take("solver-1", HELLO)
    assert wire.sent == [("solver-1", frame)]


def test_a_lost_worker_names_who_waited_and_the_spare_goes_on() -> None:
    wire = Wire()
    pool = front(wire)
    frame = encode_request(request(), 1, 0, 1)
    pool.take("fog-1", frame)
    assert pool.overdue(5.5, 1.0) == []
    assert pool.overdue(6.5, 1.0) == ["solver-1"]
    assert pool.lost("solver-1") == ["fog-1"]
    pool.take("fog-2", frame)
    assert wire.sent[-1] == ("solver-2", frame)
    pool.take("solver-1", encode_answer(answer(), 1, 0, 1))
    assert wire.sent[-1] == ("solver-2", frame), "an answer nobody waits for is dropped"


def test_back_pressure_holds_a_problem_until_it_can_be_sent() -> None:
    wire = Wire()
    pool = front(wire, workers=1)
    wire.takes = False
    frame = encode_request(request(), 1, 0, 1)
    pool.take("fog-1", frame)
    assert wire.sent == []
    wire.takes = True
    pool.flush()
    assert wire.sent == [("solver-1", frame)]


def test_answers_of_a_ticket_come_together_in_the_order_asked() -> None:
    wire = Wire()
    pool = LivePool(wire.from_node, 250)
    assert pool.start("fog-1", 7, [request(1), request(2)], now=0) is None
    numbers = [decode_request(frame)[0] for _, frame in wire.sent]
    assert pool.take(encode_answer(answer(2.0), numbers[1], 0, 1)) is None
    done = pool.take(encode_answer(answer(1.0), numbers[0], 0, 1))
    assert done is not None
    node, event = done
    assert (node, event.ticket) == ("fog-1", 7)
    assert [a.value for a in event.answers] == [1.0, 2.0]  # type: ignore[attr-defined]
    assert pool.next_ns() is None


def test_what_is_late_is_given_up_and_its_answer_dropped() -> None:
    wire = Wire()
    pool = LivePool(wire.from_node, 250)
    pool.start("fog-1", 7, [request(1), request(2)], now=0)
    numbers = [decode_request(frame)[0] for _, frame in wire.sent]
    pool.take(encode_answer(answer(1.0), numbers[0], 0, 1))
    assert pool.next_ns() == 250 * MILLISECOND
    assert pool.expired(250 * MILLISECOND - 1) == []
    ((node, event),) = pool.expired(250 * MILLISECOND)
    assert node == "fog-1"
    assert event.answers[0] is not None
    assert event.answers[1] is None, "the ladder goes on at S6"
    assert pool.take(encode_answer(answer(), numbers[1], 0, 1)) is None
    assert (pool.counters["late"], pool.counters["S6 for lateness"]) == (1, 1)


def test_without_a_pool_the_answer_is_none_at_once() -> None:
    wire = Wire()
    wire.takes = False
    pool = LivePool(wire.from_node, 250)
    assert pool.start("fog-1", 3, [request()], now=0) == ("fog-1", Solved(3, [None]))
    assert pool.next_ns() is None


def test_garbage_from_the_pool_is_no_answer() -> None:
    wire = Wire()
    pool = LivePool(wire.from_node, 250)
    pool.start("fog-1", 3, [request()], now=0)
    assert pool.take(b"no frame") is None
    assert pool.next_ns() is not None
