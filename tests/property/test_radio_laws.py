"""Laws of fields, links, SINR and coupled loads, whatever the map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr

from support import radio_maps as maps
from tiertwin import _core

Reals = NDArray[np.float64]
FIELDS = 400  # entities of the statistics below
NO_BEAM = np.zeros(0)


# --------------------------------------------------------------------------------------------------------------- fields
@pytest.fixture(scope="module")
def pairs() -> dict[float, tuple[Reals, Reals]]:
    """Values at places and at places a distance (of the correlation distance) away, over many fields."""
    rng, found = np.random.default_rng(1), {}
    for distance in (0.02, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0):
        x, y = rng.uniform(-1e5, 1e5, (2, FIELDS, 100))
        turn = rng.uniform(0, 2 * np.pi, x.shape)
        to_x, to_y = x + 50 * distance * np.cos(turn), y + 50 * distance * np.sin(turn)
        here = np.stack([_core.normal_field(3, n, 1, 50.0, x[n], y[n]) for n in range(FIELDS)])
        there = np.stack([_core.normal_field(3, n, 1, 50.0, to_x[n], to_y[n]) for n in range(FIELDS)])
        found[distance] = here.ravel(), there.ravel()
    return found


def test_the_field_is_standard_normal(pairs: dict[float, tuple[Reals, Reals]]) -> None:
    values = np.concatenate([one[0] for one in pairs.values()])  # 400 000 values: standard errors of 0.0016, 0.0022
    assert abs(values.mean()) < 0.01
    assert abs(values.var() - 1) < 0.01
    share = ndtr(values)
    for wanted in (0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99):
        assert abs(np.mean(share < wanted) - wanted) < 0.004  # shares of sight come out as asked for
    assert np.abs(values).max() <= 4.0


def test_its_correlation_is_nearly_exponential(pairs: dict[float, tuple[Reals, Reals]]) -> None:
    for distance, (here, there) in pairs.items():
        correlation = np.mean(here * there)  # of mean 0, variance 1
        assert abs(correlation - np.exp(-distance)) < 0.035, distance  # 0.021 by the fit, the rest for the sample


def test_directions_are_alike() -> None:
    rng = np.random.default_rng(2)
    found = []
    for turn in np.radians([0.0, 45.0, 90.0, 135.0]):
        products = []
        for n in range(FIELDS):
            x, y = rng.uniform(-1e5, 1e5, (2, 100))
            here = _core.normal_field(3, n, 2, 50.0, x, y)
            products.append(here * _core.normal_field(3, n, 2, 50.0, x + 50 * np.cos(turn), y + 50 * np.sin(turn)))
        found.append(np.mean(products))
    assert np.ptp(found) < 0.04


@given(st.integers(0, 2**64 - 1), st.integers(-1, 2**31), st.floats(1.0, 200.0), st.floats(-1e6, 1e6))
def test_the_field_is_continuous(seed: int, entity: int, correlation: float, x: float) -> None:
    step = 1e-4 * correlation
    along = x + step * np.arange(3000)  # over more than two lattice squares of the smallest
    values = _core.normal_field(seed, entity, 1, correlation, along, np.full(1, 0.3 * x))
    assert np.abs(np.diff(values)).max() < 0.02
    assert np.ptp(values) > 0


def test_fields_of_others_are_independent() -> None:
    x, y = np.random.default_rng(3).uniform(-1e6, 1e6, (2, 40_000))
    own = _core.normal_field(1, 2, 3, 50.0, x, y)
    for other in ((2, 2, 3), (1, 3, 3), (1, 2, 4)):
        assert abs(np.mean(own * _core.normal_field(*other, 50.0, x, y))) < 0.025


# ---------------------------------------------------------------------------------------------------------------- links
def world(seed: int, sites: int = 12) -> tuple[Any, ...]:
    """Columns, map, users and who is indoors, drawn."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-1500, 1500, (2, sites))
    columns = maps.together(
        maps.cells("uma", x, y),
        maps.cells("umi", x[:3] + 50, y[:3], sectors=1, first_site=sites, height=10.0, power=33.0),
    )
    return columns, maps.built(columns), *maps.users(seed + 1, 60), rng.random(60) < 0.6


