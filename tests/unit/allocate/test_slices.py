"""Slices from Python: what is refused and how it is told, admission in words, hostile floors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tiertwin.allocate.families import registry
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.slices import Guarantees, SliceProblem, Slices
from tiertwin.allocate.families.slices_admission import admit
from tiertwin.allocate.families.slices_interface import SlicesInterface
from tiertwin.allocate.families.slices_kernel import SliceKernel
from tiertwin.errors import InputError

OPTIONS = Options.of_lists(
    [[{0: 1.0, 3: 1.0}, {2: 2.0}], [{0: 1.0, 3: 1.0}], [{1: 1.0, 3: 1.0}], [{1: 1.0, 3: 1.0}]], 4
)
NAMES = ("uplink X-Y", "uplink Z-Y", "server X", "server Y")
OF_USER, FLOOR_OF = np.array([0, 1, 0, 1]), np.array([0, 1, 2, -1])
GUARANTEES = ("urllc at X", "video at X", "urllc at Z")


def network(floors: list[float], **changes: Any) -> SliceProblem:
    """Two slices at two sites: uplinks of 300 and 50, a small server at X, a large one at Y; 10 kept at uplink Z-Y."""
    kept = np.zeros((2, 4))
    kept[0, 1] = 10.0
    given: dict[str, Any] = {
        "demand": np.full(4, 1000.0),
        "capacity": np.array([300.0, 50.0, 100.0, 2000.0]),
        "slices": Slices(np.array([0, 1, 0, 1]), ("urllc", "video"), kept=kept),
    }
    return SliceProblem(
        OPTIONS, weight=np.ones(4), alpha=np.ones(4), resource_names=NAMES, unit="Mb/s",
        guarantees=Guarantees(np.array([0, 1, 2, -1]), np.array(floors), GUARANTEES), **given | changes,
    )  # fmt: skip


def test_floors_that_fit_are_admitted_with_a_plan() -> None:
    found = admit(network([200.0, 100.0, 50.0]))
    assert (found.admitted, found.refused, str(found)) == (True, False, "every floor can be kept")
    served = OPTIONS.sums @ found.x
    assert np.all(served[:3] >= np.array([200.0, 100.0, 50.0]) - 1e-3)


def test_a_refusal_names_the_floor_the_amount_the_reason_and_what_helps() -> None:
    found = admit(network([400.0, 100.0, 30.0]))
    assert found.refused
    assert found.least == pytest.approx(150.0, rel=1e-5)  # 500 asked of 300 + 100 / 2
    assert found.shortfall.sum() == pytest.approx(150.0, rel=1e-5)
    assert [refusal.guarantee for refusal in found.refusals] == ["urllc at X", "video at X"]
    uplink, server = found.refusals[0].causes
    assert (uplink.name, server.name) == ("uplink X-Y", "server X")
    assert [uplink.dual, uplink.least, uplink.enough] == pytest.approx([1.0, 150.0, 150.0], rel=1e-3)
    assert [server.dual, server.least, server.enough] == pytest.approx([0.5, 300.0, 300.0], rel=1e-3)
    told = str(found).splitlines()
    assert len(told) == 2
    assert "of 400 Mb/s, because of uplink X-Y (dual 1): add >= 150 there, 150 do; server X (dual 0.5)" in told[0]
    assert told[1].endswith(" Mb/s")
    assert "lower the floor to" in told[1]


def test_what_cannot_help_alone_says_what_stays_short() -> None:
    found = admit(network([400.0, 100.0, 3000.0], capacity=np.array([300.0, 50.0, 0.0, 2000.0])))
    text = str(found)
    assert "uplink X-Y (dual 1): add >= 200 there, 200 leave 2950 short" in text
    assert "server X, which has no capacity" in text
    assert "slice urllc at Z: short 2950 of 3000 Mb/s, because of its users, who want 1000 in all" in text


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"cap": np.where(np.arange(8).reshape(2, 4) == 0, 150.0, np.inf)}, "cap of urllc at uplink X-Y"),
        ({"limit": np.array([120.0, np.inf])}, "limit of urllc"),
        ({"kept": np.where(np.arange(8).reshape(2, 4) == 4, 250.0, 0.0)}, "uplink X-Y without what video keeps"),
    ],
)
def test_limits_caps_and_isolation_are_named(changes: dict[str, Any], cause: str) -> None:
    slices = Slices(np.array([0, 1, 0, 1]), ("urllc", "video"), **changes)
    found = admit(network([210.0, 0.0, 0.0], slices=slices))
    assert found.refused
    assert [refusal.guarantee for refusal in found.refusals] == ["urllc at X"]
    assert cause in [c.name for c in found.refusals[0].causes]


def test_the_slice_of_lower_priority_is_short_first() -> None:
    for priority, short in (([1.0, 9.0], 0), ([9.0, 1.0], 1)):
        slices = Slices(np.array([0, 1, 0, 1]), ("urllc", "video"), priority=np.array(priority))
        found = admit(network([300.0, 100.0, 0.0], slices=slices))
        assert found.shortfall[short] == pytest.approx(50.0, rel=1e-4)
        assert found.shortfall[1 - short] == pytest.approx(0.0, abs=1e-3)


def test_floors_are_kept_where_they_can_be_and_missed_least_where_not() -> None:
    kept = SliceKernel().allocate(network([200.0, 140.0, 45.0]), tolerance=1e-6)
    np.testing.assert_allclose(kept.shortfall, 0.0, atol=1e-2)
    missed = SliceKernel().allocate(network([400.0, 100.0, 45.0]), tolerance=1e-6)
    assert missed.shortfall.sum() == pytest.approx(150.0, rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"guarantees": Guarantees(FLOOR_OF, np.array([1.0, np.nan, 0.0]), GUARANTEES)}, "guarantees.amount[1]"),
        ({"guarantees": Guarantees(np.arange(4), np.ones(3), GUARANTEES)}, "guarantees.of_user[3]: expected -1..2"),
        ({"slices": Slices(np.array([0, 1, 0, 2]), ("a", "b"))}, "slices.of_user[3]: expected 0..1, got 2"),
        ({"slices": Slices(OF_USER, ("a", "a"))}, "slices.names: expected different names"),
        ({"slices": Slices(OF_USER, ("a", "b"), cap=np.ones((2, 3)))}, "slices.cap: expected shape [2, 4]"),
        ({"slices": Slices(OF_USER, ("a", "b"), limit=np.array([-1.0, 1.0]))}, "slices.limit[0]"),
        ({"slices": Slices(OF_USER, ("a", "b"), kept=np.full((2, 4), 200.0))}, "kept of uplink X-Y: expected at most"),
        ({"demand": np.array([1.0, np.nan, 1.0, 1.0])}, "demand[1]"),
        ({"resource_names": ("one",)}, "resource_names: expected 4 names, got 1"),
    ],
)  # fmt: skip
def test_bad_slices_are_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(network([1.0, 1.0, 1.0]), **changes)
    assert told in str(caught.value)


def test_more_keepers_than_the_kernel_takes_go_to_the_reference() -> None:
    problem = SlicesInterface().sample(2, awkward=True)
    with pytest.raises(InputError, match="6 slices keep a part of resource 0: the kernel takes 4; use auto"):
        SliceKernel().allocate(problem)
    assert registry.choose(problem).name == "cvxpy"


@pytest.mark.parametrize("floors", [[1e12, 1.0, 1.0], [1e-12, 0.0, 0.0], [1e6, 1e-6, 1e6], [0.0, 0.0, 0.0]])
@pytest.mark.parametrize(
    "capacity", [[300.0, 50.0, 100.0, 2000.0], [0.0, 50.0, 0.0, 1e-6], [np.inf, 50.0, 100.0, 1e12]]
)
def test_hostile_floors_have_reasons(floors: list[float], capacity: list[float]) -> None:
    kept = np.zeros((2, 4))
    slices = Slices(np.array([0, 1, 0, 1]), ("urllc", "video"), kept=kept)
    found = admit(network(floors, capacity=np.array(capacity), slices=slices))
    assert found.admitted != found.refused
    if found.refused:
        assert found.refusals
        assert all(refusal.causes for refusal in found.refusals)
        assert all(np.isfinite([c.dual, c.left, c.least, c.enough]).all() for r in found.refusals for c in r.causes)
    answer = SliceKernel().allocate(network(floors, capacity=np.array(capacity), slices=slices))
    assert np.isfinite([answer.value, answer.bound]).all()
    assert answer.value <= answer.bound + 1e-9 * max(abs(answer.bound), answer.scale)
