"""Virtual–physical alignment: what decisions lose by acting on late samples, and what predicting them wins back.

Every row (a cell's demand) reports with a period and a collection delay of its own; a decision is taken each `term`
seconds, is solved and actuated, and holds for a term. It shares a capacity alpha-fairly:

    maximise Σ v_i d_i u(x_i / d_i)  s.t. Σ x_i = C,   u(z) = z^(1−α)/(1−α), log z for α = 1
    x_i = C d_i v_i^(1/α) / Σ_j d_j v_j^(1/α)          closed form, from the believed d; scored with the true d

    regret           U(x*) − U(x) for each unit of value and demand, and as capacity: 1 − (share of C that gives U(x)
                     when it is shared in full knowledge)
    newest value     belief: what came last, whatever its age (aligned with ``hold`` it would be the same)
    trend, revert, … belief: `tiertwin.functions.align`, aligned to the middle of the term in which the decision holds
    raw clocks       the same with the senders' clocks as they are; otherwise corrected by two-way exchanges

Synthetic demand, `KINDS`: ``walk``, a random walk in the logarithm, of which the newest value is the best forecast
there is; ``day``, a wave with a period of `PERIOD_S` and a little of the walk; ``both``. Figures are means over seeds,
each a world of its own, with 95 % intervals of paired differences (Student's t).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.align import F64, Aligner
from tiertwin.functions.clocks import fit_clocks
from tiertwin.functions.seasonal import SeasonalAligner
from tiertwin.study.statistics import interval, paired

STEP_S = 0.25
PERIOD_S = 600.0  # a day of the synthetic demand
SOLVE_S, ACTUATE_S, TERM_S = 0.5, 0.25, 2.0
WARM_UP_S, LENGTH_S = 900.0, 1500.0
KINDS = {"walk": (0.02, 0.0), "day": (0.002, 0.6), "both": (0.01, 0.6)}  # of the walk, a √s; of the day
FLOOR = 0.02  # of the mean demand: nobody is believed to want nothing
BELIEFS = ("newest value", "trend", "revert", "best", "best + profile", "best, raw clocks")


def shared(demand: F64, value: F64, alpha: float) -> F64:
    """Return each row's share of a capacity of 1, alpha-fair; rows in the last axis."""
    weight = demand * value ** (1.0 / alpha)
    result: F64 = weight / weight.sum(axis=-1, keepdims=True)
    return result


def utility(share: F64, demand: F64, value: F64, alpha: float) -> F64:
    """Return Σ v d u(x/d) over Σ v d, rows in the last axis; a row without demand counts nothing."""
    worth = value * demand
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(demand > 0.0, share / demand, 1.0)
    u = np.log(ratio) if alpha == 1.0 else ratio ** (1.0 - alpha) / (1.0 - alpha)
    result: F64 = (worth * u).sum(axis=-1) / worth.sum(axis=-1)
    return result


def regret(belief: F64, demand: F64, value: F64, alpha: float) -> tuple[F64, F64]:
    """Return (utility lost, share of the capacity it is worth) of deciding on a belief; rows in the last axis."""
    best = utility(shared(demand, value, alpha), demand, value, alpha)
    got = utility(shared(belief, value, alpha), demand, value, alpha)
    worth = 1.0 - np.exp(got - best) if alpha == 1.0 else 1.0 - (got / best) ** (1.0 / (1.0 - alpha))
    return best - got, worth


@dataclass(frozen=True, eq=False)
class World:
    """Demand on a grid of time and who reports it how; all seeds side by side."""

    demand: F64
    """[steps, worlds, rows], tasks/s; step k lasts from k · step_s on and is stamped with its middle"""
    value: F64
    """Of a unit of demand. [worlds, rows]"""
    period: F64
    """Between samples, steps. [worlds, rows]"""
    delay: F64
    """Of collection, steps. [worlds, rows]"""
    step_s: float
    lead: int
    """Steps from taking a decision until it acts"""
    term: int
    """Steps it holds"""
    profile_s: float
    slots: int
    offset_s: F64
    """Of the senders' clocks: there = here + offset + skew here. [worlds, rows]"""
    skew: F64


