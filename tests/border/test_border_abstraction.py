"""The border of the abstraction: shapes, dtypes, names, and messages."""

from __future__ import annotations

import numpy as np
import pytest

from support import summaries as s
from tiertwin import _core


def test_partition_refuses_groups_out_of_range_and_other_dtypes():
    with pytest.raises(ValueError, match=r"Expected a group in -1 … 1 for row 2, got 2"):
        _core.Partition(np.array([0, 1, 2]), 2)
    with pytest.raises(ValueError, match="1 or more groups"):
        _core.Partition(np.array([0]), 0)
    with pytest.raises(TypeError):
        _core.Partition(np.array([0.0, 1.0]), 2)
    with pytest.raises(TypeError):
        _core.Partition(np.array([0, 1], np.int32), 2)
    with pytest.raises(ValueError, match="below 3, got 3"):
        _core.Partition(np.array([0, 1, 1]), 2).groups_of(np.array([3], np.uint32))
    with pytest.raises(IndexError):
        _core.Partition(np.array([0]), 1).members(1)


def test_plan_names_the_rules_it_knows_and_wants_a_range_for_histograms():
    with pytest.raises(ValueError, match=r"moments.*got 'median'"):
        _core.SummaryPlan([(s.X, "median", s.BASE)])
    with pytest.raises(ValueError, match="0 < low < high"):
        _core.SummaryPlan([(s.X, "hist", s.BASE)])
    assert len(_core.SummaryPlan([(s.X, "sum", s.BASE), (s.X, "max", s.BASE + 1)])) == 2


def test_summarize_says_what_does_not_fit():
    table = s.members(np.ones(3), np.zeros(3))
    out = s.summary_table("sum", 2)
    partition = _core.Partition(np.zeros(3, np.int64), 2)
    with pytest.raises(ValueError, match="partition of 3 rows into 1 groups"):
        _core.summarize(table, partition, s.plan("sum"), s.summary_table("sum", 1), 0)
    with pytest.raises(KeyError, match="no attribute 77"):
        _core.summarize(table, partition, _core.SummaryPlan([(77, "sum", s.BASE)]), out, 0)
    with pytest.raises(KeyError):
        _core.summarize(table, partition, _core.SummaryPlan([(s.X, "sum", 9999)]), out, 0)
    with pytest.raises(TypeError):
        _core.summarize(table, partition, s.plan("sum"), out, 0, dirty=np.array([0, 1]))
    assert _core.summarize(table, partition, s.plan("sum"), out, 1000) == 2
    assert _core.summarize(table, partition, s.plan("sum"), out, 2000) == 0  # nothing moved
    assert _core.summarize(table, partition, s.plan("sum"), out, 2000, deadband=False) == 2


def test_quantile_wants_one_count_a_bucket():
    buckets = _core.LogBuckets(1.0, 10.0)
    with pytest.raises(ValueError, match=rf"Expected {buckets.count} counts .*got 2"):
        buckets.quantile(np.zeros(2), 0.5)


def test_groups_without_written_members_say_only_what_is_true_of_nothing():
    table = s.members(np.array([np.nan, 4.0]), np.zeros(2))
    of = np.array([0, 1])
    says = {"sum": 0.0, "largest": 0.0, "any": 0.0, "all": 1.0, "min": np.nan, "oldest": np.nan}
    for rule, empty in says.items():
        got = s.columns(s.summarised(rule, table, of, 2, 1000), rule)[0, 0]
        assert got == empty or (np.isnan(got) and np.isnan(empty)), rule
