"""What orchestrators say survives its way through cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.allocate.messages import Query, Said
from tiertwin.allocate.split import ClassShares
from tiertwin.errors import PeerError
from tiertwin.orchestrate import units
from tiertwin.twin.attributes import A, TableId


def as_unit(cells: units.Cells3) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Cells as a peer hands them over: by attribute, rows ascending."""
    found = {}
    for attribute in np.unique(cells.attributes):
        mine = cells.attributes == attribute
        order = np.argsort(cells.rows[mine], kind="stable")
        found[int(attribute)] = (cells.rows[mine][order], cells.values[mine][order])
    return found


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), quotas=st.integers(1, 5))
def test_said_survives(seed: int, quotas: int) -> None:
    rng = np.random.default_rng(seed)
    cuts, points = np.sort(rng.choice(12, 5, replace=False)), np.sort(rng.choice(12, 4, replace=False))
    said = Said(
        version=int(rng.integers(1, 1000)),
        cut_slots=cuts,
        phi=rng.normal(size=5),
        g=rng.uniform(size=(5, quotas)),
        point_slots=points,
        u=rng.uniform(size=(4, quotas)),
        v=rng.normal(size=4),
        scale=rng.uniform(size=4),
        rmax=rng.uniform(size=quotas),
        dear=rng.uniform(size=quotas),
        v0=float(rng.normal()),
        leaves=7,
        stale=2,
    )
    stamp = units.Stamp(13, 2)
    cut, point = as_unit(units.cut_cells(said, stamp)), as_unit(units.point_cells(said, stamp))
    assert units.stamp_of(TableId.CUT, cut) == units.stamp_of(TableId.POINT, point) == stamp
    back = units.said_of(cut, point, quotas)
    for name in ("cut_slots", "phi", "g", "point_slots", "u", "v", "scale", "rmax", "dear"):
        assert np.array_equal(getattr(back, name), getattr(said, name)), name
    assert (back.version, back.v0, back.leaves, back.stale) == (said.version, said.v0, 7, 2)


def test_a_query_survives() -> None:
    query = Query(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]), used=5)
    cells = as_unit(units.query_cells(query, units.Stamp(4, 1)))
    back = units.query_of(cells, 3)
    assert units.stamp_of(TableId.QUERY, cells) == units.Stamp(4, 1)
    assert np.array_equal(back.quota, query.quota)
    assert np.array_equal(back.price, query.price)
    assert back.used == 5


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), devices=st.integers(0, 6), classes=st.integers(1, 5), tiers=st.integers(2, 8))
def test_set_points_survive(seed: int, devices: int, classes: int, tiers: int) -> None:
    """Rows of devices and rows of classes in one unit, whichever are more."""
    rng = np.random.default_rng(seed)
    shares = rng.uniform(size=(devices, tiers))
    split = ClassShares(rng.uniform(size=(tiers - 1, classes)), rng.uniform(size=(tiers - 2, classes)))
    cells = units.setpoint_cells(shares, split)
    back, found = units.setpoints_of(as_unit(cells), devices, classes, tiers)
    assert np.array_equal(back, shares)
    assert np.array_equal(found.cpu, split.cpu)
    assert np.array_equal(found.uplink, split.uplink)
    assert set(cells.attributes.tolist()) <= set(map(int, units.setpoint_attributes(tiers)))


def test_missing_cells_are_nan_and_rows_beyond_are_left_out() -> None:
    assert np.isnan(units.column({}, A.SHARE, 3)).all()
    rows = np.array([1, 7], dtype=np.uint32)
    found = units.column({int(A.SHARE): (rows, np.array([0.25, 0.5]))}, A.SHARE, 2)
    assert np.isnan(found[0])
    assert found[1] == 0.25


@pytest.mark.parametrize("quotas", [1, 3, 5])
def test_both_ends_declare_the_same_attributes(quotas: int) -> None:
    said = Said(1, np.arange(1), np.ones(1), np.ones((1, quotas)), np.arange(1), np.zeros((1, quotas)), np.ones(1),
                np.ones(1), np.ones(quotas), np.ones(quotas), 0.0)  # fmt: skip
    stamp = units.Stamp(0, 0)
    assert set(units.cut_cells(said, stamp).attributes) == set(map(int, units.cut_attributes(quotas)))
    assert set(units.point_cells(said, stamp).attributes) == set(map(int, units.point_attributes(quotas)))
    query = Query(np.ones(quotas), np.ones(quotas))
    assert set(units.query_cells(query, stamp).attributes) == set(map(int, units.query_attributes(quotas)))
    budget = units.budget_cells(np.ones((2, quotas)), np.ones(2))
    assert set(budget.attributes) == set(map(int, units.budget_attributes(quotas)))


def test_rows_of_several_versions_are_never_mixed() -> None:
    """Found by the lossy network: rows held back while a peer was away gave bounds of two data versions at once."""
    said = Said(1, np.arange(2), np.ones(2), np.ones((2, 1)), np.arange(2), np.zeros((2, 1)), np.ones(2), np.ones(2),
                np.ones(1), np.ones(1), 0.0)  # fmt: skip
    cuts = as_unit(units.cut_cells(said, units.Stamp(1, 0)))
    points = as_unit(units.point_cells(said, units.Stamp(1, 0)))
    cuts[A.CUT_VERSION][1][:] = [1.0, 2.0]
    cuts[A.CUT_EPOCH][1][:] = [0.0, 1.0]
    assert units.stamp_of(TableId.CUT, cuts) == units.Stamp(1, 0)
    assert units.said_of(cuts, points, 1) is None
    points[A.POINT_VERSION][1][:] = 2.0
    back = units.said_of(cuts, points, 1)
    assert back is not None
    assert (back.version, back.cut_slots.tolist(), back.point_slots.tolist()) == (2, [1], [0, 1])


@pytest.mark.parametrize("table", ["cut", "point", "query", "budget", "set-points"])
def test_a_unit_without_its_cells_is_refused_by_name(table: str) -> None:
    """A listed peer may send anything: what is missing or not finite is its fault and never a KeyError here."""
    said = Said(1, np.arange(1), np.ones(1), np.ones((1, 1)), np.arange(1), np.zeros((1, 1)), np.ones(1), np.ones(1),
                np.ones(1), np.ones(1), 0.0)  # fmt: skip
    stamp = units.Stamp(0, 0)
    cuts, points = as_unit(units.cut_cells(said, stamp)), as_unit(units.point_cells(said, stamp))
    query = as_unit(units.query_cells(Query(np.ones(1), np.ones(1)), stamp))
    budget = as_unit(units.budget_cells(np.ones((1, 1)), np.ones(1)))
    split = ClassShares(np.ones((3, 2)), np.ones((2, 2)))
    setpoints = as_unit(units.setpoint_cells(np.ones((5, 4)), split))
    read = {
        "cut": (cuts, lambda: units.said_of(cuts, points, 1)),
        "point": (points, lambda: units.said_of(cuts, points, 1)),
        "query": (query, lambda: units.query_of(query, 1)),
        "budget": (budget, lambda: units.budget_of(budget, 1, 1)),
        "set-points": (setpoints, lambda: units.setpoints_of(setpoints, 5, 2, 4)),
    }
    cells, reader = read[table]
    reader()
    attribute, (rows, values) = sorted(cells.items())[-1]
    cells[attribute] = (rows, np.full(len(values), np.nan))
    with pytest.raises(PeerError, match="finite"):
        reader()
    del cells[attribute]
    with pytest.raises(PeerError, match="Expected"):
        reader()
