"""The border of spectrum: dtypes, lengths, values, ownership of what comes back."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.allocate.families.spectrum_interface import SpectrumInterface

PROBLEM = SpectrumInterface().sample(1)
CLUSTER = {name: np.array(v) if isinstance(v, np.ndarray) else v for name, v in PROBLEM.cluster.items()}
CELL = np.zeros(PROBLEM.users, dtype=np.int64)


def efficiency(power: np.ndarray = PROBLEM.power_most, **changes: Any) -> np.ndarray:
    return _core.spectral_efficiency(np.array(power), **CLUSTER | changes)


def ascend(cell: Any = CELL, weight: Any = None, start: Any = None, **changes: Any) -> tuple[Any, ...]:
    w = np.ones(PROBLEM.users) if weight is None else weight
    s = np.array(PROBLEM.power_most) if start is None else start
    return _core.ascend_power(cell, w, s, **CLUSTER | changes, iteration_limit=5, tolerance=0.0)


@pytest.mark.parametrize("name", [name for name, value in CLUSTER.items() if isinstance(value, np.ndarray)])
def test_dtypes_lengths_and_values_are_checked_with_their_names(name: str) -> None:
    good = CLUSTER[name]
    with pytest.raises(TypeError, match="incompatible"):
        efficiency(**{name: good.astype(np.float32)})
    bad = good.copy()
    bad.reshape(-1)[-1] = np.nan
    with pytest.raises(ValueError, match=re.escape(f"{name}[{good.size - 1}]: expected")):
        efficiency(**{name: bad})
    if name not in ("bandwidth", "outside"):  # these say how many cells and users there are
        with pytest.raises(ValueError, match=f"{name}: expected"):
            efficiency(**{name: good[:-1].copy()})


def test_other_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="power: expected"):
        efficiency(np.ones(1))
    with pytest.raises(ValueError, match=r"power_least\[0\]: expected at most"):
        efficiency(power_least=2.0 * CLUSTER["power_most"])
    for name, values in (("cell", CELL[:-1]), ("weight", np.ones(1)), ("start", np.ones(1))):
        with pytest.raises(ValueError, match=f"{name}: expected"):
            ascend(**{name: values.copy()})
    with pytest.raises(ValueError, match="cell: expected -1"):
        ascend(CELL + PROBLEM.cells)
    for name in ("noise", "efficiency", "cap"):
        with pytest.raises(ValueError, match="noise, efficiency, cap"):
            efficiency(**{name: 0.0})


def test_the_same_request_gives_the_same_bits_and_arrays_of_its_own() -> None:
    first = ascend()
    ascend(start=np.array(PROBLEM.power_least))
    again = ascend()
    assert first[0].flags.owndata
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1:] == again[1:]
    e = efficiency()
    assert e.shape == (PROBLEM.users, PROBLEM.cells)
    assert e.flags.owndata


def test_nobody_and_nothing() -> None:
    none = {"gain": np.zeros((0, PROBLEM.cells)), "outside": np.zeros(0)}
    assert efficiency(**none).shape == (0, PROBLEM.cells)
    power, value, gap, steps = ascend(CELL[:0].copy(), np.zeros(0), **none)
    np.testing.assert_array_equal(power, PROBLEM.power_most)
    assert (value, gap, steps) == (0.0, 0.0, 0)
    silent = ascend(gain=np.zeros_like(CLUSTER["gain"]))
    assert silent[1:] == (0.0, 0.0, 0)
