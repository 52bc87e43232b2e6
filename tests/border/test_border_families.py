"""The border of the families: dtypes, lengths, values, ownership of what comes back."""

from __future__ import annotations

import gc
import re

import numpy as np
import pytest

from support.families import random_fair, random_routing
from tiertwin import _core
from tiertwin.allocate.families.options import Options

STRUCTURE = ("user_offsets", "option_offsets", "resource", "use")


def structure(options: Options) -> dict[str, np.ndarray]:
    return {name: np.array(getattr(options, name)) for name in STRUCTURE}


@pytest.mark.parametrize("kind", [_core.FairShares, _core.Routing])
@pytest.mark.parametrize("field", STRUCTURE)
def test_another_dtype_is_a_type_error(kind: type, field: str) -> None:
    good = structure(random_fair(1).options)
    wrong = good[field].astype(np.float32 if field == "use" else np.int32)
    with pytest.raises(TypeError, match="incompatible"):
        kind(**good | {field: wrong}, resources=20)


def test_lengths_and_values_are_checked_with_their_names() -> None:
    problem = random_fair(1)
    shares = _core.FairShares(**structure(problem.options), resources=problem.options.resources)

    def data(**arrays: np.ndarray) -> _core.FairData:
        return _core.FairData(shares, **arrays)

    good = {name: np.array(getattr(problem, name)) for name in ("demand", "weight", "alpha", "capacity")}
    for name, array in good.items():
        with pytest.raises(ValueError, match=re.escape(f"{name}: expected {array.size} numbers")):
            data(**good | {name: np.ones(array.size + 1)})
        bad = array.copy()
        bad[-1] = np.nan
        with pytest.raises(ValueError, match=re.escape(f"{name}[{array.size - 1}]: expected")):
            data(**good | {name: bad})
        with pytest.raises(TypeError, match="incompatible"):
            data(**good | {name: array.astype(np.float32)})
    with pytest.raises(ValueError, match="start x: expected"):
        data(**good).solve(start_x=np.ones(problem.options.count + 1))
    floors = {"floor_of": np.zeros(good["demand"].size, dtype=np.int64), "floor": np.ones(1), "penalty": np.ones(1)}
    for name, array in floors.items():
        with pytest.raises(TypeError, match="incompatible"):
            data(**good, **floors | {name: array.astype(np.float32)})
    with pytest.raises(ValueError, match="floor: expected 0 numbers"):
        data(**good, floor=np.ones(1))
    with pytest.raises(ValueError, match="start floor price: expected 1 numbers"):
        data(**good, **floors).solve(start_floor_price=np.ones(2))
    with pytest.raises(ValueError, match="delay: expected"):
        data(**good, delay=np.ones(problem.options.resources + 1))
    with pytest.raises(ValueError, match="price: expected"):
        data(**good).bound(np.ones(problem.options.resources + 1))


def test_routing_lengths_are_checked() -> None:
    problem = random_routing(1)
    routing = _core.Routing(**structure(problem.options), resources=problem.options.resources)
    demand, capacity = np.array(problem.demand), np.array(problem.capacity)
    for call in (routing.solve, routing.check):
        with pytest.raises(ValueError, match="demand: expected"):
            call(demand[:-1].copy(), capacity)
        with pytest.raises(ValueError, match="capacity: expected"):
            call(demand, capacity[:-1].copy())
    with pytest.raises(ValueError, match="share: expected"):
        routing.value(np.ones(problem.options.count + 1), demand, capacity)


def test_answers_own_their_memory_and_outlive_the_structure() -> None:
    problem = random_fair(2)
    shares = _core.FairShares(**structure(problem.options), resources=problem.options.resources)
    arguments = [np.array(getattr(problem, name)) for name in ("demand", "weight", "alpha", "capacity")]
    first = _core.FairData(shares, *arguments).solve()
    copies = [np.array(part) for part in first[:3]]
    _core.FairData(shares, *arguments).solve(iteration_limit=0)
    held = _core.FairData(shares, *arguments)
    del shares
    gc.collect()
    for part, copy in zip(first[:3], copies, strict=True):
        assert part.flags.owndata
        np.testing.assert_array_equal(part, copy)
    np.testing.assert_array_equal(held.solve()[0], copies[0])  # the data keep their structure alive


def test_the_same_request_gives_the_same_bits_whatever_came_between() -> None:
    problem, other = random_fair(3), random_fair(4)
    shares = _core.FairShares(**structure(problem.options), resources=problem.options.resources)
    arguments = [np.array(getattr(problem, name)) for name in ("demand", "weight", "alpha", "capacity")]
    first = _core.FairData(shares, *arguments).solve()
    _core.FairData(shares, arguments[0] * 2, *arguments[1:]).solve(start_x=first[0], start_price=first[1])
    _core.FairShares(**structure(other.options), resources=other.options.resources)
    again = _core.FairData(shares, *arguments).solve()
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
