"""What attributes are worth, as the formulas read: entropy pair by pair, ranks by comparison, regressions by lstsq."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


def matches(x: Reals, m: int, r: float) -> tuple[int, int, int]:
    """Starts, ordered pairs that match at length m, and at m + 1."""
    starts = [i for i in range(len(x) - m) if not np.isnan(x[i : i + m + 1]).any()]
    shorter = longer = 0
    for i in starts:
        for j in starts:
            if i == j or max(abs(x[i + u] - x[j + u]) for u in range(m)) > r:
                continue
            shorter += 1
            longer += abs(x[i + m] - x[j + m]) <= r
    return len(starts), shorter, longer


def entropy_at(x: Reals, m: int, r: float) -> float:
    starts, shorter, longer = matches(x, m, r)
    if starts < 2:
        return 0.0
    if shorter == 0 or longer == 0:
        return math.log(starts * (starts - 1) / 2)
    return -math.log(longer / shorter)


def sample_entropy(x: Reals, m: int = 2, share: float = 0.2) -> float:
    seen = x[~np.isnan(x)]
    if len(seen) == 0 or np.all(seen == seen[0]):
        return 0.0
    return entropy_at(x, m, share * float(np.std(seen)))


def ranks(x: Reals) -> Reals:
    return np.array([1 + np.sum(x < v) + (np.sum(x == v) - 1) / 2 for v in x])


def rank_correlation(x: Reals, y: Reals, least: int = 2) -> float:
    both = ~np.isnan(x) & ~np.isnan(y)
    if both.sum() < max(least, 2):
        return 0.0
    a, b = ranks(x[both]), ranks(y[both])
    a, b = a - a.mean(), b - b.mean()
    if not a.any() or not b.any():
        return 0.0
    return float(a @ b / math.sqrt((a @ a) * (b @ b)))


def lagged(x: Reals, y: Reals, lags: int, least: int) -> tuple[float, int]:
    best, at = 0.0, 0
    for lag in range(lags + 1):
        rho = rank_correlation(x[: len(x) - lag], y[lag:], least)
        if abs(rho) > abs(best):
            best, at = rho, lag
    return abs(best), at


def f_tail(f: float, d1: float, d2: float) -> float:
    """By scipy, where it is asked for."""
    from scipy import stats

    return float(stats.f.sf(f, d1, d2))


def granger(x: Reals, y: Reals, order: int) -> tuple[float, float]:
    """Gain and its p-value (unadjusted)."""
    rows = [t for t in range(order, len(y)) if not np.isnan([y[t], *y[t - order : t], *x[t - order : t]]).any()]
    if len(rows) < 2 * order + 2:
        return 0.0, 1.0
    target = y[rows]
    restricted = np.column_stack([np.ones(len(rows)), *(y[[t - k for t in rows]] for k in range(1, order + 1))])
    full = np.column_stack([restricted, *(x[[t - k for t in rows]] for k in range(1, order + 1))])
    rank_r, rank_f = np.linalg.matrix_rank(restricted), np.linalg.matrix_rank(full)
    spare = len(rows) - rank_f
    if rank_f == rank_r or spare < 1:
        return 0.0, 1.0

    def squares(design: Reals) -> float:
        left = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
        return float(left @ left)

    before, after = squares(restricted), squares(full)
    total = float(((target - target.mean()) ** 2).sum())
    if before <= 1e-18 * total:
        return 0.0, 1.0
    gain = 1 - after / before
    return gain, f_tail((before - after) / (rank_f - rank_r) / (after / spare), rank_f - rank_r, spare)


def adjusted(p: list[float]) -> list[float]:
    """Benjamini-Hochberg, by its definition."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    result = [0.0] * len(p)
    for position, i in enumerate(order):
        result[i] = min(1.0, *(p[j] * len(p) / (k + 1) for k, j in enumerate(order) if k >= position))
    return result


