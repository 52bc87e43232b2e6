"""The border of cells, links and SINR: what cannot be is refused by name; copies are kept; dtypes are exact."""

from __future__ import annotations

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from support import radio_maps as maps
from tiertwin import _core

EMPTY = np.zeros(0)


def columns() -> dict[str, Any]:
    return maps.cells("uma", np.array([0.0, 700.0]), np.zeros(2))


def heard(cell_map: _core.CellMap, users: int = 4) -> tuple[Any, ...]:
    x = np.linspace(100.0, 500.0, users)
    ids, gains = _core.strongest(cell_map, x, x, np.full(users, 1.5), np.zeros(users, bool), 1, 3)
    return gains, ids, np.zeros(users, np.int32)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("model", ["city"] * 6, "uma, umi, rma or inh"),
        ("x_m", np.nan, r"cell 0: expected an x of"),
        ("y_m", np.inf, r"cell 0: expected a y of"),
        ("height_m", 0.5, "height above 1 m"),
        ("ghz", 200.0, r"cell 0: uma: expected a frequency"),
        ("bandwidth_hz", -1.0, r"cell 0: expected a bandwidth above 0 Hz .*got -1"),
        ("bandwidth_hz", 0.0, "bandwidth above 0 Hz"),
        ("power_dbm", np.nan, "power of -300 to 300 dBm"),
        ("noise_figure_db", -1.0, "noise figure of 0 to 100 dB"),
        ("tilt_deg", 91.0, r"cell 0: antenna: expected a tilt"),
        ("width_deg", 0.0, r"cell 0: antenna: expected a half-power width"),
        ("depth_db", -1.0, r"cell 0: antenna: expected a depth"),
        ("peak_dbi", np.inf, r"cell 0: antenna: expected a finite gain"),
        ("rows", np.int32(0), r"cell 0: antenna: expected 1 to 1024 rows"),
        ("columns", np.int32(2000), r"cell 0: antenna: expected 1 to 1024 columns"),
        ("site", np.int32(-1), "site number of 0 or more"),
    ],
)
def test_cells_that_cannot_be_are_named(column: str, value: Any, said: str) -> None:
    given = columns()
    if column == "model":
        given[column] = value
    else:
        given[column][0] = value
    with pytest.raises(ValueError, match=said):
        maps.built(given)


def test_what_cells_must_share() -> None:
    given = columns()
    given["bandwidth_hz"][4] = 10e6
    with pytest.raises(ValueError, match=r"cell 4: expected the bandwidth of cell 0 on the same carrier"):
        maps.built(given)
    given = columns()
    given["x_m"][1] = 5.0
    with pytest.raises(ValueError, match=r"cell 1: expected the place of the other cells of site 0"):
        maps.built(given)
    with pytest.raises(ValueError, match="at least one cell"):
        maps.built({name: value[:0] for name, value in columns().items()})
    given = columns()
    given["tilt_deg"] = given["tilt_deg"][:5]
    with pytest.raises(ValueError, match=r"cells: expected one-dimensional arrays of length 6"):
        maps.built(given)
    given = columns()
    given["ghz"] = given["ghz"].astype(np.float32)
    with pytest.raises(TypeError):
        maps.built(given)


def ask(**changed: Any) -> object:
    given = {
        "x_m": np.zeros(3), "y_m": np.full(3, 50.0), "z_m": np.full(3, 1.5), "indoors": np.zeros(3, bool), "seed": 1,
        "k": 2,
    } | changed  # fmt: skip
    return _core.strongest(maps.built(columns()), **given)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"x_m": np.array([0.0, 5701.0, 0.0])}, r"user 1: expected a place on the map .*-5000.* to 5700.*, got 5701"),
        ({"y_m": np.array([0.0, 0.0, -5001.0])}, r"user 2: expected a place on the map"),
        ({"x_m": np.array([np.nan, 0.0, 0.0])}, r"user 0: expected a place on the map .*got nan"),
        ({"z_m": np.array([1.5, 0.9, 1.5])}, r"user 1: expected a height of 1 to 22.5 m"),
        ({"z_m": np.array([1.5, 1.5, 100.0])}, r"user 2: expected a height"),
        ({"z_m": np.array([np.nan, 1.5, 1.5])}, r"user 0: expected a height"),
        ({"y_m": np.zeros(2)}, r"users: expected one-dimensional arrays of length 3, got 1-d 3, 1-d 2"),
        ({"k": 0}, "1 cell or more"),
        ({"high_loss_share": 1.5}, "0 to 1"),
        ({"high_loss_share": np.nan}, "0 to 1"),
        ({"carrier": 1}, "a carrier of 0 to 0"),
        ({"masts": -1}, "more masts"),
    ],
)
def test_users_that_cannot_be_are_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask(**changed)


