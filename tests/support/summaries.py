"""Tables of members and of their summaries, for tests of the abstraction."""

from __future__ import annotations

import numpy as np

from tiertwin import _core

X, WEIGHT, BASE = 1, 2, 100
LOW, HIGH = 0.01, 100.0
WIDTHS = {"sum": 1, "min": 1, "max": 1, "moments": 3, "any": 1, "all": 1, "wmean": 2, "largest": 1, "oldest": 1,
          "hist": _core.LogBuckets(LOW, HIGH).count}  # fmt: skip
RULES = list(WIDTHS)


def registry() -> _core.AttributeRegistry:
    """Two member attributes and room for the widest summary."""
    found = _core.AttributeRegistry()
    for number in [X, WEIGHT, *range(BASE, BASE + max(WIDTHS.values()))]:
        found.add(number, f"a{number}", "1", "gauge", "f64", "sum", -1e300, 1e300, 1000)
    return found


REGISTRY = registry()


def members(values: np.ndarray, times: np.ndarray, weights: np.ndarray | None = None) -> _core.StateTable:
    """Build a member table; NaN leaves a cell unwritten."""
    table = _core.StateTable(REGISTRY, 1, [X, WEIGHT], max(1, len(values)))
    for attribute, column in ((X, values), (WEIGHT, weights)):
        if column is None:
            continue
        for row in np.flatnonzero(~np.isnan(column)):
            table.set(attribute, np.array([row], np.uint32), column[row : row + 1], int(times[row]))
    return table


def summary_table(rule: str, groups: int) -> _core.StateTable:
    """Build an empty summary table for one rule."""
    return _core.StateTable(REGISTRY, 2, list(range(BASE, BASE + WIDTHS[rule])), groups)


def plan(rule: str, *, partial: bool = False, weighted: bool = False) -> _core.SummaryPlan:
    """One line, from the members or from a summary of the same layout."""
    lines = _core.SummaryPlan()
    width = lines.add(BASE if partial else X, rule, BASE, partial=partial, weight=WEIGHT if weighted else None,
                      low=LOW if rule == "hist" else 0.0, high=HIGH if rule == "hist" else 0.0)  # fmt: skip
    assert width == WIDTHS[rule]
    return lines


def columns(table: _core.StateTable, rule: str) -> np.ndarray:
    """Return the summary as f64[width, groups]."""
    return np.stack([table.column(BASE + i) for i in range(WIDTHS[rule])])


def summarised(rule: str, table: _core.StateTable, group_of: np.ndarray, groups: int, now: int, *,
               partial: bool = False, weighted: bool = False) -> _core.StateTable:  # fmt: skip
    """Summarise `table` into a fresh summary table."""
    out = summary_table(rule, groups)
    partition = _core.Partition(group_of.astype(np.int64), groups)
    _core.summarize(table, partition, plan(rule, partial=partial, weighted=weighted), out, now)
    return out
