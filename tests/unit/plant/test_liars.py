"""Liars: what each kind tells, that the plant does not know, and that clean reports are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.errors import InputError
from tiertwin.plant import SimulatedPlant
from tiertwin.plant.liars import KINDS, Liars, drawn_lies, liars_of
from tiertwin.plant.reports import DEVICE_ATTRIBUTES
from tiertwin.world import load, resolve

SECOND = 1_000_000_000
RATE, RADIO, COMPLETED = (DEVICE_ATTRIBUTES.index(name) for name in ("task_rate", "radio_mbps", "completed"))


def told(faults: dict, seconds: int = 25, seed: int = 3):
    """Rows (id, time, values) of every device report of a run of metro, and the plant."""
    plant = SimulatedPlant(resolve(load("metro", faults=faults)), seed)
    rows = []
    for t in range(1, seconds + 1):
        plant.advance(t * SECOND, t - 1)
        reports = plant.telemetry(t * SECOND).devices
        rows += list(zip(reports.id.tolist(), reports.time_ns.tolist(), reports.values, strict=True))
    return rows, plant


def of(rows: list, device: int) -> np.ndarray:
    return np.array([values for sender, _, values in rows if sender == device])


def test_a_liar_changes_its_own_reports_and_nothing_else():
    truth, _ = told({})
    lied, plant = told({"liars": [{"kind": "bias", "at_s": 10.0, "for_s": 8.0, "node": "Centre", "device": 0}]})
    assert [(sender, at) for sender, at, _ in truth] == [(sender, at) for sender, at, _ in lied]
    for device in range(1, 600):
        np.testing.assert_array_equal(of(truth, device), of(lied, device))
    before, after = of(truth, 0), of(lied, 0)
    same = (before == after) | np.isnan(before)
    assert same[:9].all()
    assert same[19:].all()
    (state,) = plant.truth_liars()
    assert state.false == (~same.all(axis=1)).sum() > 3
    changed = before[:, COMPLETED] != after[:, COMPLETED]
    np.testing.assert_allclose(after[changed, COMPLETED], 3.0 * before[changed, COMPLETED])
    np.testing.assert_array_equal(before[:, RADIO], after[:, RADIO])


def test_what_is_idle_times_three_is_no_lie():
    device = 60  # a meter at the centre
    _, plant = told({"liars": [{"kind": "bias", "at_s": 0.0, "node": "Centre", "device": device}]}, 3)
    (state,) = plant.truth_liars()
    assert state.false == 0
    assert state.first_ns == -1


@pytest.mark.parametrize("kind", ["freeze", "replay"])
def test_old_reports_come_again_to_the_last_bit(kind: str):
    truth, _ = told({})
    lied, _ = told({"liars": [{"kind": kind, "at_s": 10.0, "node": "Centre", "device": 1}]})
    before = {values.tobytes() for values in of(truth, 1)[:10]}
    after = of(lied, 1)
    start = int(np.argmax(of(truth, 1)[:, RADIO] != after[:, RADIO]))
    again = [values.tobytes() for values in after[start:]]
    assert set(again) <= before
    assert len(set(again)) == 1 if kind == "freeze" else len(set(again)) > 3


def test_random_reports_are_those_of_the_seed_and_within_the_sites_range():
    faults = {"liars": [{"kind": "random", "at_s": 5.0, "node": "Centre", "device": 2, "strength": 1.0}]}
    (one, _), (again, _), (other, _) = told(faults), told(faults), told(faults, seed=4)
    np.testing.assert_array_equal(of(one, 2), of(again, 2))
    assert not np.array_equal(of(one, 2)[-5:], of(other, 2)[-5:])
    most = 2.0 * max(values[RATE] for _, _, values in told({})[0])
    assert of(one, 2)[:, RATE].min() >= 0.0
    assert of(one, 2)[:, RATE].max() <= most


def test_a_gateway_lies_in_all_it_tells():
    scenario = load("metro", faults={"liars": [{"kind": "bias", "at_s": 0.0, "node": "Centre", "strength": 1.0}]})
    honest, liar = (SimulatedPlant(resolve(s), 3) for s in (load("metro", faults={}), scenario))
    for plant in (honest, liar):
        plant.advance(3 * SECOND, 0)
    a, b = honest.telemetry(3 * SECOND), liar.telemetry(3 * SECOND)
    for part in ("devices", "servers", "links"):
        before, after = getattr(a, part), getattr(b, part)
        mine, rest = before.rows_of_site(0), slice(before.rows_of_site(0).stop, None)
        assert (before.values[mine] != after.values[mine]).any() or part == "servers"  # idle before anything is decided
        np.testing.assert_array_equal(before.values[rest], after.values[rest])
    np.testing.assert_array_equal(honest.kpis().by_site_class("generated"), liar.kpis().by_site_class("generated"))


def test_liars_are_drawn_by_the_seed_the_kinds_in_turn():
    world = resolve(load("metro", faults={"lying": {"share": 0.1}}))
    rule = liars_of(world)["lying"]
    lies = drawn_lies(world, rule, 7)
    assert len(lies) == 60
    assert lies == drawn_lies(world, rule, 7) != drawn_lies(world, rule, 8)
    assert [sum(lie.kind == kind for lie in lies) for kind in KINDS] == [15] * 4
    assert len({lie.device for lie in lies}) == 60
    assert all(10 * SECOND <= lie.start_ns <= 20 * SECOND for lie in lies)
    gateways = drawn_lies(world, {**rule, "of": "gateway"}, 7)
    assert [lie.device for lie in gateways] == [-1]


def test_a_device_a_site_does_not_have_is_refused():
    world = resolve(load("metro", faults={"liars": [{"kind": "bias", "at_s": 0, "node": "Centre", "device": 900}]}))
    with pytest.raises(InputError, match=r"faults.liars\[0\].device: expected 0 … 103, got 900"):
        Liars(world, liars_of(world), 1)
