"""Problems under the real clock: in time, late, into silence, and back."""

from __future__ import annotations

import numpy as np

from tiertwin.allocate.messages import MasterRequest
from tiertwin.runtime.livepool import MILLISECOND, PROBE_NS, LivePool
from tiertwin.runtime.solverframes import encode_answer

DEADLINE_MS, SECOND = 250, 1_000_000_000


def request() -> MasterRequest:
    one = np.ones(1)
    return MasterRequest(1, np.ones((1, 1)), np.ones((1, 1, 1)), np.ones((1, 1)), one, one, np.ones(0), np.ones(0))


class Wire:
    """Takes frames, or nothing."""

    def __init__(self) -> None:
        self.sent, self.up = 0, True
        self.pool = LivePool(self.send, DEADLINE_MS)

    def send(self, node: str, peer: str, frame: object) -> bool:
        self.sent += self.up
        return self.up


def at(ms: int) -> int:
    return ms * MILLISECOND


def test_without_a_link_there_is_no_waiting() -> None:
    wire = Wire()
    wire.up = False
    done = wire.pool.start("fog-1", 5, [request(), request()], at(0))
    assert done is not None
    assert (done[0], done[1].ticket, list(done[1].answers)) == ("fog-1", 5, [None, None])
    assert wire.pool.next_ns() is None


def test_a_deadline_in_vain_costs_one_deadline_only() -> None:
    wire = Wire()
    assert wire.pool.start("fog-1", 1, [request()], at(0)) is None
    assert wire.pool.expired(at(249)) == []
    ((node, solved),) = wire.pool.expired(at(250))
    assert (node, solved.ticket, list(solved.answers)) == ("fog-1", 1, [None])
    for k in (2, 3):
        done = wire.pool.start("fog-1", k, [request(), request()], at(250 + k))  # at once
        assert done is not None
        assert (done[1].ticket, list(done[1].answers)) == (k, [None, None])
    assert wire.pool.counters["S6 for silence"] == 4


def test_a_silent_pool_is_asked_again_once_a_while() -> None:
    wire = Wire()
    wire.pool.start("fog-1", 1, [request()], at(0))
    wire.pool.expired(at(250))
    for ms in range(250, 3250, 10):
        assert wire.pool.start("fog-1", ms, [request()], at(ms)) is not None
    assert wire.sent == 1 + 3 * SECOND // PROBE_NS
    assert wire.pool.take(encode_answer(None, wire.sent, 0, 1)) is None  # of a probe: it lives
    assert wire.pool.start("fog-1", 2, [request()], at(3300)) is None


def test_a_late_answer_ends_the_silence() -> None:
    wire = Wire()
    wire.pool.start("fog-1", 1, [request()], at(0))
    wire.pool.expired(at(250))
    assert wire.pool.take(encode_answer(None, 1, 0, 1)) is None
    assert wire.pool.counters["late"] == 1
    assert wire.pool.start("fog-1", 2, [request()], at(260)) is None
    assert wire.sent == 2
