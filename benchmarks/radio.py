"""SINR of users and their 20 strongest cells, finding those cells, and coupled loads: ours against numpy.

A city of 1002 cells (334 sites of three sectors at random, about 500 m apart, one carrier at 3.5 GHz), users at random
within it, 80 % of them indoors. Both sides must find the same:

- ``sinr``        from gains in dB to SINR in dB (target: 100 000 users in 0.1 s on one core)
- ``sinr_again``  the same under other loads, received powers kept linear on both sides
- ``strongest``   path loss, sight, shadows, walls and sectors of every link, and the 20 strongest: numpy works out all
                  cells (`tests/reference/radio_cells.py`, arrays of 1000 users), ours only those that may be among them
- ``coupled``     the loads that carry a demand, by the same iteration to the same tolerance

All on one core. Without ``--quick`` the search of 100 000 users is also timed alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from support import Case, main
from tiertwin import _core

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path += [str(TESTS), str(TESTS / "support")]
naive: Any = import_module("reference.radio_cells")
maps: Any = import_module("radio_maps")

Reals = NDArray[np.float64]
SEED, K, SITES, SIDE, CHUNK = 7, 20, 334, 9_100.0, 1_000
DB = np.log(10.0) / 10
DEMAND, TOLERANCE = 1e5, 1e-6  # bit/s of each of 100 000 users; fewer ask for more
WITHIN = 1e-9


def city() -> Any:
    """Columns of the cells."""
    return maps.cells("uma", *np.random.default_rng(1).uniform(0, SIDE, (2, SITES)))


def people(count: int) -> tuple[Any, ...]:
    """x, y, z and who is indoors (on one of eight floors)."""
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, SIDE, (2, count))
    indoors = _core.indoors_at(SEED, 0.8, x, y)
    return x, y, np.where(indoors, 1.5 + 3.0 * rng.integers(0, 8, count), 1.5), indoors


def heard(cell_map: _core.CellMap, users: tuple[Any, ...]) -> tuple[NDArray[np.int32], Reals]:
    """The K strongest cells of each and their gains, dB."""
    x, y, z, indoors = users
    return _core.strongest(cell_map, x, y, z, indoors, SEED, K)


class Numpy:
    """The same sums over whole arrays: received powers in mW kept, own cells taken out."""

    def __init__(self, columns: Any, gains: Reals, ids: NDArray[np.int32]) -> None:
        power, carrier = np.asarray(columns["power_dbm"]), np.asarray(columns["ghz"])
        self.power = np.exp((gains + power[ids]) * DB)
        self.signal, self.own, self.ids = self.power[:, 0].copy(), ids[:, 0], ids
        self.power[carrier[ids] != carrier[self.own][:, None]] = 0.0
        self.power[:, 0] = 0.0
        self.bandwidth = columns["bandwidth_hz"][self.own]
        self.noise = np.exp((-174 + columns["noise_figure_db"][self.own]) * DB) * self.bandwidth

    def ratio(self, load: Reals) -> Reals:
        return np.asarray(self.signal / (np.einsum("uk,uk->u", self.power, load[self.ids]) + self.noise))

    def sinr(self, load: Reals) -> Reals:
        return 10 * np.log10(self.ratio(load))

    def coupled(self, demand: Reals, cells: int) -> Reals:
        load = np.zeros(cells)
        while True:
            rate = self.bandwidth * np.minimum(0.7 * np.log2(1 + self.ratio(load)), 7.4)
            wanted = np.minimum(np.bincount(self.own, demand / rate, cells), 1.0)
            if np.abs(wanted - load).max() <= TOLERANCE:
                return load
            load = wanted


def all_cells(columns: Any, users: tuple[Any, ...]) -> tuple[NDArray[np.int32], Reals]:
    """numpy looks at every cell, a chunk of users at a time."""
    found = [
        naive.strongest(columns, naive.gains(columns, *(column[i : i + CHUNK] for column in users), seed=SEED), K)
        for i in range(0, len(users[0]), CHUNK)
    ]
    return np.concatenate([ids for ids, _ in found]), np.concatenate([gains for _, gains in found])


def same(ours: Any, peer: Any) -> None:
    """Raise if they differ."""
    np.testing.assert_allclose(ours, peer, rtol=WITHIN, atol=WITHIN)


def same_links(ours: Any, peer: Any) -> None:
    np.testing.assert_array_equal(ours[0], peer[0])
    same(ours[1], peer[1])


def all_filled(ours: Any, _: Any) -> None:
    assert (ours[0] >= 0).all()
    assert np.isfinite(ours[1]).all()


def same_loads(ours: Any, peer: Any) -> None:
    assert ours["converged"], f"not converged after {ours['iterations']} iterations"
    assert 0.2 < ours["load"].mean() < 0.9, ours["load"].mean()
    same(ours["load"], peer)


def cases(quick: bool) -> Iterator[Case]:
    columns = city()
    cell_map, cells = maps.built(columns), 3 * SITES
    place = f"{cells} cells"
    few, many = (1_000, 20_000) if quick else (2_000, 100_000)
    users = people(many)
    ids, gains = heard(cell_map, users)
    serving, none = np.zeros(many, np.int32), np.zeros(0)
    load, other = np.random.default_rng(3).random((2, cells))
    yield Case(
        f"radio/sinr/{many}x{K}", lambda: _core.sinr(cell_map, gains, ids, serving, none, load),
        lambda: Numpy(columns, gains, ids).sinr(load), "numpy", same,
    )  # fmt: skip
    links, kept = _core.Links(cell_map, gains, ids, serving, none), Numpy(columns, gains, ids)
    yield Case(
        f"radio/sinr_again/{many}x{K}", lambda: links.sinr(other), lambda: kept.sinr(other), "numpy", same
    )  # fmt: skip
    demand = np.random.default_rng(4).exponential(DEMAND * 100_000 / many, many)
    yield Case(
        f"radio/coupled/{many} users, {place}", lambda: links.coupled_loads(demand, tolerance=TOLERANCE),
        lambda: kept.coupled(demand, cells), "numpy", same_loads,
    )  # fmt: skip
    some = tuple(column[:few].copy() for column in users)
    yield Case(
        f"radio/strongest/{few} users, {place}", lambda: heard(cell_map, some),
        lambda: all_cells(columns, some), "numpy, all cells", same_links, unit="users/s", amount=few,
    )  # fmt: skip
    if not quick:
        yield Case(
            f"radio/strongest/{many} users, {place}", lambda: heard(cell_map, users), None,
            "alone", all_filled, unit="users/s", amount=many,
        )  # fmt: skip


if __name__ == "__main__":
    main(__doc__ or "", cases)
