"""The table of KPIs: names, directions, how values are written, and the pages made from it."""

import runpy
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tiertwin.errors import UnknownNameError
from tiertwin.model.kpis import EPOCH_KPIS, JSON_KPIS, KPIS, RUN_KPIS, best, format_value, human_bytes, kpi

DOCS = Path(__file__).parents[3] / "docs"


def test_names_are_unique_and_every_json_key_is_one():
    names = [item.name for item in KPIS]
    assert len(set(names)) == len(names)
    assert set(JSON_KPIS) <= set(RUN_KPIS)
    assert set(RUN_KPIS) | set(EPOCH_KPIS) == set(names)
    assert all(item.unit and item.title and item.definition.endswith(".") for item in KPIS)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown KPI 'jian'. Did you mean 'jain'"):
        kpi("jian")


@pytest.mark.parametrize(
    ("name", "values", "winners"),
    [
        ("objective", {"a": 1.0, "b": 2.0}, {"b"}),
        ("deadline_miss_ratio", {"a": 0.1, "b": 0.2, "c": None}, {"a"}),
        ("deadline_miss_ratio", {"a": 0.0, "b": 0.0, "c": 0.2}, {"a", "b"}),
        ("latency_mean_ms", {"a": 100.0, "b": 100.3, "c": 130.0}, {"a", "b"}),  # nearer than a single seed can tell
        ("jain", {"a": 0.9, "b": 0.9}, set()),
        ("utilisation", {"a": 0.1, "b": 0.9}, set()),  # neither direction is better
        ("objective", {"a": 1.0}, set()),
        ("objective", {"a": 1.0, "b": float("nan")}, set()),
        ("objective", {"a": -5.0, "b": -1.0}, {"b"}),
    ],
)
def test_best_follows_the_direction(name, values, winners):
    assert best(name, values) == winners


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("certified_gap", 0.001, "0.100 %"),
        ("certified_gap", 1e-8, "1.0e-06 %"),
        ("deadline_miss_ratio", 0.4567, "45.7 %"),
        ("deadline_miss_ratio", 1.0, "100 %"),
        ("deadline_miss_ratio", 0.0, "0 %"),
        ("jain", 0.98765, "0.988"),
        ("latency_mean_ms", 24.0049, "24.00"),
        ("goodput_mbps", 21682.1, "21\u202f682"),
        ("rounds_cold", 5, "5"),
        ("energy_per_bit_j", 3.2e-7, "3.2e-07"),
        ("bytes_up", 12_345_678, "12.3 MB"),
        ("objective", None, "–"),
        ("objective", float("nan"), "–"),
    ],
)
def test_values_are_written_for_people(name, value, text):
    assert format_value(name, value) == text


@example(1000000061440.0, "jain")
@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from([item.name for item in KPIS]))
def test_every_value_has_a_short_text(value, name):
    assert 0 < len(format_value(name, value)) <= 16


def test_bytes():
    assert [human_bytes(value) for value in (0, 999, 1000, 2.5e9)] == ["0 B", "999 B", "1 kB", "2.5 GB"]


def test_the_committed_pages_are_what_the_table_says():
    made = runpy.run_path(str(DOCS / "generate.py"))
    for file, page in made["PAGES"].items():
        assert (DOCS / file).read_text(encoding="utf-8") == page(), f"docs/{file} is stale: python docs/generate.py"
