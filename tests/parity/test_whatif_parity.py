"""The what-if engine against everything searched and summed anew."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.whatif import Reference, Row
from support.whatif import LOCAL, NONE, belief_of, one_fog_less, rows_of, sweep
from tiertwin import _core
from tiertwin.orchestrate.belief import arrays_of
from tiertwin.orchestrate.outcomes import KPIS

METRO = belief_of("metro")


@lru_cache
def both(load: float, part: bool) -> tuple[_core.WhatIf, Reference]:
    arrays = arrays_of(belief_of("metro", load))
    if part:
        arrays = one_fog_less(arrays)
    return _core.WhatIf(arrays), Reference(arrays)


def agree(ours: np.ndarray, theirs: np.ndarray, rel: float = 1e-7) -> None:
    for kpi, mine, expected in zip(KPIS, ours, theirs, strict=True):
        assert mine == pytest.approx(expected, rel=rel, abs=1e-2 * rel), kpi


SOLVED = 1e-4  # a solve ends within 1e-9 of the best value; how far its plan is from another such plan is its root


@settings(max_examples=40, deadline=None)
@given(rows_of(METRO), st.sampled_from([1.0, 2.5]), st.booleans())
def test_standing_plans(rows: list[Row], load: float, part: bool) -> None:
    engine, naive = both(load, part)
    agree(sweep(engine, [rows], NONE)[0], naive.expect(rows, "none"))


@settings(max_examples=20, deadline=None)
@given(rows_of(METRO), st.sampled_from([1.0, 2.5]))
def test_plans_made_anew(rows: list[Row], load: float) -> None:
    engine, naive = both(load, False)
    agree(sweep(engine, [rows], LOCAL)[0], naive.expect(rows, "local"), SOLVED)


def test_all_single_failures() -> None:
    engine, naive = both(1.0, False)
    world = METRO.world
    situations: list[list[Row]] = [[(0, link, 0, 0.0)] for link in range(world.link_count)]
    situations += [[(5, node, 0, 0.0)] for node in range(world.node_count)]
    for row, rows in zip(sweep(engine, situations, NONE), situations, strict=True):
        agree(row, naive.expect(rows, "none"))


def test_a_link_believed_down_comes_back() -> None:
    arrays = arrays_of(METRO)
    arrays["link_share"] = arrays["link_share"].copy()
    arrays["link_share"][[0, 7]] = 0.0
    engine, naive = _core.WhatIf(arrays), Reference(arrays)
    for rows in ([], [(0, 0, 0, 1.0)], [(0, 0, 0, 1.0), (0, 3, 0, 0.0)]):
        agree(sweep(engine, [rows], NONE)[0], naive.expect(rows, "none"))
        agree(sweep(engine, [rows], LOCAL)[0], naive.expect(rows, "local"), SOLVED)


def test_a_plan_of_somebody_elses_is_judged_alike() -> None:
    engine, _ = both(1.0, False)
    plan = np.ascontiguousarray(arrays_of(METRO)["plan"])
    nobody = np.zeros(2, np.int64), *([np.zeros(0, np.int64)] * 3), np.zeros(0)
    assert np.array_equal(engine.judge(*nobody, plan), sweep(engine, [[]], NONE)[0])
