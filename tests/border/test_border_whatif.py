"""The engine at the border: what is refused, what is kept, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from support.whatif import LOCAL, NONE, belief_of, sweep
from tiertwin import _core
from tiertwin.orchestrate.belief import arrays_of
from tiertwin.orchestrate.changes import Batch
from tiertwin.orchestrate.outcomes import KPIS

METRO = belief_of("metro")
NOBODY = Batch.of([()]).arrays()


def test_a_row_has_every_kpi() -> None:
    assert sweep(METRO.engine, [[], []], NONE).shape == (2, len(KPIS))
    assert sweep(METRO.engine, [], LOCAL, 4).shape == (0, len(KPIS))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("demand", lambda a: a[:-1], "demand: expected"),
        ("demand", lambda a: np.full_like(a, np.nan), r"demand\[0\]: expected a finite number >= 0"),
        ("site_fog", lambda a: a + 100, r"site_fog\[0\]: expected 0 .."),
        ("home", lambda a: a[::-1].copy(), "ascending"),
        ("device_ghz", np.zeros_like, "device_ghz"),
        ("core_ghz", lambda _: 0.0, "core_ghz"),
        ("cloud_node", lambda _: -1, "cloud_node"),
    ],
)
def test_a_belief_that_does_not_fit_is_refused(field: str, value: object, told: str) -> None:
    arrays = arrays_of(METRO)
    with pytest.raises(ValueError, match=told):
        _core.WhatIf({**arrays, field: value(arrays[field])})  # type: ignore[operator]


def test_types_are_exact() -> None:
    arrays = arrays_of(METRO)
    with pytest.raises(TypeError, match="demand"):
        _core.WhatIf({**arrays, "demand": arrays["demand"].astype(np.float32)})
    with pytest.raises(TypeError, match="missing"):
        _core.WhatIf({name: value for name, value in arrays.items() if name != "plan"})
    with pytest.raises(TypeError, match="unknown fields"):
        _core.WhatIf({**arrays, "more": 1.0})
    with pytest.raises(TypeError):
        METRO.engine.sweep(*[a.astype(np.float64) for a in NOBODY], NONE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((11, 0, 0, 1.0), "kind of 0 .. 10"),
        ((10, 0, 10_000, 0.5), "part of 0"),
        ((0, 10_000, 0, 1.0), "part of 0"),
        ((9, 0, 10_000, 0.5), "part of 0"),
        ((0, 0, 0, 1.5), "share of 0 .. 1"),
        ((3, 0, 0, -1.0), "number >= 0"),
        ((8, 0, 0, np.inf), "number >= 0"),
    ],
)
def test_changes_out_of_range_are_refused(row: tuple[int, int, int, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        sweep(METRO.engine, [[], [row]], NONE)


def test_wrong_shapes_rules_and_threads_are_refused() -> None:
    start, *rest = NOBODY
    with pytest.raises(ValueError, match="count up"):
        METRO.engine.sweep(start + 1, *rest, NONE)
    with pytest.raises(ValueError, match="replan"):
        METRO.engine.sweep(*NOBODY, 2)
    with pytest.raises(ValueError, match="threads"):
        METRO.engine.sweep(*NOBODY, NONE, 0)
    with pytest.raises(ValueError, match="plan of"):
        METRO.engine.judge(*NOBODY, np.zeros(3))


def test_the_engine_keeps_nothing_of_its_arrays() -> None:
    arrays = {
        name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in arrays_of(METRO).items()
    }
    engine = _core.WhatIf(arrays)
    before = sweep(engine, [[]], LOCAL)
    for value in arrays.values():
        if isinstance(value, np.ndarray):
            value[...] = 0
    del arrays
    assert np.array_equal(sweep(engine, [[]], LOCAL), before)


def test_sweeps_run_beside_other_threads() -> None:
    situations = [[(0, link, 0, 0.0)] for link in range(METRO.world.link_count)] * 8
    want = sweep(METRO.engine, situations, NONE)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda threads: sweep(METRO.engine, situations, NONE, threads), [1, 2, 1, 3])
        assert all(np.array_equal(rows, want) for rows in found)
