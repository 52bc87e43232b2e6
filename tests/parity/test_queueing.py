"""Station formulas against the textbook forms, over their whole range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import queueing as textbook
from tiertwin import _core

RATE = st.floats(0, 200, allow_subnormal=False)
SERVICE = st.floats(0.1, 100)
SECOND_MOMENT = st.floats(1, 20)  # over the square of the mean
CASES: dict[str, tuple[Any, ...]] = {
    "mm1_delay": (RATE, SERVICE),
    "mm1_tail": (RATE, SERVICE, st.floats(0, 10)),
    "mm1k_loss": (RATE, SERVICE, st.integers(1, 60)),
    "mm1k_delay": (RATE, SERVICE, st.integers(1, 60)),
    "erlang_c": (st.integers(1, 40), st.floats(0, 50)),
    "mmc_delay": (RATE, SERVICE, st.integers(1, 40)),
    "md1_wait": (RATE, st.floats(0, 0.1)),
    "gg1_wait": (RATE, st.floats(0, 0.1), st.floats(0, 5), st.floats(0, 5)),
    "ps_delay": (RATE, st.floats(0, 0.1)),
}


def arrays(rows: list[tuple[float, ...]]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_equals_the_textbook(name: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(*CASES[name]), min_size=1, max_size=8))
    formula: Callable[..., float] = getattr(textbook, name)
    got = getattr(_core, name)(*arrays(rows))
    # Near saturation 1 - rho cancels in either form; 1e-9 is what is left of the double at the drawn values.
    np.testing.assert_allclose(got, [formula(*row) for row in rows], rtol=1e-9, atol=1e-300)


@given(st.lists(st.tuples(RATE, st.floats(0, 0.1), SECOND_MOMENT), min_size=1, max_size=6))
def test_mg1_and_priority_equal_the_textbook(rows: list[tuple[float, float, float]]) -> None:
    lam, es, spread = arrays(rows)
    es2 = es * es * spread
    mg1 = [textbook.mg1_wait(*row) for row in zip(lam.tolist(), es.tolist(), es2.tolist(), strict=True)]
    np.testing.assert_allclose(_core.mg1_wait(lam, es, es2), mg1, rtol=1e-9, atol=1e-300)
    priority = textbook.priority_wait(lam.tolist(), es.tolist(), es2.tolist())
    np.testing.assert_allclose(_core.priority_wait(lam, es, es2), priority, rtol=1e-6, atol=1e-300)


def test_stated_values() -> None:
    lam, mu = np.array([80.0]), np.array([100.0])
    assert _core.mm1_delay(lam, mu)[0] == pytest.approx(0.050)
    assert _core.mm1_tail(lam, mu, np.array([0.1]))[0] == pytest.approx(0.1353, abs=5e-5)
    assert _core.erlang_c(np.array([4]), np.array([3.0]))[0] == pytest.approx(0.5094, abs=5e-5)


def test_arrays_of_length_one_are_used_for_all() -> None:
    lam = np.array([10.0, 20.0, 30.0])
    got = _core.mm1_delay(lam, np.array([50.0]))
    assert np.array_equal(got, _core.mm1_delay(lam, np.full(3, 50.0)))
    assert _core.mm1_delay(np.array([]), np.array([])).size == 0


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"at index 1: lam is -1\.0+; expected a number >= 0"):
        _core.mm1_delay(np.array([1.0, -1.0]), np.array([2.0]))
    with pytest.raises(ValueError, match="got sizes 2, 3"):
        _core.mm1_delay(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="not the variance"):
        _core.mg1_wait(np.array([1.0]), np.array([0.5]), np.array([0.01]))
    with pytest.raises(TypeError):
        _core.mm1_delay(np.ones(2, dtype=np.float32), np.ones(2))
