"""Laws 3, 4 and 10: merging, partitions, and bounds that contain the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import abstraction as naive
from support import summaries as s
from tiertwin import _core

NOW = 9_000_000_000
EXACT = ("min", "max", "any", "all", "hist", "largest", "oldest")

values = st.one_of(
    st.just(math.nan), st.just(0.0), st.floats(-1e6, 1e6), st.integers(-5, 5).map(float), st.floats(1e-3, 1e3)
)


@st.composite
def forests(draw):
    """Members with values and times, in parts, in groups of parts: two tiers above the members."""
    n = draw(st.integers(1, 25))
    parts, wholes = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    column = np.array(draw(st.lists(values, min_size=n, max_size=n)))
    times = np.array(draw(st.lists(st.integers(0, 9_000), min_size=n, max_size=n)), np.int64) * 1_000_000
    part_of = np.array(draw(st.lists(st.integers(-1, parts - 1), min_size=n, max_size=n)), np.int64)
    whole_of = np.array(draw(st.lists(st.integers(-1, wholes - 1), min_size=parts, max_size=parts)), np.int64)
    return column, times, part_of, whole_of, parts, wholes


@pytest.mark.parametrize("rule", s.RULES)
@given(forest=forests())
def test_law_3_summary_of_all_is_the_merge_of_summaries_of_parts(rule, forest):
    column, times, part_of, whole_of, parts, wholes = forest
    table = s.members(column, times, np.where(np.isnan(column), math.nan, np.abs(column) + 1))
    later = NOW + 250_000_000
    weighted = rule == "wmean"
    part = s.summarised(rule, table, part_of, parts, NOW, weighted=weighted)
    merged = s.columns(s.summarised(rule, part, whole_of, wholes, later, partial=True), rule)
    direct_of = np.where(part_of >= 0, whole_of[part_of], -1)
    direct = s.columns(s.summarised(rule, table, direct_of, wholes, later, weighted=weighted), rule)
    if rule in EXACT:
        np.testing.assert_array_equal(merged, direct)
        return
    for g in range(wholes):
        x = column[direct_of == g]
        x = x[~np.isnan(x)]
        size = np.abs(x).sum() if rule != "wmean" else (np.abs(x) * (np.abs(x) + 1) + np.abs(x) + 1).sum()
        if rule == "moments":
            assert merged[0, g] == direct[0, g]
            assert abs(merged[1, g] - direct[1, g]) <= 1e-12 * size
            assert abs(merged[2, g] - direct[2, g]) <= 1e-12 * (x * x).sum()
        else:
            np.testing.assert_allclose(merged[:, g], direct[:, g], rtol=0, atol=1e-12 * size)


@given(forest=forests())
def test_law_4_a_partition_is_total_and_disjoint_and_sums_agree(forest):
    column, times, part_of, _, parts, _ = forest
    partition = _core.Partition(part_of, parts)
    seen = np.concatenate([partition.members(g) for g in range(parts)])
    assert sorted(seen.tolist()) == np.flatnonzero(part_of >= 0).tolist()
    for g in range(parts):
        assert partition.members(g).tolist() == np.flatnonzero(part_of == g).tolist()
    table = s.members(column, times)
    sums = s.columns(s.summarised("sum", table, part_of, parts, NOW), "sum")[0]
    counts = s.columns(s.summarised("moments", table, part_of, parts, NOW), "moments")[0]
    inside = column[(part_of >= 0) & ~np.isnan(column)]
    assert abs(math.fsum(sums) - math.fsum(inside)) <= 1e-12 * np.abs(inside).sum()
    assert counts.sum() == len(inside)


@given(
    truth=st.lists(st.floats(0.02, 90.0), min_size=1, max_size=20),
    offsets=st.lists(st.floats(-1.0, 1.0), min_size=20, max_size=20),
    deadband=st.floats(0.0, 0.5),
    demand=st.floats(0.0, 100.0),
)
def test_law_10_a_summary_with_its_bound_contains_the_truth(truth, offsets, deadband, demand):
    n = len(truth)
    true = np.array(truth)
    told = true + deadband * np.array(offsets[:n])  # what the members last said: within the dead-band of the truth
    zeros = np.zeros(n, np.int64)
    table = s.members(told, zeros)
    one = lambda rule: s.columns(s.summarised(rule, table, zeros, 1, NOW), rule)[:, 0]  # noqa: E731
    slack = 1e-9
    for rule, fact in (("sum", true.sum()), ("min", true.min()), ("max", true.max()), ("largest", true.max())):
        bound = _core.declared_bound(rule, n, deadband)
        assert abs(one(rule)[0] - fact) <= bound + slack
    assert abs(one("moments")[1] - true.mean()) <= _core.declared_bound("moments", n, deadband) + slack
    total, weight = one("wmean")
    assert abs(total / weight - true.mean()) <= _core.declared_bound("wmean", n, deadband) + slack
    buckets = _core.LogBuckets(s.LOW, s.HIGH)
    for q in (0.1, 0.5, 0.95):
        value = buckets.quantile(one("hist"), q)
        fact = naive.quantile(true.tolist(), q)
        assert abs(value - fact) <= _core.declared_bound("hist", n, deadband, value) + slack
    # A parent that admits by the lower end of `largest` never admits what no single child can hold.
    if demand <= one("largest")[0] - _core.declared_bound("largest", n, deadband) - slack:
        assert (true >= demand).any()
