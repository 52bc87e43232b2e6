"""Which attributes are worth sending: speed of the scores, and how far the choice is from the best.

Scores: pushes and scores of 24 attributes against what a user would write with numpy and scipy for one window
(`sample entropy`: all pairs at once; ranks by `scipy.stats.rankdata`; regressions by `numpy.linalg.lstsq`; F by
`scipy.special.fdtrc`), the same answers asserted to 1e-9. `sampen` is against antropy, too, where it is installed.

Choice: the mean and the worst gap, 1 − value / best value, over random instances with two budgets (8, 12 and 16
attributes, proved best by `exact`), and of levels against `exact_levels`. Targets: 2 %.
"""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from support import Case, main
from tiertwin import _core
from tiertwin.functions import levels
from tiertwin.functions.areas import ChangeFlag
from tiertwin.functions.selection import exact, select
from tiertwin.functions.worth import Worth, WorthOptions, sample_entropy, score_windows

Reals = NDArray[np.float64]
ATTRIBUTES, LAGS, ORDER, LEVEL = 24, 5, 3, 0.01
TARGET = 0.02


def world(zones: int, samples: int, seed: int = 1) -> tuple[Reals, Reals]:
    """Attributes (Z, A, N), half of them walks that revert, and a target (Z, 1, N) that two of them drive."""
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(zones, ATTRIBUTES, samples)), rng.normal(size=(zones, samples))
    for t in range(1, samples):
        x[:, ::2, t] += 0.8 * x[:, ::2, t - 1]
    y = np.zeros((zones, 1, samples))
    for t in range(3, samples):
        y[:, 0, t] = 0.4 * y[:, 0, t - 1] + 0.5 * x[:, 0, t - 2] + 0.5 * x[:, 1, t - 3] + 0.5 * noise[:, t]
    return x, y


def numpy_entropy(x: Reals) -> float:
    """All pairs at once: the usual vectorised form, m = 2."""
    r, starts = 0.2 * x.std(), len(x) - 2
    near = np.abs(x[:, None] - x[None, :]) <= r
    shorter = near[:starts, :starts] & near[1 : starts + 1, 1 : starts + 1]
    longer = shorter & near[2:, 2:]
    a, b = longer.sum() - starts, shorter.sum() - starts
    return math.log(starts * (starts - 1) / 2) if a == 0 or b == 0 else -math.log(a / b)


def numpy_gain(x: Reals, y: Reals) -> tuple[float, float]:
    rows = len(y) - ORDER
    own = np.column_stack([np.ones(rows), *(y[ORDER - k : len(y) - k] for k in range(1, ORDER + 1))])
    full = np.column_stack([own, *(x[ORDER - k : len(x) - k] for k in range(1, ORDER + 1))])

    def squares(design: Reals) -> float:
        left = y[ORDER:] - design @ np.linalg.lstsq(design, y[ORDER:], rcond=None)[0]
        return float(left @ left)

    before, after, spare = squares(own), squares(full), rows - 2 * ORDER - 1
    f = (before - after) / ORDER / (after / spare)
    return 1 - after / before, float(special.fdtrc(ORDER, spare, f))


def numpy_correlation(x: Reals, y: Reals, lag: int) -> float:
    a, b = stats.rankdata(x[: len(x) - lag]), stats.rankdata(y[lag:])
    return float(np.corrcoef(a, b)[0, 1])


def numpy_values(x: Reals, y: Reals) -> Reals:
    """Value of each attribute of one zone, (A,)."""
    entropy = np.array([numpy_entropy(row) for row in x])
    relevance = [max(abs(numpy_correlation(row, y, lag)) for lag in range(LAGS + 1)) for row in x]
    gains, p = np.array([numpy_gain(row, y) for row in x]).T
    gain = np.where(stats.false_discovery_control(p) <= LEVEL, gains, 0.0)
    np.corrcoef([stats.rankdata(row) for row in x])  # redundancy is part of the score
    return np.asarray((np.array(relevance) + gain) / (1 + 0.5 * entropy / entropy.max()))


