"""Cells, consistent fields, links, SINR and coupled loads, written out in numpy: the oracle of cpp/radio.

Every cell is looked at for every user: no grid, no bounds. Arrays over users; one mast at a time.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from reference.radio import building_wall_loss, effective_heights
from reference.random import words

Reals = NDArray[np.float64]
Cells = dict[str, Any]  # the columns CellMap takes

SPACINGS, SHARES = (2.397237, 0.778688, 0.136640), (0.364493, 0.465778, 0.169729)
MODELS = ("uma", "umi", "rma", "inh")
SIGHT, CLEAR, HIDDEN = 0x52410000, 0x52410001, 0x52410005
SURROUNDINGS, INDOORS, HIGH_LOSS, DEPTH_ONE, DEPTH_TWO, WALL = range(0x52410009, 0x5241000F)
PLACE = 2**64 - 1
CORRELATION = {"uma": (37.0, 50.0), "umi": (10.0, 13.0), "rma": (37.0, 120.0), "inh": (10.0, 6.0)}
SIGMA = {"uma": (4.0, 6.0), "umi": (4.0, 7.82), "rma": (4.0, 8.0), "inh": (3.0, 8.03)}
REACH = {"uma": 5000.0, "umi": 5000.0, "rma": 5000.0, "inh": 150.0}
LEVELS = ndtri((np.arange(2048) + 0.5) / 2048)
LEVELS = LEVELS * math.sqrt(2048 / np.sum(LEVELS**2))


# --------------------------------------------------------------------------------------------------------------- fields
def _lattice(key: int, i: NDArray[np.int64], j: NDArray[np.int64]) -> Reals:
    with np.errstate(over="ignore"):
        word = np.uint64(key) + i.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        word = word + j.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(LEVELS[(word ^ (word >> np.uint64(31))) >> np.uint64(53)])


@lru_cache(maxsize=100_000)
def _octaves(seed: int, entity: int, purpose: int) -> list[tuple[int, float, float, float]]:
    """(key, turn, offsets) of each lattice: two words, then two words each."""
    drawn = words(seed, entity, purpose, 24)

    def uniform(first: int) -> float:
        return ((drawn[first] >> 5) * 2**26 + (drawn[first + 1] >> 6)) / 2**53

    return [
        (drawn[n] << 32 | drawn[n + 1], 2 * math.pi * uniform(n + 2), uniform(n + 4), uniform(n + 6))
        for n in (0, 8, 16)
    ]


def field(seed: int, entity: int, purpose: int, correlation: float, x: Reals, y: Reals) -> Reals:
    """Standard normal field: three lattices of numbers, turned and shifted, between them by normalised shares."""
    total = np.zeros(np.broadcast(x, y).shape)
    for n, (key, turn, east, north) in enumerate(_octaves(seed, entity, purpose)):
        along, across = (f(turn) / (SPACINGS[n] * correlation) for f in (math.cos, math.sin))
        u, v = along * x - across * y + east, across * x + along * y + north
        i, j = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
        s, t = u - np.floor(u), v - np.floor(v)
        value, square = np.zeros_like(total), np.zeros_like(total)
        for di, a in ((0, 1 - s), (1, s)):
            for dj, b in ((0, 1 - t), (1, t)):
                value += a * b * _lattice(key, i + di, j + dj)
                square += (a * b) ** 2
        total += math.sqrt(SHARES[n]) * value / np.sqrt(square)
    return np.clip(total, -4.0, 4.0)


def indoors_at(seed: int, share: float, x: Reals, y: Reals) -> NDArray[np.bool_]:
    return np.asarray(ndtr(field(seed, PLACE, INDOORS, 50.0, x, y)) < share)


# --------------------------------------------------------------------------------------------------------------- losses
def sight_probability(model: str, d: Reals, user: Reals) -> Reals:
    """Table 7.4.2-1 of TR 38.901."""
    far = np.maximum(d, 18.0)
    if model == "uma":
        bonus = np.maximum((user - 13) / 10, 0) ** 1.5 * 5 / 4 * (far / 100) ** 3 * np.exp(-far / 150)
        low = 18 / far + np.exp(-far / 63) * (1 - 18 / far)
        return np.where(d <= 18, 1.0, np.minimum(low * (1 + bonus), 1.0))
    if model == "umi":
        return np.where(d <= 18, 1.0, 18 / far + np.exp(-far / 36) * (1 - 18 / far))
    if model == "rma":
        return np.exp(-np.maximum(d - 10, 0) / 1000)
    return np.where(d <= 49, np.exp(-np.maximum(d - 5, 0) / 70.8), 0.54 * np.exp(-(d - 49) / 211.7))


def median_losses(model: str, d: Reals, base: float, user: Reals, ghz: float, effective: Reals) -> tuple[Reals, Reals]:
    """(in sight, not), table 7.4.1-1."""
    d = d if model == "inh" else np.maximum(d, 10.0)
    rise = base - user
    d3, lf = np.sqrt(d * d + rise**2), math.log10(ghz)
    lg: Any = np.log10
    if model in ("uma", "umi"):
        a, near, last = (28.0, 22.0, 9.0) if model == "uma" else (32.4, 21.0, 9.5)
        limit = 4 * (base - effective) * (user - effective) * ghz * 1e9 / 3e8
        clear = a + near * lg(d3) + 20 * lf
        clear = np.where(d > limit, a + 40 * lg(d3) + 20 * lf - last * lg(limit**2 + rise**2), clear)
        if model == "uma":
            hidden = 13.54 + 39.08 * lg(d3) + 20 * lf - 0.6 * (user - 1.5)
        else:
            hidden = 22.4 + 35.3 * lg(d3) + 21.3 * lf - 0.3 * (user - 1.5)
    elif model == "rma":
        h, w = 5.0, 20.0
        limit = 2 * math.pi * base * user * ghz * 1e9 / 3e8

        def near_loss(x: Reals) -> Reals:
            return np.asarray(20 * lg(40 * math.pi * x * ghz / 3) + min(0.03 * h**1.72, 10) * lg(x)
                              - min(0.044 * h**1.72, 14.77) + 0.002 * lg(h) * x)  # fmt: skip

        clear = np.where(d <= limit, near_loss(d3), near_loss(limit) + 40 * lg(d3 / limit))
        hidden = (161.04 - 7.1 * lg(w) + 7.5 * lg(h) - (24.37 - 3.7 * (h / base) ** 2) * lg(base)
                  + (43.42 - 3.1 * lg(base)) * (lg(d3) - 3) + 20 * lf
                  - (3.2 * lg(11.75 * user) ** 2 - 4.97))  # fmt: skip
    else:
        d3 = np.maximum(d3, 1.0)
        clear, hidden = 32.4 + 17.3 * lg(d3) + 20 * lf, 17.3 + 38.3 * lg(d3) + 24.9 * lf
    return clear, np.maximum(clear, hidden)


def _surroundings(d: Reals, base: float, user: Reals, uniform: Reals) -> Reals:
    """Effective height of each tall user of uma: the one in whose share of [0, 1) its uniform number falls."""
    found = np.ones(len(d))
    for n in np.flatnonzero(user >= 13):
        past = 0.0
        for height, probability in effective_heights(float(d[n]), float(user[n])):
            past += probability
            if uniform[n] < past:
                found[n] = height if height < base else 1.0
                break
    return found


# ---------------------------------------------------------------------------------------------------------------- links
def masts_of(cells: Cells) -> list[tuple[tuple[int, str, float, float], list[int]]]:
    """((site, model, GHz, height), its cells), in the order of their first cells."""
    found: dict[tuple[int, str, float, float], list[int]] = {}
    for i, model in enumerate(cells["model"]):
        key = (int(cells["site"][i]), model, float(cells["ghz"][i]), float(cells["height_m"][i]))
        found.setdefault(key, []).append(i)
    return list(found.items())


def strengths(cells: Cells, x: Reals, y: Reals) -> Reals:
    """[users, masts]: largest power + peak of the mast less the median loss not in sight at 1.5 m; -inf: no reach."""
    columns = []
    for (_, model, ghz, height), own in masts_of(cells):
        d = np.hypot(x - cells["x_m"][own[0]], y - cells["y_m"][own[0]])
        peak = max(cells["power_dbm"][i] + cells["peak_dbi"][i] for i in own)
        loss = median_losses(model, d, height, np.full(len(d), 1.5), ghz, np.ones(len(d)))[1]
        columns.append(np.where(d <= REACH[model], peak - loss, -np.inf))
    return np.stack(columns, axis=1)


def gains(
    cells: Cells, x: Reals, y: Reals, z: Reals, indoors: NDArray[np.bool_], seed: int, high_loss_share: float = 0.2
) -> Reals:
    """[users, cells]: long-term gain of every link, dB; -inf where there is none."""
    found = np.full((len(x), len(cells["model"])), -np.inf)
    uniform = {p: ndtr(field(seed, PLACE, p, c, x, y)) for p, c in
               ((SURROUNDINGS, 50.0), (HIGH_LOSS, 50.0), (DEPTH_ONE, 25.0), (DEPTH_TWO, 25.0))}  # fmt: skip
    depth = np.minimum(uniform[DEPTH_ONE], uniform[DEPTH_TWO])
    wall = field(seed, PLACE, WALL, 7.0, x, y)
    for (site, model, ghz, height), own in masts_of(cells):
        number = MODELS.index(model)
        east, north = x - cells["x_m"][own[0]], y - cells["y_m"][own[0]]
        d = np.sqrt(east**2 + north**2)
        user = z if model == "inh" else np.clip(z, *((1.0, 10.0) if model == "rma" else (1.5, 22.5)))
        behind = indoors & (model != "inh")
        deep = np.where(behind, depth * (10.0 if model == "rma" else 25.0), 0.0)
        probability = sight_probability(model, np.maximum(d - deep, 0.0), user)
        correlation = {"inh": 10.0, "rma": 60.0}.get(model, 50.0)
        sight = ndtr(field(seed, site, SIGHT, correlation, x, y)) < probability
        effective = _surroundings(d, height, user, uniform[SURROUNDINGS]) if model == "uma" else np.ones(len(x))
        clear, hidden = median_losses(model, d, height, user, ghz, effective)
        low, high = np.full(len(x), SIGMA[model][0]), SIGMA[model][1]
        if model == "rma":
            low[d > 2 * math.pi * height * user * ghz * 1e9 / 3e8] = 6.0
        loss = np.where(
            sight,
            clear + low * field(seed, site, CLEAR + number, CORRELATION[model][0], x, y),
            hidden + high * field(seed, site, HIDDEN + number, CORRELATION[model][1], x, y),
        )
        dear = (uniform[HIGH_LOSS] < high_loss_share) & (model != "rma")
        walls = np.where(dear, building_wall_loss(ghz, True), building_wall_loss(ghz, False))
        walls += np.where(dear, 6.5, 4.4) * wall + 0.5 * deep
        loss += np.where(behind, walls, 0.0)
        heard = (d <= REACH[model]) & (indoors | (model != "inh"))
        azimuth, elevation = np.degrees(np.arctan2(east, north)), np.degrees(np.arctan2(z - height, d))
        for i in own:
            found[:, i] = np.where(heard, sector(cells, i, azimuth, elevation) - loss, -np.inf)
    return found


def sector(cells: Cells, i: int, azimuth: Reals, elevation: Reals) -> Reals:
    """Table 7.3-1."""
    if cells["every_way"][i]:
        return np.full(len(azimuth), float(cells["peak_dbi"][i]))
    off = (azimuth - cells["azimuth_deg"][i] + 180) % 360 - 180
    width, depth = cells["width_deg"][i], cells["depth_db"][i]
    across = np.minimum(12 * (off / width) ** 2, depth)
    along = np.minimum(12 * ((elevation + cells["tilt_deg"][i]) / width) ** 2, depth)
    return np.asarray(cells["peak_dbi"][i] - np.minimum(across + along, depth))


def strongest(cells: Cells, gain: Reals, k: int, allowed: NDArray[np.bool_] | None = None) -> tuple[Any, Reals]:
    """The k cells of the largest power + gain of each user; of equals the lowest."""
    power = gain + cells["power_dbm"]
    if allowed is not None:
        power = np.where(allowed, power, -np.inf)
    order = np.argsort(-power, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(gain, order, axis=1)
    missing = np.isneginf(np.take_along_axis(power, order, axis=1))
    order, best = np.where(missing, -1, order), np.where(missing, -np.inf, best)
    short = k - order.shape[1]
    return (np.pad(order, ((0, 0), (0, max(short, 0))), constant_values=-1),
            np.pad(best, ((0, 0), (0, max(short, 0))), constant_values=-np.inf))  # fmt: skip


# ----------------------------------------------------------------------------------------------------------------- SINR
def sinr(
    cells: Cells, gain: Reals, ids: NDArray[np.int32], serving: NDArray[np.int32], beam: Reals, load: Reals
) -> Reals:
    """dB; gains and cells of a user in a row, `serving` a slot (-1: none)."""
    users = np.arange(len(serving))
    slot, heard = np.maximum(serving, 0), ids >= 0
    own = ids[users, slot]
    power = np.where(heard, 10 ** ((np.asarray(cells["power_dbm"])[ids] + gain) / 10), 0.0)
    ghz = np.asarray(cells["ghz"])
    disturbing = heard & (ghz[ids] == ghz[own][:, None])
    disturbing[users, slot] = False
    noise_db = -174 + 10 * np.log10(np.asarray(cells["bandwidth_hz"])) + np.asarray(cells["noise_figure_db"])
    bad = np.sum(np.where(disturbing, power * load[ids], 0.0), axis=1) + 10 ** (noise_db[own] / 10)
    signal = power[users, slot] * 10 ** (beam / 10)
    with np.errstate(divide="ignore"):
        return np.where(serving >= 0, 10 * np.log10(signal / bad), -np.inf)


def rate(sinr_db: Reals, bandwidth: Reals, efficiency: float = 0.7, cap: float = 7.4) -> Reals:
    return bandwidth * np.minimum(efficiency * np.log2(1 + 10 ** (sinr_db / 10)), cap)


def wanted_loads(
    cells: Cells, gain: Reals, ids: NDArray[np.int32], serving: NDArray[np.int32], beam: Reals, demand: Reals,
    load: Reals,
) -> Reals:  # fmt: skip
    """The right side of the coupling before the min with 1."""
    own = np.where(serving >= 0, ids[np.arange(len(serving)), np.maximum(serving, 0)], -1)
    speed = rate(sinr(cells, gain, ids, serving, beam, load), np.asarray(cells["bandwidth_hz"])[own])
    served = own >= 0
    return np.bincount(own[served], demand[served] / speed[served], minlength=len(cells["model"]))


# TS 38.214 table 5.2.2.1-3: efficiency of CQI 0 ... 15, as printed there.
EFFICIENCY = (0, 0.1523, 0.3770, 0.8770, 1.4766, 1.9141, 2.4063, 2.7305, 3.3223, 3.9023, 4.5234, 5.1152, 5.5547, 6.2266,
              6.9141, 7.4063)  # fmt: skip