def test_exact_dtypes() -> None:
    for changed in ({"x_m": np.zeros(3, np.float32)}, {"indoors": np.zeros(3, np.int64)}, {"seed": -1}):
        with pytest.raises(TypeError):
            ask(**changed)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda m, g, c, s: _core.sinr(m, g, c, s, EMPTY, np.full(6, 1.01)), "cell 0: expected a load of 0 to 1"),
        (lambda m, g, c, s: _core.sinr(m, g, c, s, EMPTY, np.full(6, np.nan)), "cell 0: expected a load of 0 to 1"),
        (lambda m, g, c, s: _core.sinr(m, g, c, s, EMPTY, np.full(6, -0.1)), "cell 0: expected a load of 0 to 1"),
        (lambda m, g, c, s: _core.sinr(m, g, c, s, EMPTY, np.zeros(5)), "a load of each of 6 cells, got 5"),
        (lambda m, g, c, s: _core.sinr(m, g * np.nan, c, s, EMPTY, np.zeros(6)), "user 0: expected gains of -1000"),
        (lambda m, g, c, s: _core.sinr(m, g[:3], c, s, EMPTY, np.zeros(6)), r"shape \[users, k\] with 4 users"),
        (lambda m, g, c, s: _core.sinr(m, g, c[:, :2].copy(), s, EMPTY, np.zeros(6)), r"shape \[users, k\]"),
        (lambda m, g, c, s: _core.sinr(m, g, c + 6, s, EMPTY, np.zeros(6)), r"user 0: expected cells of -1 .* to 5"),
        (lambda m, g, c, s: _core.sinr(m, g, c * 0, s, EMPTY, np.zeros(6)), "user 0: expected each cell once"),
        (lambda m, g, c, s: _core.sinr(m, g, c, s + 3, EMPTY, np.zeros(6)), r"user 0: expected a serving slot of -1"),
        (lambda m, g, c, s: _core.sinr(m, g, c * 0 - 1, s, EMPTY, np.zeros(6)), "serving slot that holds a cell"),
        (lambda m, g, c, s: _core.sinr(m, g, c, s, np.full(4, np.inf), np.zeros(6)), "gain of the beam of -1000"),
        (lambda m, g, c, s: _core.sinr(m, g, c, s, np.zeros(3), np.zeros(6)), "of 4 users"),
        (
            lambda m, g, c, s: _core.Links(m, g, c, s, EMPTY).coupled_loads(np.full(4, -1.0)),
            "user 0: expected a dem",
        ),
        (lambda m, g, c, s: _core.Links(m, g, c, s, EMPTY).coupled_loads(np.full(4, np.nan)), "user 0: expected a dem"),
        (lambda m, g, c, s: _core.Links(m, g, c, s, EMPTY).coupled_loads(np.zeros(5)), "demand: expected .* length 4"),
        (lambda m, g, c, s: _core.Links(m, g, c, s, EMPTY).coupled_loads(np.zeros(4), tolerance=0.0), "a tolerance"),
        (
            lambda m, g, c, s: _core.Links(m, g, c, s, EMPTY).coupled_loads(np.zeros(4), most_iterations=0),
            "1 iteration",
        ),
        (lambda m, g, c, s: _core.Links(m, g, c, s, EMPTY).coupled_loads(np.zeros(4), efficiency=2.0), "an efficiency"),
        (lambda m, g, c, s: _core.rate_of(np.zeros(1), np.full(1, -5e6)), "bandwidth of 0 Hz or more, got -5000000"),
        (lambda m, g, c, s: _core.rate_of(np.full(1, np.nan), np.ones(1)), "SINR in dB, got nan"),
        (lambda m, g, c, s: _core.rate_of(np.zeros(1), np.ones(1), cap=0.0), "a cap above 0"),
        (lambda m, g, c, s: _core.cqi_of(np.full(1, np.nan)), "SINR in dB, got nan"),
        (lambda m, g, c, s: _core.cqi_efficiency(np.full(1, 16, np.int32)), "a CQI of 0 to 15"),
        (lambda m, g, c, s: _core.cqi_threshold(0), "a CQI of 1 to 15"),
        (lambda m, g, c, s: _core.serving_beams(m, c[:, 0].copy(), np.zeros(4), np.full(4, 99.0)), "user 0: antenna"),
        (lambda m, g, c, s: _core.serving_beams(m, c[:, 0] + 6, np.zeros(4), np.zeros(4)), "user 0: expected a cell"),
        (lambda m, g, c, s: m.candidates(0.0, 9e3, 3), "a place on the map"),
        (lambda m, g, c, s: m.candidates(np.nan, 0.0, 3), "a place on the map"),
        (lambda m, g, c, s: m.candidates(0.0, 0.0, 3, 4), "a carrier of 0 to 0"),
        (lambda m, g, c, s: _core.normal_field(1, 1, 1, 0.5, np.zeros(1), np.zeros(1)), "correlation distance of 1 m"),
        (lambda m, g, c, s: _core.normal_field(1, 1, 1, 9.0, np.full(1, 2e9), np.zeros(1)), "-1e9 to 1e9"),
        (lambda m, g, c, s: _core.indoors_at(1, 1.5, np.zeros(1), np.zeros(1)), "indoors of 0 to 1"),
        (lambda m, g, c, s: _core.indoors_at(1, 0.5, np.full(1, np.nan), np.zeros(1)), "user 0: expected coordinates"),
    ],
)
def test_what_no_network_can_be_is_refused(call: Callable[..., object], said: str) -> None:
    cell_map = maps.built(columns())
    with pytest.raises(ValueError, match=said):
        call(cell_map, *heard(cell_map))