def same(ours: Any, peer: Any) -> None:
    np.testing.assert_allclose(ours, peer, rtol=1e-9, atol=1e-9)


def scores(quick: bool) -> Iterator[Case]:
    options = WorthOptions(lags=LAGS, order=ORDER, level=LEVEL)
    for samples in (120, 600) if quick else (120, 300, 600, 1200):
        x, y = world(1, samples)
        rows = np.ascontiguousarray(x[0])
        yield Case(
            f"attributes/scores/{ATTRIBUTES}x{samples}", lambda x=x, y=y: score_windows(x, y, options).value[0, 0],
            lambda x=x, y=y: numpy_values(x[0], y[0, 0]), "numpy + scipy", same, unit="scores/s", amount=ATTRIBUTES,
        )  # fmt: skip
        yield Case(
            f"attributes/sampen/{samples}", lambda rows=rows: sample_entropy(rows),
            lambda rows=rows: [numpy_entropy(row) for row in rows], "numpy", same, unit="series/s", amount=ATTRIBUTES,
        )  # fmt: skip
        try:
            antropy = importlib.import_module("antropy")
        except ModuleNotFoundError:
            continue
        yield Case(
            f"attributes/sampen/{samples}", lambda rows=rows: sample_entropy(rows),
            lambda rows=rows, antropy=antropy: [antropy.sample_entropy(row, order=2) for row in rows], "antropy",
            same, unit="series/s", amount=ATTRIBUTES,
        )  # fmt: skip


def streams(quick: bool) -> Iterator[Case]:
    zones, samples = (20, 300) if quick else (100, 300)
    x, y = world(zones, samples + 50)
    for sliding in (False, True):
        stream = Worth(zones, ATTRIBUTES, 1, samples, sliding=sliding)
        rows = [(np.ascontiguousarray(x[:, :, t]), np.ascontiguousarray(y[:, :, t])) for t in range(samples + 50)]
        for row in rows[:samples]:
            stream.push(*row)

        def push(stream: Worth = stream, rows: Any = rows[samples:]) -> int:
            for row in rows:
                stream.push(*row)
            return stream.length

        name = f"{zones}x{ATTRIBUTES}x{samples}{', sliding' if sliding else ''}"
        yield Case(
            f"attributes/push/{name}", push, None, "alone", lambda ours, _: same(ours, samples), unit="samples/s",
            amount=50 * zones * (ATTRIBUTES + 1),
        )  # fmt: skip
        yield Case(
            f"attributes/score/{name}", lambda stream=stream: stream.score().value, None, "alone",
            lambda ours, _: np.testing.assert_array_equal(ours.shape, (zones, 1, ATTRIBUTES)), unit="scores/s",
            amount=zones * ATTRIBUTES,
        )  # fmt: skip
    flag = ChangeFlag(zones, ATTRIBUTES, samples)
    kept = [np.ascontiguousarray(x[:, :, t]) for t in range(samples + 50)]
    for sample in kept:
        flag.push(sample)
    yield Case(
        f"attributes/change/{zones}x{ATTRIBUTES}x{samples}",
        lambda: np.stack([flag.push(sample) for sample in kept[samples:]]),
        None, "alone", lambda ours, _: np.testing.assert_array_equal(ours.shape, (50, zones)), unit="zones/s",
        amount=50 * zones,
    )  # fmt: skip


def instance(rng: np.random.Generator, size: int, kind: int) -> dict[str, Any]:
    """Values unlike their costs, like them, or costs alike; budgets that hold from one to most of the attributes."""
    value, cost, cpu = rng.random(size), rng.integers(1, 40, size).astype(float), rng.random(size)
    if kind == 1:
        value = cost / 40 * (0.8 + 0.4 * rng.random(size))
    elif kind == 2:
        cost = 10 + 5 * rng.random(size)
    budgets = {
        "byte_budget": cost.sum() * rng.uniform(0.02, 0.6),
        "cpu_budget": cpu.sum() * rng.uniform(0.1, 0.8),
    }
    return {"value": value, "cost_bytes": cost, "cost_cpu": cpu} | budgets


