"""The C++ summaries equal the naive ones, rule by rule, whole and incremental."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reference import abstraction as naive
from support import summaries as s
from tiertwin import _core

NOW = 5_000_000_000


def _case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    rng = np.random.default_rng(seed)
    n, groups = int(rng.integers(1, 60)), int(rng.integers(1, 6))
    values = rng.normal(size=n) * 10.0 ** rng.integers(-3, 4)
    if seed % 3 == 0:
        values = np.round(values) * (rng.random(n) < 0.5)  # zeros count
    values[rng.random(n) < 0.2] = math.nan
    weights = rng.random(n) * 5
    weights[rng.random(n) < 0.1] = math.nan
    times = rng.integers(0, 4_000_000, n) * 1000
    return values, weights, times, rng.integers(-1, groups, n), groups


@pytest.mark.parametrize(("rule", "weighted"), [*((rule, False) for rule in s.RULES), ("wmean", True)])
def test_summary_equals_reference(rule, weighted):
    for seed in range(40 if rule != "hist" else 8):
        values, weights, times, group_of, groups = _case(seed)
        table = s.members(values, times, weights)
        got = s.columns(s.summarised(rule, table, group_of, groups, NOW, weighted=weighted), rule)
        for g in range(groups):
            rows = np.flatnonzero(group_of == g)
            cells = [(float(values[r]), int(times[r])) for r in rows]
            w = [float(weights[r]) for r in rows] if weighted else None
            want = naive.summary(rule, cells, NOW, w, span=(s.LOW, s.HIGH))
            slack = 1e-12 * naive.magnitude(rule, cells, w)
            np.testing.assert_allclose(got[:, g], want, rtol=1e-14, atol=slack, err_msg=f"{rule} seed {seed} group {g}")


@pytest.mark.parametrize("rule", s.RULES)
def test_incremental_pass_gives_the_bits_of_the_whole_one(rule):
    rng = np.random.default_rng(7)
    values, weights, times, group_of, groups = _case(3)
    table = s.members(values, times, weights)
    partition = _core.Partition(group_of, groups)
    out = s.summarised(rule, table, group_of, groups, NOW)
    for step in range(10):
        now = NOW + 1_000_000 * (step + 1)
        rows = np.unique(rng.integers(0, len(values), 3)).astype(np.uint32)
        table.set(s.X, rows, rng.normal(size=len(rows)) * 10, now)
        _core.summarize(table, partition, s.plan(rule), out, now, dirty=rows)
        whole = s.columns(s.summarised(rule, table, group_of, groups, now), rule)
        touched = partition.groups_of(rows)
        np.testing.assert_array_equal(s.columns(out, rule)[:, touched], whole[:, touched])
        if rule != "oldest":  # which grows in the groups that were left alone, too
            np.testing.assert_array_equal(s.columns(out, rule), whole)


def test_an_age_that_is_the_same_a_while_later_is_told_again():
    """Found where devices report in step with the twins: groups that were not told again seemed to age for seconds."""
    rows = np.arange(4, dtype=np.uint32)
    table, group_of = s.members(np.arange(4.0), np.full(4, NOW)), np.zeros(4, dtype=np.int64)
    out = s.summarised("oldest", table, group_of, 1, NOW + 20_000_000)
    for later in (NOW + 50_000_000, NOW + 100_000_000):
        table.set(s.X, rows, np.arange(4.0), later)
        _core.summarize(table, _core.Partition(group_of, 1), s.plan("oldest"), out, later + 20_000_000)
        assert s.columns(out, "oldest").tolist() == [[20.0]]
        assert out.times(s.BASE).tolist() == [later + 20_000_000]


def test_quantiles_are_within_their_bound():
    rng = np.random.default_rng(5)
    buckets = _core.LogBuckets(s.LOW, s.HIGH)
    assert buckets.count == naive.buckets(s.LOW, s.HIGH)
    for _ in range(50):
        sample = np.exp(rng.uniform(math.log(s.LOW), math.log(s.HIGH), rng.integers(1, 80)))
        counts = np.zeros(buckets.count)
        for x in sample:
            assert buckets.index(x) == naive.bucket(float(x), s.LOW, s.HIGH)
            assert abs(buckets.value(buckets.index(x)) - x) <= 0.01 * x * (1 + 1e-9)
            counts[buckets.index(x)] += 1.0
        for q in (0.0, 0.25, 0.5, 0.95, 0.99, 1.0):
            truth = naive.quantile(sample.tolist(), q)
            assert abs(buckets.quantile(counts, q) - truth) <= 0.01 * truth * (1 + 1e-9)
    assert math.isnan(buckets.quantile(np.zeros(buckets.count), 0.5))