def synthetic(kind: str, seeds: Sequence[int], rows: int, collect_s: float) -> World:
    """Return one world a seed: walking, diurnal demand; delays of 0 … 2 × `collect_s`, periods of 0.5 … 4 s."""
    steps = round((WARM_UP_S + LENGTH_S) / STEP_S)
    demand = np.empty((steps, len(seeds), rows))
    drawn = []
    for k, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        walk = np.cumsum(rng.normal(0.0, 1.0, (steps, rows)), axis=0) * STEP_S**0.5
        walk *= KINDS[kind][0] * rng.uniform(0.3, 1.7, rows)
        wave = np.sin(2.0 * np.pi * (np.arange(steps)[:, None] * STEP_S / PERIOD_S + rng.uniform(0.0, 1.0, rows)))
        demand[:, k] = rng.uniform(20.0, 200.0, rows) * (1.0 + KINDS[kind][1] * wave) * np.exp(walk)
        drawn.append(
            (
                rng.choice([1.0, 2.0, 4.0], rows),
                rng.choice([2.0, 4.0, 8.0, 16.0], rows),
                np.ceil(rng.uniform(0.0, 2.0 * collect_s, rows) / STEP_S),
                rng.normal(0.0, 2.0, rows),
                rng.normal(0.0, 20e-6, rows),
            )
        )
    value, period, delay, offset, skew = (np.array(part) for part in zip(*drawn, strict=True))
    lead, term = round((SOLVE_S + ACTUATE_S) / STEP_S), round(TERM_S / STEP_S)
    return World(demand, value, period, delay, STEP_S, lead, term, PERIOD_S, 20, offset, skew)


def play(world: World, first: int, alpha: float) -> dict[str, dict[str, F64]]:
    """Play telemetry and decisions; return each belief's regret, worth, relative error, age and clock error, [worlds].

    Parameters
    ----------
    first
        Step from which decisions are scored.
    """
    steps, worlds, rows = world.demand.shape
    senders = worlds * rows
    flat = world.demand.reshape(steps, senders)
    period, delay = world.period.ravel().astype(np.int64), world.delay.ravel().astype(np.int64)
    stamp, corrected = _clocks(world)
    horizon = (float(np.mean(period / 2.0 + delay)) + world.lead + world.term / 2.0) * world.step_s
    raw = Aligner(senders, horizon_s=horizon)
    seasonal = SeasonalAligner(senders, world.profile_s, world.slots, horizon_s=horizon)
    newest = np.full(senders, np.nan)
    sums: dict[str, list[tuple[F64, F64, F64, F64]]] = {name: [] for name in BELIEFS}
    phase = np.arange(senders) % period
    for now in range(steps - world.lead - world.term):
        made = now - delay
        rowset = np.flatnonzero((made >= 0) & (made % period == phase))
        value = flat[made[rowset], rowset]
        newest[rowset] = value
        there = stamp(made)[rowset]
        here = corrected(there, rowset)
        seasonal.observe(rowset, value, here)
        raw.observe(rowset, value, there)
        if now < first or now % world.term:
            continue
        middle = (now + world.lead + world.term / 2.0) * world.step_s
        beliefs = _beliefs(seasonal, raw, newest, middle)
        age = seasonal.age(middle)
        for name in BELIEFS:
            sums[name].append(_score(world, beliefs[name], age, now + world.lead, alpha))
    keys = ("regret", "worth", "error", "age_s")
    table = {
        name: {key: np.mean([row[k] for row in found], axis=0) for k, key in enumerate(keys)}
        for name, found in sums.items()
    }
    last, everybody = np.full(senders, steps - 1), np.arange(senders)
    true = (last + 0.5) * world.step_s
    off = {True: stamp(last) - true, False: corrected(stamp(last), everybody) - true}
    for name, figures in table.items():
        wrong = off["raw" in name].reshape(worlds, rows)
        figures["clock_s"] = np.sqrt((wrong**2).mean(axis=1))
    return table


