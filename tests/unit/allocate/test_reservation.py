"""Reservation and spectrum from Python: what is refused and how it is told, edges, the day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tiertwin.allocate.families import registry, reservation
from tiertwin.allocate.families.reservation import ReservationProblem
from tiertwin.allocate.families.reservation_day import day_study, sample_day
from tiertwin.allocate.families.reservation_interface import ReservationInterface
from tiertwin.allocate.families.reservation_kernel import ReservationKernel, lacks
from tiertwin.allocate.families.spectrum import SpectrumProblem
from tiertwin.allocate.families.spectrum_kernel import SpectrumKernel, fixed, strongest
from tiertwin.errors import InputError

INF = np.inf


def one_group(**changes: Any) -> ReservationProblem:
    """100 users, one task a second of 2 Gcycles; 0.1 s; a near dear tier and a far cheap one."""
    given: dict[str, Any] = {
        "users": [100.0], "rate": [1.0], "cycles": [2.0], "bits": [1.0], "context": [10.0], "deadline": [0.1],
        "path": [[0.0, 0.06]], "moves": [[0.1, 0.0]], "hops": [1.0, 3.0], "capacity": np.full((3, 2), INF),
        "price": [[1.0, 0.5], [0.0, 0.0], [0.1, 0.1]],
    }  # fmt: skip
    return ReservationProblem(**given | changes)


def test_needs_are_those_worked_out_by_hand() -> None:
    near, far = one_group().need_of(np.array([[1.0, 0.0]])), one_group().need_of(np.array([[0.0, 1.0]]))
    np.testing.assert_allclose(near, [[2.0 * (100 + 10), 0.0], [1000.0, 0.0], [100.0 + 100 * 0.1 * 10, 0.0]])
    np.testing.assert_allclose(far, [[0.0, 2.0 * (100 + 25)], [0.0, 1000.0], [0.0, 300.0]])
    found = ReservationKernel().allocate(one_group())
    np.testing.assert_array_equal(found.share, [[0.0, 1.0]])  # 125 + 30 < 220 + 20
    assert found.cost == pytest.approx(155.0)
    assert found.gap <= 1e-9


def test_what_there_is_already_is_kept_where_giving_it_back_is_dearer() -> None:
    before = np.array([[300.0, 0.0], [1000.0, 0.0], [200.0, 0.0]])
    held = ReservationKernel().allocate(one_group(before=before, change=np.full((3, 2), 5.0)))
    np.testing.assert_array_equal(held.share, [[1.0, 0.0]])
    np.testing.assert_allclose(held.reserved[0], [300.0, 0.0])
    assert held.changes == 0.0
    moved = ReservationKernel().allocate(one_group(before=before, change=np.full((3, 2), 1e-3)))
    np.testing.assert_array_equal(moved.share, [[0.0, 1.0]])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"users": [np.nan]}, "users[0]: expected a finite number >= 0, got nan"),
        ({"path": [[0.0, -1.0]]}, "path[0, 1]"),
        ({"deadline": [0.0]}, "deadline[0]"),
        ({"capacity": np.ones((2, 2))}, "capacity: expected shape [3, 2], got [2, 2]"),
        ({"price": [[1.0, INF], [0.0, 0.0], [0.0, 0.0]]}, "price[0, 1]"),
        ({"path": [[0.2, 0.3]]}, "deadline[0]: 0.1 s is before the answer of every tier; the nearest takes 0.2 s"),
    ],
)
def test_bad_windows_are_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        one_group(**changes)
    assert told in str(caught.value)


def test_what_is_missing_is_told_with_its_amount_and_proved() -> None:
    problem = one_group(capacity=np.array([[100.0, 50.0], [INF, INF], [INF, INF]]))
    found = ReservationKernel().allocate(problem)
    assert not found.fits
    lacking, proved = lacks(problem, found)
    assert proved
    assert any(str(lack).startswith("compute at tier ") and "short" in str(lack) for lack in lacking)
    fits = ReservationKernel().allocate(one_group())
    assert lacks(one_group(), fits) == ([], False)


def test_pooled_queues_go_to_the_reference() -> None:
    problem = replace(ReservationInterface().sample(0), pooled=True)
    assert registry.choose(problem).name == "cvxpy"
    with pytest.raises(InputError, match="pooled: groups that share a queue"):
        registry.choose(problem, "kernel")


def test_nobody_reserves_nothing() -> None:
    empty = np.zeros(0)
    problem = ReservationProblem(
        empty, empty, empty, empty, empty, empty, np.zeros((0, 2)), np.zeros((0, 2)), np.ones(2), np.ones((3, 2)),
        np.ones((3, 2)),
    )  # fmt: skip
    found = ReservationKernel().allocate(problem)
    assert (found.cost, found.bound, found.gap, found.fits) == (0.0, 0.0, 0.0, True)


def test_a_day_of_reservations() -> None:
    day = sample_day(16)
    found = {outcome.policy: outcome for outcome in day_study(day)}
    assert list(found) == ["twin", "every window", "static peak", "one group", "one tier", "no twin"]
    assert found["static peak"].changes == 0.0
    assert found["static peak"].reconfigurations == 0
    assert found["twin"].cost < found["static peak"].cost
    assert found["twin"].cost <= found["every window"].cost
    assert found["twin"].violations <= found["no twin"].violations
    assert found["twin"].error < found["no twin"].error
    assert all(outcome.gap <= 0.1 for name, outcome in found.items() if name != "one group")
    exact = day_study(replace(day, truth=day.forecast))
    assert next(outcome for outcome in exact if outcome.policy == "twin").violations == 0.0
    again = day_study(sample_day(16))
    assert again == list(found.values())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gain": np.ones(3)}, "gain: expected shape [U, C], got [3]"),
        ({"gain": np.array([[np.nan, 1.0]])}, "gain[0]: expected a finite number"),
        ({"bandwidth": np.array([1e7, 0.0])}, "bandwidth[1]"),
        ({"power_most": np.array([1.0])}, "power_most: expected shape [2], got [1]"),
        ({"activity": np.array([1.0, 1.5])}, "activity[1]"),
        ({"weight": np.array([-1.0])}, "weight[0]"),
        ({"power_least": np.array([2.0, 1.0])}, "power_least[0]: expected at most the most"),
    ],
)
def test_bad_clusters_are_named(changes: dict[str, Any], told: str) -> None:
    given = {"gain": np.full((1, 2), 1e-12), "power_most": np.ones(2), "bandwidth": np.full(2, 1e7)}
    with pytest.raises(InputError) as caught:
        SpectrumProblem(**given | changes)
    assert told in str(caught.value)


def test_two_cells_that_disturb_each_other_lower_their_powers_together_or_not() -> None:
    """Two users, each close to its own cell: full power for both is best, as interference and signal fall alike."""
    gain = np.array([[1e-10, 1e-11], [1e-11, 1e-10]])
    problem = SpectrumProblem(gain, np.ones(2), np.full(2, 1e7))
    found = SpectrumKernel().allocate(problem)
    np.testing.assert_array_equal(found.cell, [0, 1])
    assert found.power_gap <= 1e-4
    uneven = SpectrumProblem(np.array([[1e-10, 1e-11], [1e-14, 1e-9]]), np.ones(2), np.full(2, 1e7))
    quiet = SpectrumKernel().allocate(uneven)  # the second cell can spare much, and the first user needs it to
    assert quiet.power[1] < 0.5
    assert quiet.value > strongest(uneven).value + 0.1


def test_demands_and_backhauls_hold() -> None:
    gain = np.full((4, 2), 1e-11)
    problem = SpectrumProblem(
        gain, np.ones(2), np.full(2, 1e7), demand=np.array([1e5, INF, INF, INF]), backhaul=np.array([1e6, INF])
    )
    found = SpectrumKernel().allocate(problem)
    assert found.rate[0] <= 1e5 * (1 + 1e-9)
    assert found.rate[found.cell == 0].sum() <= 1e6 * (1 + 1e-9)
    assert fixed(problem, found.cell).value <= found.value + 1e-6 * found.scale
    assert 0 < found.fairness.jain <= 1


def test_nobody_in_reach_is_an_answer() -> None:
    found = SpectrumKernel().allocate(SpectrumProblem(np.zeros((3, 2)), np.ones(2), np.full(2, 1e7)))
    np.testing.assert_array_equal(found.cell, -1)
    assert (found.value, found.bound, found.scale, found.gap) == (0.0, 0.0, 0.0, 0.0)
    assert reservation.KINDS == ("compute", "storage", "bandwidth")
