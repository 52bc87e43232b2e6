"""What is held from one decision to the next: bounded changes, forced ones, hysteresis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.errors import InputError
from tiertwin.functions.selector import Selector, fixed


@given(st.integers(0, 2**32 - 1), st.integers(0, 8), st.sampled_from([0.0, 0.3]))
@settings(max_examples=6)
def test_changes_of_any_hour_are_bounded_and_budgets_kept(seed: int, most: int, lam: float) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.integers(5, 40, 10).astype(float)
    chooser = Selector(10, byte_budget=80.0, lam=lam, most_changes=most, stick=0.0)
    repeated = np.full((10, 10), 0.2)
    times: list[float] = []
    before = None
    for now in np.arange(0.0, 9_000.0, 200.0):
        choice = chooser.update(rng.random(10), cost, now_s=float(now), redundancy=repeated)
        assert cost[choice.mask].sum() <= 80.0
        assert choice.forced == 0
        assert not (choice.entered & choice.left).any()
        if before is not None:
            times += [now] * int((before ^ choice.mask).sum())
        before = choice.mask
    assert len(times) == chooser.changes
    for end in times:
        assert sum(end - 3600.0 < t <= end for t in times) <= most


def test_few_changes_are_used_where_they_matter_most() -> None:
    chooser = Selector(4, byte_budget=2.0, most_changes=2, stick=0.0)
    cost = np.ones(4)
    assert chooser.update(np.array([1.0, 0.9, 0.1, 0.1]), cost, now_s=0.0).mask.tolist() == [True, True, False, False]
    choice = chooser.update(np.array([0.1, 0.2, 0.3, 0.9]), cost, now_s=60.0)
    assert choice.wanted.tolist() == [False, False, True, True]
    assert choice.mask.tolist() == [False, True, False, True]  # one exchange: the best in, the worst out
    assert chooser.update(np.array([0.1, 0.2, 0.3, 0.9]), cost, now_s=120.0).mask.tolist() == choice.mask.tolist()
    later = chooser.update(np.array([0.1, 0.2, 0.3, 0.9]), cost, now_s=60.0 + 3600.0)
    assert later.mask.tolist() == [False, False, True, True]


def test_a_smaller_budget_is_kept_at_once_and_counted() -> None:
    chooser = Selector(4, byte_budget=4.0, most_changes=1, stick=0.0)
    value, cost = np.array([1.0, 0.9, 0.2, 0.3]), np.ones(4)
    chooser.update(value, cost, now_s=0.0)
    chooser.byte_budget = 2.0
    choice = chooser.update(value, cost, now_s=1.0)
    assert (choice.forced, choice.mask.tolist()) == (2, [True, True, False, False])
    assert chooser.changes == 2
    chooser.byte_budget = 4.0
    assert (
        chooser.update(value, cost, now_s=2.0).mask.tolist() == choice.mask.tolist()
    )  # the hour's changes are used up


def test_headroom_keeps_rising_costs_from_forcing() -> None:
    rng = np.random.default_rng(1)
    forced = []
    for headroom in (0.0, 0.2):
        chooser = Selector(12, byte_budget=100.0, headroom=headroom)
        base, value = rng.integers(5, 40, 12).astype(float), rng.random(12)
        forced.append(
            sum(chooser.update(value, base * rng.uniform(0.9, 1.1, 12), now_s=60.0 * t).forced for t in range(60))
        )
    assert forced[0] > 0 == forced[1]


def test_an_unwanted_attribute_leaves_though_nothing_takes_its_place() -> None:
    chooser = Selector(2, byte_budget=9.0, v_hi=0.5, v_lo=0.3, most_changes=1)
    cost = np.ones(2)
    chooser.update(np.array([1.0, 1.0]), cost, now_s=0.0)
    choice = chooser.update(np.array([0.2, 0.1]), cost, now_s=1.0)
    assert choice.mask.tolist() == [True, False]
    assert choice.wanted.tolist() == [False, False]


def test_any_rule_of_choice_can_be_held() -> None:
    chooser = Selector(3, byte_budget=2.0, choose=fixed(np.array([2, 0, 1])))
    assert chooser.update(np.ones(3), np.ones(3), now_s=0.0).mask.tolist() == [True, False, True]


@pytest.mark.parametrize(
    "wrong", [{"attributes": 0}, {"headroom": 1.0}, {"per_s": 0.0}, {"most_changes": -1}], ids=lambda w: next(iter(w))
)
def test_options_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Selector(**{"attributes": 3, "byte_budget": 1.0} | wrong)  # type: ignore[arg-type]


def test_another_number_of_attributes_is_refused() -> None:
    with pytest.raises(InputError, match="expected 3 attributes, got 2"):
        Selector(3, byte_budget=1.0).update(np.ones(2), np.ones(2), now_s=0.0)