def _clocks(world: World) -> tuple[Callable[[Any], F64], Callable[[F64, Any], F64]]:
    """Return how a sender stamps a step, and how its stamps are corrected: by what exchanges told before the start."""
    offset, skew = world.offset_s.ravel(), world.skew.ravel()
    if not offset.any() and not skew.any():
        return (lambda step: (step + 0.5) * world.step_s), (lambda there, _: there)
    rng = np.random.default_rng(len(offset))
    sent = -60.0 * np.arange(16, 0, -1)[:, None] + np.zeros(len(offset))  # 16 exchanges, one a minute
    ways = 0.01 + rng.exponential(0.02, (2, *sent.shape))  # s, each way its own

    def there(here: F64) -> F64:
        result: F64 = here * (1.0 + skew) + offset
        return result

    t2 = sent + ways[0]
    clocks = fit_clocks(there(sent), t2, t2, there(t2 + ways[1]))

    def corrected(stamps: F64, rows: Any) -> F64:
        result: F64 = stamps + clocks.offset_s[rows] + clocks.skew[rows] * (stamps - clocks.since_s[rows])
        return result

    return (lambda step: there((step + 0.5) * world.step_s)), corrected


def _beliefs(seasonal: SeasonalAligner, raw: Aligner, newest: F64, when_s: float) -> dict[str, F64]:
    found = {"newest value": newest}
    for method in ("trend", "revert", "best"):
        seasonal.plain.method = method
        found[method] = seasonal.plain.at(when_s)
    found["best + profile"] = seasonal.at(when_s)
    told = raw.at(when_s)  # a clock far ahead stamps its samples later than the time asked for
    found["best, raw clocks"] = np.where(np.isnan(told), newest, told)
    return found


def _score(world: World, belief: F64, age: F64, start: int, alpha: float) -> tuple[F64, F64, F64, F64]:
    """Return regret, worth, error and age of one decision, each [worlds]: means over the steps of its term."""
    believed = belief.reshape(world.value.shape)
    truth = world.demand[start : start + world.term]
    mean = truth.mean(axis=(0, 2))
    if not np.isfinite(believed).all():
        raise InputError("first: expected a sample of every row before the first scored decision, got none of some")
    believed = np.maximum(believed, 0.0)
    believed = np.maximum(believed, FLOOR * believed.mean(axis=-1, keepdims=True) + 1e-9)
    lost, worth = regret(believed, truth, world.value, alpha)
    error = np.sqrt(((believed - truth.mean(axis=0)) ** 2).mean(axis=-1)) / mean
    return lost.mean(axis=0), worth.mean(axis=0), error, age.reshape(world.value.shape).mean(axis=-1)


def rows_of(found: dict[str, dict[str, F64]], label: str) -> list[dict[str, Any]]:
    """Return the table: means over worlds, and what is won over the newest value, paired, with 95 % intervals."""
    base = found["newest value"]
    table = []
    for name, figures in found.items():
        won = paired(base["regret"].tolist(), figures["regret"].tolist())
        lost, worth = interval(figures["regret"].tolist()), interval((100.0 * figures["worth"]).tolist())
        table.append(
            {
                "world": label,
                "belief": name,
                "error_percent": 100.0 * float(figures["error"].mean()),
                "age_s": float(figures["age_s"].mean()),
                "clock_ms": 1e3 * float(figures["clock_s"].mean()),
                "regret": lost.mean,
                "regret_half": lost.half,
                "capacity_percent": worth.mean,
                "capacity_half": worth.half,
                "won": won.mean,
                "won_half": won.half,
                "won_percent": 100.0 * won.mean / float(base["regret"].mean()),
                "samples": won.samples,
            }
        )
    return table


def alignment_study(seeds: Sequence[int], rows: int, collect_s: Sequence[float], alpha: float) -> list[dict[str, Any]]:
    """Play the synthetic worlds at each mean collection delay and return the table's rows."""
    if len(seeds) < 2:
        raise InputError(f"seeds: expected at least 2 (an interval needs two worlds), got {len(seeds)}")
    if rows < 2:
        raise InputError(f"rows: expected at least 2 to share between, got {rows}")
    if not alpha > 0.0:
        raise InputError(f"alpha: expected a positive number, got {alpha}")
    table = []
    for kind, delay in product(KINDS, collect_s):
        if not (0.0 <= delay <= WARM_UP_S / 10.0):
            raise InputError(f"delay: expected 0 … {WARM_UP_S / 10.0:g} s, got {delay}")
        found = play(synthetic(kind, seeds, rows, delay), round(WARM_UP_S / STEP_S), alpha)
        table += rows_of(found, f"{kind}, {delay:g} s")
    return table