@given(st.integers(0, 10_000), st.integers(1, 30))
@settings(max_examples=25)
def test_links_do_not_depend_on_who_else_asks(seed: int, k: int) -> None:
    _, cell_map, x, y, z, indoors = world(seed)
    ids, gains = _core.strongest(cell_map, x, y, z, indoors, seed, k)
    order = np.random.default_rng(seed).permutation(len(x))[:20]
    some_ids, some_gains = _core.strongest(cell_map, x[order], y[order], z[order], indoors[order], seed, k)
    np.testing.assert_array_equal(some_ids, ids[order])
    np.testing.assert_array_equal(some_gains, gains[order])


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_fewer_slots_are_the_first_of_more(seed: int) -> None:
    columns, cell_map, x, y, z, indoors = world(seed)
    ids, gains = _core.strongest(cell_map, x, y, z, indoors, seed, 12)
    few_ids, few_gains = _core.strongest(cell_map, x, y, z, indoors, seed, 3)
    np.testing.assert_array_equal(few_ids, ids[:, :3])
    np.testing.assert_array_equal(few_gains, gains[:, :3])
    power = np.where(ids >= 0, gains + columns["power_dbm"][ids], -np.inf)
    assert (np.diff(power[:, :12], axis=1) <= 0).all()
    for row in ids:
        assert len(set(row[row >= 0])) == (row >= 0).sum()


def test_cells_of_one_site_share_what_stands_around() -> None:
    columns, _, x, y, z, indoors = world(5)
    for name, value in (("azimuth_deg", 0.0), ("every_way", True), ("peak_dbi", 2.0)):
        columns[name][:] = value
    columns["ghz"][1:36:3] = 3.6  # same place, another carrier: nearly the same loss, the same shadows
    ids, gains = _core.strongest(maps.built(columns), x, y, z, indoors, 5, 39)
    by_cell = np.full((len(x), 39), np.nan)
    for row, cells, values in zip(by_cell, ids, gains, strict=True):
        row[cells[cells >= 0]] = values[cells >= 0]
    np.testing.assert_array_equal(by_cell[:, 0:36:3], by_cell[:, 2:36:3])
    assert np.nanmax(np.abs(by_cell[:, 0:36:3] - by_cell[:, 1:36:3])) < 1.0


def test_the_share_in_sight_is_the_probability() -> None:
    """At 100 m from each of many masts: whoever is in sight loses far less."""
    sites = 4000
    x = 400.0 * np.arange(sites)
    columns = maps.cells("umi", x, np.zeros(sites), sectors=1, height=10.0)
    turn = np.random.default_rng(6).uniform(0, 2 * np.pi, sites)
    _, gains = _core.strongest(
        maps.built(columns),
        x + 100 * np.cos(turn),
        100 * np.sin(turn),
        np.full(sites, 1.5),
        np.zeros(sites, bool),
        1,
        1,
    )
    clear = 32.4 + 21 * np.log10(np.hypot(100, 8.5)) + 20 * np.log10(3.5)
    hidden = 22.4 + 35.3 * np.log10(np.hypot(100, 8.5)) + 21.3 * np.log10(3.5)
    loss = 8.0 - gains[:, 0]
    # The two groups overlap; their mean does not depend on which is which.
    share = (hidden - loss.mean()) / (hidden - clear)
    assert share == pytest.approx(0.18 + np.exp(-100 / 36) * 0.82, abs=0.04)


# ----------------------------------------------------------------------------------------------------------------- SINR
@st.composite
def links(draw: st.DrawFn) -> tuple[Any, ...]:
    """Columns, Links and a vector of loads."""
    seed = draw(st.integers(0, 10_000))
    columns, cell_map, x, y, z, indoors = world(seed)
    ids, gains = _core.strongest(cell_map, x, y, z, indoors, seed, 8)
    serving = np.zeros(len(x), np.int32)
    load = np.random.default_rng(seed).random(len(columns["model"]))
    return ids, gains, cell_map, serving, load


