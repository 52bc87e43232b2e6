"""The border of what attributes are worth: dtypes, shapes, values, ownership."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.functions.worth import Worth, WorthOptions, sample_entropy, score_windows


@pytest.fixture
def stream() -> Worth:
    return Worth(2, 3, 1, 20)


def test_another_dtype_or_order_is_a_type_error(stream: Worth) -> None:
    for wrong in (np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int64), np.zeros((3, 2)).T):
        with pytest.raises(TypeError, match="incompatible"):
            stream.push(wrong, np.zeros((2, 1)))
    with pytest.raises(TypeError, match="incompatible"):
        score_windows(np.zeros((1, 1, 9), np.float32), np.zeros((1, 1, 9)))
    with pytest.raises(TypeError, match="incompatible"):
        sample_entropy(np.zeros((1, 9), np.float32))


def test_shapes_are_named(stream: Worth) -> None:
    with pytest.raises(ValueError, match=r"values: expected shape \(2, 3\), got \(3, 2\)"):
        stream.push(np.zeros((3, 2)), np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"targets: expected shape \(2, 1\), got \(2,\)"):
        stream.push(np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(ValueError, match="expected values"):
        score_windows(np.zeros((2, 9)), np.zeros((1, 1, 9)))
    with pytest.raises(ValueError, match="targets: expected shape"):
        score_windows(np.zeros((2, 3, 9)), np.zeros((2, 1, 8)))
    with pytest.raises(ValueError, match="series: expected shape"):
        sample_entropy(np.zeros(9))
    with pytest.raises(ValueError, match="one dimension"):
        _core.adjust_p_values(np.zeros((2, 2)))


def test_an_infinite_sample_is_refused_and_nothing_taken(stream: Worth) -> None:
    stream.push(np.zeros((2, 3)), np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"values\[4\]: expected a finite value"):
        stream.push(np.array([[0.0, 0.0, 0.0], [0.0, np.inf, 0.0]]), np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"targets\[1\]: expected a finite value"):
        stream.push(np.zeros((2, 3)), np.array([[0.0], [-np.inf]]))
    assert stream.length == 1
    with pytest.raises(ValueError, match="sample 3: expected a finite value"):
        score_windows(np.array([[[0.0, 0.0, 0.0, np.inf, 0.0, 0.0, 0.0, 0.0, 0.0]]]), np.zeros((1, 1, 9)))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"m": 0}, "m: expected"),
        ({"m": 5}, "m: expected"),
        ({"r": -0.1}, "r: expected"),
        ({"r": float("nan")}, "r: expected"),
        ({"lags": -1}, "lags: expected"),
        ({"lags": 20}, "lags: expected"),
        ({"order": 0}, "order: expected"),
        ({"least": 1}, "least: expected"),
        ({"level": 1.5}, "level: expected"),
        ({"weights": (1.0, -1.0, 0.0)}, "causality: expected"),
        ({"weights": (1.0, 1.0)}, "weights: expected three"),
        ({"form": "product"}, "form: expected"),
    ],
)
def test_options_out_of_range(wrong: dict[str, object], name: str) -> None:
    options = WorthOptions(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=name):
        Worth(1, 1, 1, 20, options)
    with pytest.raises(ValueError, match=name):
        score_windows(np.zeros((1, 1, 20)), np.zeros((1, 1, 20)), options)


def test_sizes_out_of_range() -> None:
    for sizes in ((0, 1, 1, 20), (1, 0, 1, 20), (1, 1, 0, 20), (1, 1, 1, 3), (1, 1, 1, 60_001)):
        with pytest.raises(ValueError, match="expected"):
            Worth(*sizes)
    for watch in ((0, 1, 20), (1, 0, 20), (1, 1, 3)):
        with pytest.raises(ValueError, match="expected"):
            _core.ChangeWatch(*watch)
    for wrong in ({"share": 0.0}, {"share": 1.1}, {"quantile": 0.0}, {"quantile": float("nan")}, {"every": 0}):
        with pytest.raises(ValueError, match="expected"):
            _core.ChangeWatch(1, 1, 20, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most 60000"):
        sample_entropy(np.zeros((1, 60_001)))


def test_an_unknown_zone_is_a_key_error(stream: Worth) -> None:
    with pytest.raises(KeyError, match="zone 2"):
        stream.score(np.array([0, 2]))
    with pytest.raises(KeyError, match="zone 1"):
        _core.ChangeWatch(1, 2, 9).components(1)


def test_what_comes_back_is_the_callers_own(stream: Worth) -> None:
    stream.push(np.ones((2, 3)), np.ones((2, 1)))
    first = stream.score()
    first.value[:] = 7.0
    assert (stream.score().value == 0.0).all()
    assert first.value.flags.owndata
    assert first.value.flags.writeable


def test_the_watch_refuses_other_shapes_and_infinities() -> None:
    watch = _core.ChangeWatch(2, 3, 9)
    with pytest.raises(TypeError, match="incompatible"):
        watch.push(np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match="values: expected shape"):
        watch.push(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"values\[1\]: expected a finite value"):
        watch.push(np.array([[0.0, np.inf, 0.0], [0.0, 0.0, 0.0]]))


def test_threads_score_windows_at_once() -> None:
    rng = np.random.default_rng(1)
    values, targets = rng.normal(size=(4, 6, 80)), rng.normal(size=(4, 1, 80))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: score_windows(values, targets).value, range(8)))
    for value in found:
        np.testing.assert_array_equal(value, found[0])


def test_no_zones_no_scores(stream: Worth) -> None:
    assert stream.score(np.array([], np.int64)).value.shape == (0, 1, 3)
    assert score_windows(np.zeros((0, 3, 9)), np.zeros((0, 1, 9))).value.shape == (0, 1, 3)