def test_maps_and_links_keep_copies() -> None:
    given = columns()
    cell_map = maps.built(given)
    gains, ids, serving = heard(cell_map)
    links = _core.Links(cell_map, gains, ids, serving, EMPTY)
    before = links.sinr(np.ones(6))
    given["power_dbm"][:], gains[:], ids[:] = -50.0, -500.0, 0
    del given, cell_map
    gc.collect()
    np.testing.assert_array_equal(links.sinr(np.ones(6)), before)
    assert links.serving_cell.flags.owndata
    links.serving_cell[:] = 9
    assert (links.serving_cell < 6).all()


def test_nobody_and_nothing_heard() -> None:
    cell_map = maps.built(columns())
    none = np.zeros(0)
    ids, gains = _core.strongest(cell_map, none, none, none, none.astype(bool), 1, 5)
    assert ids.shape == gains.shape == (0, 5)
    assert (ids.dtype, gains.dtype) == (np.int32, np.float64)
    # On the map, but beyond the reach of every mast: no cell, said plainly.
    ids, gains = _core.strongest(
        cell_map, np.array([-4900.0]), np.array([4900.0]), np.array([1.5]), np.array([False]), 1, 2
    )
    assert ids.tolist() == [[-1, -1]]
    assert np.isneginf(gains).all()
    assert cell_map.candidates(-4900.0, 4900.0, 5).size == 0
    assert len(cell_map) == 6
    assert cell_map.bounds == (-5000.0, -5000.0, 5700.0, 5000.0)


def test_a_user_under_the_mast_is_served() -> None:
    cell_map = maps.built(columns())
    ids, gains = _core.strongest(cell_map, np.zeros(1), np.zeros(1), np.array([1.5]), np.array([False]), 1, 6)
    assert set(ids[0]) == set(range(6))
    assert np.isfinite(gains).all()


def test_threads_share_a_map() -> None:
    cell_map = maps.built(columns())
    x, y, z = maps.users(1, 200, 600.0)
    indoors = np.zeros(200, dtype=bool)
    want_ids, want_gains = _core.strongest(cell_map, x, y, z, indoors, 1, 4)
    links = _core.Links(cell_map, want_gains, want_ids, np.zeros(200, np.int32), EMPTY)
    want = links.coupled_loads(np.full(200, 1e5))["load"]
    with ThreadPoolExecutor(4) as pool:
        searches = [pool.submit(_core.strongest, cell_map, x, y, z, indoors, 1, 4) for _ in range(8)]
        loads = [pool.submit(links.coupled_loads, np.full(200, 1e5)) for _ in range(8)]
        for search in searches:
            np.testing.assert_array_equal(search.result()[0], want_ids)
            np.testing.assert_array_equal(search.result()[1], want_gains)
        for load in loads:
            np.testing.assert_array_equal(load.result()["load"], want)
