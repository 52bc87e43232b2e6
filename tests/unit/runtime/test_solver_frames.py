"""Master problems and answers come out of frames as they went in."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.allocate.messages import MasterAnswer, MasterRequest
from tiertwin.errors import PeerError
from tiertwin.runtime import solverframes


def request(children: int, levels: int, own: int, slots: int, seed: int = 0) -> MasterRequest:
    rng = np.random.default_rng(seed)
    quota = rng.random(levels - own)
    quota[::2] = np.inf
    return MasterRequest(
        kind=1 + seed % 2,
        level=rng.normal(size=(children, slots)) * 1e6,
        slope=rng.random((children, slots, levels)),
        rmax=rng.random((children, levels)),
        capacity=rng.random(own),
        kappa=rng.random(own),
        quota=quota,
        price=rng.random(levels - own),
    )


@pytest.mark.parametrize("size", [(1, 1, 0, 1), (1, 1, 1, 1), (6, 1, 1, 12), (10, 3, 2, 12), (50, 5, 2, 12)])
def test_a_request_and_its_answer_come_back_to_the_last_bit(size: tuple[int, int, int, int]) -> None:
    asked = request(*size, seed=sum(size))
    frame = solverframes.encode_request(asked, 77, 250, incarnation=3)
    number, deadline, back = solverframes.decode_request(frame)
    assert (number, deadline, back.kind, back.shape) == (77, 250, asked.kind, asked.shape)
    for a, b in zip(asked.arrays(), back.arrays(), strict=True):
        assert np.array_equal(a, b)
    rng = np.random.default_rng(1)
    children, levels, _, slots = size
    answer = MasterAnswer(
        rng.random((children, levels)), rng.random(levels), rng.random((children, slots)), -12.5, step=3
    )
    number, got = solverframes.decode_answer(solverframes.encode_answer(answer, 77, 900, incarnation=1), asked)
    assert number == 77
    assert got is not None
    assert (got.value, got.step) == (answer.value, answer.step)
    for name in ("r", "price", "weight"):
        assert np.array_equal(getattr(got, name), getattr(answer, name))


def test_no_answer_is_an_answer_too() -> None:
    asked = request(2, 3, 1, 4)
    frame = solverframes.encode_answer(None, 5, 0, incarnation=1)
    assert solverframes.decode_answer(frame, asked) == (5, None)
    assert solverframes.number_of_answer(frame) == 5


def test_arrays_of_other_sizes_are_the_peers_fault() -> None:
    asked = request(2, 3, 1, 4)
    blocks = [(1, "f64", None, np.zeros(3))]
    wrong = _core.encode_solve(1, 0, 1, 1, [2, 3, 1, 4], blocks, 1)
    with pytest.raises(PeerError, match="expected 8 numbers in block 1, got 3"):
        solverframes.decode_request(wrong)
    other = _core.encode_solve(1, 0, 9, 1, [2, 3, 1, 4], blocks, 1)
    with pytest.raises(PeerError, match="expected problem 1 .upper"):
        solverframes.decode_request(other)
    short = _core.encode_solved(1, solverframes.OPTIMAL, 1, 0, blocks, 1)
    with pytest.raises(PeerError, match="expected 6 numbers in block 1"):
        solverframes.decode_answer(short, asked)