def score(
    values: Reals,
    targets: Reals,
    *,
    m: int = 2,
    r: float = 0.2,
    lags: int = 5,
    order: int = 3,
    least: int = 16,
    level: float = 0.01,
    weights: tuple[float, float, float] = (1.0, 1.0, 0.5),
    form: str = "quotient",
    tolerance: Reals | None = None,
) -> dict[str, Reals]:
    """One zone: values (A, N), targets (Y, N); `tolerance`: r of each attribute where it was fixed before."""
    count, goals = len(values), len(targets)
    known = (~np.isnan(values)).sum(axis=1) >= least
    entropy = np.zeros(count)
    for a in np.flatnonzero(known):
        if tolerance is None or np.nanmin(values[a]) == np.nanmax(values[a]):
            entropy[a] = sample_entropy(values[a], m, r)
        else:
            entropy[a] = entropy_at(values[a], m, tolerance[a])
    complexity = entropy / entropy.max() if entropy.max() > 0 else entropy
    result = {name: np.zeros((goals, count)) for name in ("value", "relevance", "lag", "gain")}
    result["p_value"] = np.ones((goals, count))
    for y in range(goals):
        tested = [a for a in range(count) if known[a] and (~np.isnan(targets[y])).sum() >= least]
        gains = {a: granger(values[a], targets[y], order) for a in tested}
        for a, p in zip(tested, adjusted([gains[a][1] for a in tested]), strict=True):
            result["relevance"][y, a], result["lag"][y, a] = lagged(values[a], targets[y], lags, least)
            result["p_value"][y, a] = p
            result["gain"][y, a] = gains[a][0] if p <= level else 0.0
            good = weights[0] * result["relevance"][y, a] + weights[1] * result["gain"][y, a]
            price = weights[2] * complexity[a]
            result["value"][y, a] = good / (1 + price) if form == "quotient" else good - price
    redundancy = np.eye(count)
    for a in range(count):
        for b in range(a):
            if known[a] and known[b]:
                redundancy[a, b] = redundancy[b, a] = abs(rank_correlation(values[a], values[b], least))
    seen = (~np.isnan(values)).sum(axis=1)
    spread = [float(np.std(row[~np.isnan(row)])) if n else 0.0 for row, n in zip(values, seen, strict=True)]
    result["spread"] = np.array(spread)
    return result | {"entropy": entropy, "complexity": complexity, "seen": seen, "redundancy": redundancy}


def change(samples: Reals, window: int, share: float, quantile: float, every: int, delay: int) -> tuple[Reals, Reals]:
    """Residuals and thresholds of one zone, samples (T, A): numpy's eigenvectors of each window anew."""
    residual, threshold = np.zeros(len(samples)), np.full(len(samples), np.inf)
    filled: list[Reals] = []
    model = None
    for t, raw in enumerate(samples):
        kept = filled[max(0, t - delay - window) : max(0, t - delay)]
        filler = model[0] if model is not None else (np.mean(kept, axis=0) if kept else np.zeros(samples.shape[1]))
        x = np.where(np.isnan(raw), filler, raw)
        if model is not None:
            residual[t], threshold[t] = distance(model, x), model[3]
        filled.append(x)
        kept = filled[max(0, t + 1 - delay - window) : max(0, t + 1 - delay)]
        if len(kept) == window and (model is None or (t + 1) % every == 0):
            model = components(np.array(kept), share, quantile)
    return residual, threshold


def components(rows: Reals, share: float, quantile: float) -> tuple[Reals, Reals, Reals, float]:
    """Mean, inverse spread, leading eigenvectors and threshold of a window (N, A)."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    moving = spread > 1e-10 * np.abs(mean)
    inverse = np.where(moving, 1 / np.where(moving, spread, 1), 0)
    z = (rows - mean) * inverse
    strength, vectors = np.linalg.eigh(z.T @ z / len(rows))
    strength, vectors = np.maximum(strength[::-1], 0), vectors[:, ::-1]
    k = 0
    while k < len(strength) and strength[:k].sum() < share * strength.sum():
        k += 1
    found = (mean, inverse, vectors[:, :k], 0.0)
    errors = np.sort([distance(found, row) for row in rows])
    return (*found[:3], float(errors[max(math.ceil(quantile * len(rows)), 1) - 1]))


def distance(model: tuple[Reals, Reals, Reals, float], x: Reals) -> float:
    mean, inverse, vectors, _ = model
    z = (x - mean) * inverse
    return float(np.linalg.norm(z - vectors @ (vectors.T @ z)))
