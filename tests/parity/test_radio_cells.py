"""Cells, links, SINR and coupled loads against the naive numpy that looks at everything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference import radio_cells as naive
from reference.radio import array_gain
from support import radio_maps as maps
from tiertwin import _core

EXACT = {"rtol": 1e-9, "atol": 1e-9}
SEED = 11


@pytest.fixture(scope="module")
def scene() -> tuple[Any, ...]:
    """Columns, the map, users of whom some stand between the towns, and who is indoors."""
    columns = maps.mixed()
    x, y, z = maps.users(2, 600)
    far_x, far_y, far_z = maps.users(3, 200, 4000.0)
    x, y, z = np.concatenate([x, far_x + 5000.0]), np.concatenate([y, far_y]), np.concatenate([z, far_z])
    x[:2], y[:2] = (0.0, 150.0), (0.0, 200.0)  # at the foot of a mast, and in the office
    indoors = _core.indoors_at(SEED, 0.5, x, y)
    indoors[1] = True
    return columns, maps.built(columns), x, y, z, indoors, naive.gains(columns, x, y, z, indoors, SEED)


@pytest.mark.parametrize("correlation", [6.0, 50.0, 120.0])
def test_the_field_is_the_formula(correlation: float) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-2e5, 2e5, (2, 5000))
    ours = _core.normal_field(7, 3, 5, correlation, x, y)
    np.testing.assert_allclose(ours, naive.field(7, 3, 5, correlation, x, y), **EXACT)


def test_the_same_places_are_indoors() -> None:
    x, y, _ = maps.users(5, 4000)
    np.testing.assert_array_equal(_core.indoors_at(9, 0.8, x, y), naive.indoors_at(9, 0.8, x, y))


@pytest.mark.parametrize("k", [1, 5, 20, 120])
def test_the_strongest_cells_are_those_of_all(scene: tuple[Any, ...], k: int) -> None:
    columns, cell_map, x, y, z, indoors, gain = scene
    ids, gains = _core.strongest(cell_map, x, y, z, indoors, SEED, k)
    want_ids, want_gains = naive.strongest(columns, gain, k)
    np.testing.assert_array_equal(ids, want_ids)
    np.testing.assert_allclose(gains, want_gains, **EXACT)
    assert (ids >= 0).any(axis=1).all()
    assert k < 120 or (ids < 0).any()  # more than there are


@pytest.mark.parametrize("k", [1, 4, 30])
def test_a_dense_city_of_many_masts(k: int) -> None:
    """Here most masts are far, hidden, and left out early."""
    columns = maps.cells("uma", *maps.hexagons(9, 250.0))
    x, y, z = maps.users(10, 250, 2000.0)
    indoors = _core.indoors_at(SEED, 0.5, x, y)
    ids, gains = _core.strongest(maps.built(columns), x, y, z, indoors, SEED, k)
    want_ids, want_gains = naive.strongest(columns, naive.gains(columns, x, y, z, indoors, SEED), k)
    np.testing.assert_array_equal(ids, want_ids)
    np.testing.assert_allclose(gains, want_gains, **EXACT)


@pytest.mark.parametrize("k", [1, 4, 12])
def test_equal_cells_come_by_number(k: int) -> None:
    columns = maps.cells("uma", *maps.hexagons(1, 400.0))
    columns["every_way"][:] = True  # the sectors of a site are heard alike
    x, y, z = maps.users(9, 60, 500.0)
    indoors = np.zeros(60, dtype=bool)
    ids, gains = _core.strongest(maps.built(columns), x, y, z, indoors, SEED, k)
    want_ids, want_gains = naive.strongest(columns, naive.gains(columns, x, y, z, indoors, SEED), k)
    np.testing.assert_array_equal(ids, want_ids)
    np.testing.assert_allclose(gains, want_gains, **EXACT)


@pytest.mark.parametrize("carrier", [0, 1, 2])
def test_one_carrier_alone(scene: tuple[Any, ...], carrier: int) -> None:
    columns, cell_map, x, y, z, indoors, gain = scene
    numbers = np.unique(columns["ghz"], return_inverse=True)[1]
    np.testing.assert_array_equal(cell_map.carrier, numbers)
    ids, gains = _core.strongest(cell_map, x, y, z, indoors, SEED, 6, carrier=carrier)
    want_ids, want_gains = naive.strongest(columns, gain, 6, np.broadcast_to(numbers == carrier, gain.shape))
    np.testing.assert_array_equal(ids, want_ids)
    np.testing.assert_allclose(gains, want_gains, **EXACT)


@pytest.mark.parametrize("masts", [1, 4, 16])
def test_few_masts_are_the_strongest_in_the_median(scene: tuple[Any, ...], masts: int) -> None:
    columns, cell_map, x, y, z, indoors, gain = scene
    strength = naive.strengths(columns, x, y)
    order = np.argsort(-strength, axis=1, kind="stable")
    best = order[:, :masts]
    owners = naive.masts_of(columns)
    allowed = np.zeros(gain.shape, dtype=bool)
    for n, row in enumerate(best):
        for mast in row:
            allowed[n, owners[mast][1]] = np.isfinite(strength[n, mast])
    ids, gains = _core.strongest(cell_map, x, y, z, indoors, SEED, 8, masts=masts)
    want_ids, want_gains = naive.strongest(columns, gain, 8, allowed)
    np.testing.assert_array_equal(ids, want_ids)
    np.testing.assert_allclose(gains, want_gains, **EXACT)
    for n in range(0, len(x), 37):
        flat = [cell for mast in order[n] if np.isfinite(strength[n, mast]) for cell in owners[mast][1]]
        assert cell_map.candidates(x[n], y[n], 9).tolist() == flat[:9]


def test_other_shares_of_dear_walls(scene: tuple[Any, ...]) -> None:
    columns, cell_map, x, y, z, _, _ = scene
    indoors = np.ones(len(x), dtype=bool)
    for share in (0.0, 1.0):
        gain = naive.gains(columns, x, y, z, indoors, SEED, share)
        gains = _core.strongest(cell_map, x, y, z, indoors, SEED, 3, high_loss_share=share)[1]
        np.testing.assert_allclose(gains, naive.strongest(columns, gain, 3)[1], **EXACT)


# ----------------------------------------------------------------------------------------------------------------- SINR
def heard(scene: tuple[Any, ...], k: int = 12) -> tuple[Any, ...]:
    """Columns, map, gains, cells, serving slots (some second best, some none), beams and loads."""
    columns, cell_map, x, y, z, indoors, _ = scene
    ids, gains = _core.strongest(cell_map, x, y, z, indoors, SEED, k)
    rng = np.random.default_rng(6)
    serving = np.where(rng.random(len(x)) < 0.2, 1, 0).astype(np.int32)
    serving[(ids[:, 1] < 0) | (rng.random(len(x)) < 0.05)] = -1
    return columns, cell_map, gains, ids, serving, rng.uniform(-5, 18, len(x)), rng.random(len(columns["model"]))


def test_sinr_is_the_formula(scene: tuple[Any, ...]) -> None:
    columns, cell_map, gains, ids, serving, beam, load = heard(scene)
    wanted = naive.sinr(columns, gains, ids, serving, beam, load)
    assert np.isneginf(wanted).any()
    np.testing.assert_allclose(_core.sinr(cell_map, gains, ids, serving, beam, load), wanted, **EXACT)
    links = _core.Links(cell_map, gains, ids, serving, beam)
    np.testing.assert_allclose(links.sinr(load), wanted, **EXACT)
    np.testing.assert_allclose(
        links.sinr(load * 0.5), naive.sinr(columns, gains, ids, serving, beam, load * 0.5), **EXACT
    )
    none = np.zeros(0)
    wanted = naive.sinr(columns, gains, ids, serving, np.zeros(len(serving)), load)
    np.testing.assert_allclose(_core.sinr(cell_map, gains, ids, serving, none, load), wanted, **EXACT)
    own = np.where(serving < 0, -1, ids[np.arange(len(ids)), serving])
    np.testing.assert_array_equal(links.serving_cell, own)


def test_beams_are_those_of_the_serving_cells_arrays(scene: tuple[Any, ...]) -> None:
    columns, cell_map, *_ = scene
    rng = np.random.default_rng(8)
    own = rng.integers(-1, len(columns["model"]), 300, dtype=np.int32)
    azimuth, elevation = rng.uniform(-180, 180, 300), rng.uniform(-90, 90, 300)
    wanted = [
        0.0 if c < 0 else array_gain(int(columns["rows"][c]), int(columns["columns"][c]), a, e)
        for c, a, e in zip(own, azimuth, elevation, strict=True)
    ]
    np.testing.assert_allclose(_core.serving_beams(cell_map, own, azimuth, elevation), wanted, **EXACT)


def test_rates_are_the_formula() -> None:
    sinr_db = np.append(np.linspace(-40, 60, 400), -np.inf)
    wanted = naive.rate(sinr_db, np.array([20e6]), 0.65, 7.4)
    np.testing.assert_allclose(_core.rate_of(sinr_db, np.array([20e6]), 0.65, 7.4), wanted, rtol=1e-9)
    assert wanted.max() == 7.4 * 20e6
    assert wanted[-1] == 0


def test_channel_quality_is_the_table() -> None:
    efficiency = _core.cqi_efficiency(np.arange(16, dtype=np.int32))
    np.testing.assert_allclose(efficiency, naive.EFFICIENCY, atol=5.1e-5)
    thresholds = np.array([_core.cqi_threshold(cqi) for cqi in range(1, 16)])
    np.testing.assert_allclose(0.75 * np.log2(1 + 10 ** (thresholds / 10)), efficiency[1:], **EXACT)
    assert (np.diff(thresholds) > 0).all()
    sinr_db = np.linspace(-20, 40, 2001)
    np.testing.assert_array_equal(_core.cqi_of(sinr_db), np.searchsorted(thresholds, sinr_db, side="right"))
    assert _core.cqi_of(np.array([-np.inf, np.inf])).tolist() == [0, 15]


# ------------------------------------------------------------------------------------------------------------- coupling
@pytest.mark.parametrize("demand", [1e4, 1e6, 2e7])
def test_coupled_loads_solve_the_equation(scene: tuple[Any, ...], demand: float) -> None:
    columns, cell_map, gains, ids, serving, beam, _ = heard(scene)
    wishes = demand * np.random.default_rng(7).random(len(serving))
    found = _core.Links(cell_map, gains, ids, serving, beam).coupled_loads(wishes, tolerance=1e-12)
    assert found["converged"]
    wanted = naive.wanted_loads(columns, gains, ids, serving, beam, wishes, found["load"])
    np.testing.assert_allclose(found["load"], np.minimum(wanted, 1.0), atol=1e-9)
    np.testing.assert_allclose(found["wanted"], wanted, rtol=1e-9)
    np.testing.assert_array_equal(found["saturated"], np.flatnonzero(wanted >= 1.0))
    assert found["unserved"] == np.sum((serving < 0) & (wishes > 0))
    assert (found["saturated"].size > 0) == (demand > 1e5)
    load = np.zeros(len(columns["model"]))
    for _ in range(found["iterations"] - 1):
        load = np.minimum(naive.wanted_loads(columns, gains, ids, serving, beam, wishes, load), 1.0)
    np.testing.assert_allclose(found["load"], load, atol=1e-9)