def gaps(choose: Callable[..., Any], count: int, penalised: bool) -> Reals:
    """1 − value / best value of `count` random instances."""
    rng, result = np.random.default_rng(2), []
    for k in range(count):
        given = instance(rng, (8, 12, 16)[k % 3], k // 3 % 3)
        size = given["value"].size
        repeated = np.abs(np.corrcoef(rng.normal(size=(size, 12))))
        repeated = (repeated + repeated.T) / 2
        extra: dict[str, Any] = {"redundancy": repeated, "lam": 0.3} if penalised else {}

        def objective(mask: Any, given: Any = given, repeated: Any = repeated) -> float:
            x = mask.astype(float)
            pairs = (x @ repeated @ x - np.diag(repeated) @ x) / 2
            return float(given["value"] @ x - (0.3 * pairs if penalised else 0.0))

        best = objective(exact(**given, **extra))
        result.append(0.0 if best <= 0.0 else max(0.0, 1.0 - objective(choose(**given, **extra)) / best))
    return np.array(result)


def level_gaps(count: int) -> Reals:
    rng, result = np.random.default_rng(3), []
    for k in range(count):
        size = (6, 12, 24)[k % 3]
        cost = np.sort(rng.exponential(20.0, (size, 4)), axis=1)
        value = np.sort(rng.random((size, 4)), axis=1) * rng.random((size, 1))
        budget = cost.max(axis=1).sum() * rng.uniform(0.05, 0.6)
        best = levels.levels_value(levels.exact_levels(value, cost, budget), value)
        chosen = levels.levels_value(levels.select_levels(value, cost, budget), value)
        result.append(1.0 - chosen / best if best > 0.0 else 0.0)
    return np.array(result)


def gap_case(name: str, found: Reals, most: float) -> Iterator[Case]:
    """Mean and worst of gaps, as two figures beside their target."""

    def within(ours: float, _: Any) -> None:
        assert ours <= most, f"{ours:.2%} is more than {most:.0%}"

    for what, figure in (("mean", float(found.mean())), ("worst", float(found.max()))):
        yield Case(
            f"attributes/gap/{name}/{what}", lambda figure=figure: figure, None, f"target {TARGET:.0%}", within,
            unit="share of the best", target=TARGET, figure=lambda answer: answer, less=True,
        )  # fmt: skip


def choices(quick: bool) -> Iterator[Case]:
    count = 300 if quick else 2000
    yield from gap_case(f"select, {count} instances", gaps(select, count, penalised=False), TARGET)
    yield from gap_case(f"select with redundancy, {count // 4} instances", gaps(select, count // 4, True), TARGET)
    alone = partial(select, search=False)
    yield from gap_case(f"greedy and exchanges alone, {count} instances", gaps(alone, count, False), 0.2)
    yield from gap_case(f"levels, {count} instances", level_gaps(count), TARGET)
    given = instance(np.random.default_rng(4), ATTRIBUTES, 0)
    yield Case(
        f"attributes/select/{ATTRIBUTES}", lambda: given["value"] @ select(**given),
        lambda: given["value"] @ exact(**given), "proved", lambda ours, peer: same(ours >= 0.98 * peer, True),
    )  # fmt: skip


def significance(quick: bool) -> Iterator[Case]:
    f = np.linspace(0.01, 12.0, 200 if quick else 1000)
    yield Case(
        f"attributes/f_tail/{f.size}", lambda: [_core.f_tail(x, 3.0, 290.0) for x in f.tolist()],
        lambda: [float(special.fdtrc(3.0, 290.0, x)) for x in f.tolist()], "scipy, one by one", same,
    )  # fmt: skip


def cases(quick: bool) -> Iterator[Case]:
    yield from itertools.chain(scores(quick), streams(quick), significance(quick), choices(quick))


if __name__ == "__main__":
    main(__doc__ or "", cases)