@given(links(), st.floats(0.0, 1.0))
@settings(max_examples=25)
def test_a_busier_neighbour_never_helps(given_links: tuple[Any, ...], more: float) -> None:
    ids, gains, cell_map, serving, load = given_links
    before = _core.sinr(cell_map, gains, ids, serving, NO_BEAM, load)
    for cell in np.unique(ids[:, 1])[:5]:
        busier = load.copy()
        busier[cell] += more * (1 - busier[cell])
        after = _core.sinr(cell_map, gains, ids, serving, NO_BEAM, busier)
        assert (after <= before).all()
        hit = (ids[:, 1:] == cell).any(axis=1)
        assert (after[~hit] == before[~hit]).all()
        assert busier[cell] < load[cell] + 1e-3 or (after[hit] < before[hit]).any()


@given(links(), st.floats(-10.0, 20.0))
@settings(max_examples=15)
def test_a_beam_adds_its_gain(given_links: tuple[Any, ...], beam: float) -> None:
    ids, gains, cell_map, serving, load = given_links
    plain = _core.sinr(cell_map, gains, ids, serving, NO_BEAM, load)
    steered = _core.sinr(cell_map, gains, ids, serving, np.full(len(plain), beam), load)
    np.testing.assert_allclose(steered - plain, beam, atol=1e-9)


def test_only_the_same_carrier_disturbs() -> None:
    columns = maps.cells("uma", np.array([0.0, 600.0]), np.zeros(2), sectors=1)
    columns["ghz"][1] = 2.0
    user = np.array([200.0]), np.array([0.0]), np.array([1.5]), np.array([False])
    cell_map = maps.built(columns)
    ids, gains = _core.strongest(cell_map, *user, 1, 2)
    serving = np.zeros(1, np.int32)
    alone = _core.sinr(cell_map, gains, ids, serving, NO_BEAM, np.zeros(2))
    assert alone == _core.sinr(cell_map, gains, ids, serving, NO_BEAM, np.ones(2))
    noise = -174 + 10 * np.log10(20e6) + 7
    assert alone[0] == pytest.approx(46.0 + gains[0, 0] - noise, abs=1e-9)


# ------------------------------------------------------------------------------------------------------------- coupling
@given(links(), st.floats(1e3, 3e6), st.floats(1.0, 3.0))
@settings(max_examples=25)
def test_more_demand_never_lightens_a_load(given_links: tuple[Any, ...], demand: float, factor: float) -> None:
    ids, gains, cell_map, serving, load = given_links
    wishes = demand * np.random.default_rng(1).random(len(serving))
    bound = _core.Links(cell_map, gains, ids, serving, NO_BEAM)
    light, heavy = bound.coupled_loads(wishes), bound.coupled_loads(wishes * factor)
    for found in (light, heavy):
        assert found["converged"]
        assert found["residual"] <= 1e-9
        assert (found["load"] >= 0).all()
        assert (found["load"] <= 1).all()
        assert found["saturated"].tolist() == np.flatnonzero(found["wanted"] >= 1).tolist()
    assert (heavy["load"] >= np.minimum(factor * light["load"], 1) - 1e-7).all()  # it grows faster than demand
    uncoupled = np.zeros(len(load))  # what the demand takes of cells that nobody disturbs
    speed = _core.rate_of(bound.sinr(uncoupled), np.full(1, 20e6))
    np.add.at(uncoupled, bound.serving_cell, wishes / speed)
    assert (light["load"] >= np.minimum(uncoupled, 1) - 1e-9).all()


def test_without_demand_there_is_no_load_and_few_iterations_say_so() -> None:
    _, cell_map, x, y, z, indoors = world(9)
    ids, gains = _core.strongest(cell_map, x, y, z, indoors, 9, 8)
    serving = np.zeros(len(x), np.int32)
    serving[0] = -1
    bound = _core.Links(cell_map, gains, ids, serving, NO_BEAM)
    idle = bound.coupled_loads(np.zeros(len(x)))
    assert (idle["load"].max(), idle["iterations"], idle["converged"], idle["unserved"]) == (0, 1, True, 0)
    cut = bound.coupled_loads(np.full(len(x), 1e6), most_iterations=2)
    full = bound.coupled_loads(np.full(len(x), 1e6))
    assert (cut["iterations"], cut["converged"], cut["unserved"]) == (2, False, 1)
    assert cut["residual"] > 1e-9
    assert (cut["load"] <= full["load"] + 1e-12).all()  # the way up is monotone
    assert np.isneginf(bound.sinr(full["load"])[0])
