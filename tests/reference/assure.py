"""Watches and incidents written out naively: loops, lists and numpy; never shipped."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import stats

from tiertwin.functions.assure.streams import StreamOptions


def rareness(y: float, history: dict[str, float], seen: float, o: StreamOptions) -> float:
    """−log₁₀ of the tail probability of y."""
    if history["count"] < 5:
        return math.log10(seen + 1) if y > history["largest"] and y > 0 else 0.0
    m = history["mean"]
    if y <= history["u"] or m <= 0:
        return 0.0
    variance = max(history["square"] - m**2, 1e-12 * m**2)
    xi = min(max(0.5 * (1 - m**2 / variance), 0.0), o.heaviest)
    beta = m * (1 - xi)
    size = (y - history["u"]) / beta
    ln = -size if xi < 1e-6 else -math.log1p(xi * size) / xi  # of the generalised Pareto's tail
    return -(ln + math.log(1 - o.quantile)) / math.log(10)


def learn(history: dict[str, float], y: float, scale: float, seen: float, o: StreamOptions) -> None:
    eta = max(3 / (seen + 10), 0.02) * scale
    if history["count"] < 5:
        history["largest"] = max(history["largest"], y)
    if y <= history["u"]:
        history["u"] -= eta * (1 - o.quantile)
        return
    history["count"] += 1
    gain = 1 / min(history["count"], o.memory)
    excess = y - history["u"]
    if history["count"] > 1:
        excess = min(excess, o.clip * max(history["mean"], 0.1 * scale))
    history["mean"] += gain * (excess - history["mean"])
    history["square"] += gain * (excess**2 - history["square"])
    history["u"] += eta * o.quantile


class Residual:
    def __init__(self) -> None:
        self.sides = [dict.fromkeys(("u", "mean", "square", "count", "largest"), 0.0) for _ in range(2)]
        self.scale, self.seen = 0.0, 0

    def push(self, r: float, o: StreamOptions) -> float:
        rare = 0.0
        if self.seen > o.warm:
            rare = max(rareness(s * r, side, self.seen, o) for s, side in zip((1, -1), self.sides, strict=True))
        self.seen += 1
        size = abs(r)
        if self.seen > 30 and self.scale > 0:
            size = min(size, 10 * self.scale)
        self.scale += max(1 / self.seen, o.scale_gain) * (size - self.scale)
        for s, side in zip((1, -1), self.sides, strict=True):
            learn(side, s * r, self.scale, self.seen - 1, o)
        return rare


def mixes(values: np.ndarray, o: StreamOptions) -> np.ndarray:
    """Score of new mixes of one series; missing values 0."""
    m, known = o.mixes, []
    score, seen, low, high, since, missing = np.zeros(len(values)), [], 0.0, 0.0, 0, 0
    for k, x in enumerate(values):
        if np.isnan(x) or not m.window:
            missing += 1
            continue
        since = 1 if missing > o.gap else since + 1
        missing = 0
        seen.append(x)
        if since < m.window or len(seen) <= m.warm or np.ptp(seen) == 0:
            continue
        if not low <= x <= high or low == high:
            old = low + (np.arange(m.bins) + 0.5) * (high - low) / m.bins
            low, high = min(seen), max(seen)
            place = np.clip((old - low) / ((high - low) / m.bins), 0, m.bins - 1).astype(int)
            for mix in known:
                mix[0] = np.bincount(place, mix[0], m.bins)
        place = np.clip((np.array(seen[-m.window :]) - low) / ((high - low) / m.bins), 0, m.bins - 1).astype(int)
        h = np.bincount(place, minlength=m.bins) / m.window
        with np.errstate(divide="ignore", invalid="ignore"):
            g = [2 * m.window * np.where(h > 0, h * np.log(h / mix[0]), 0.0).sum() for mix in known]
        rare = -stats.chi2.logsf(min(g), m.bins - 1) / math.log(10) if g else math.inf
        if g and rare < -math.log10(m.level):
            known[int(np.argmin(g))][1] += 1
            continue
        score[k] = min(rare, m.cap) if g else 0.0
        if len(known) < m.most:
            known.append([h, 1])
        else:
            known[int(np.argmin([mix[1] for mix in known]))] = [h, 1]
    return score


def stream(values: np.ndarray, times: np.ndarray, o: StreamOptions) -> tuple[np.ndarray, np.ndarray]:
    """Score and alarm of one series."""
    residuals: dict[Any, Residual] = {}
    levels: dict[float, float] = {}
    slots: dict[Any, list[float]] = {}
    peaks = dict.fromkeys(range(o.recur_slots), 0.0)
    mean, seen, slot, slot_peak, since, last, missing, fresh = 0.0, 0, None, 0.0, 0, 0.0, 0, 0
    score, alarm, new = np.zeros(len(values)), np.zeros(len(values)), mixes(values, o)
    for k, (x, t) in enumerate(zip(values, times, strict=True)):
        if np.isnan(x):
            missing += 1
            continue
        if not seen or missing > o.gap:
            fresh = 0
            levels, mean = dict.fromkeys(range(len(o.gains)), x), x  # type: ignore[arg-type]
        missing = 0
        here = {j: (j, int((t / s.period_s) % 1.0 * s.slots)) for j, s in enumerate(o.seasons)}
        found = [("level", j, x - levels[j]) for j in range(len(o.gains))]
        for j, s in enumerate(o.seasons):
            profile, visits = slots.get(here[j], [0.0, 0])
            if visits >= s.visits:
                found += [("value", j, x - profile)] * s.value + [("mean", j, mean - profile)] * (
                    s.mean and fresh >= 2 / o.short_gain - 1
                )
        rare = max([residuals.setdefault(key[:2], Residual()).push(key[2], o) for key in found], default=0.0)
        now = int((t / o.recur_period_s) % 1.0 * o.recur_slots)
        before = max(peaks[(now + d) % o.recur_slots] for d in (-1, 0, 1))
        if now != slot:
            if slot is not None:
                peaks[slot] = max(o.keep * peaks[slot], slot_peak)
            slot, slot_peak = now, 0.0
        slot_peak = max(slot_peak, rare)
        score[k] = max(0.0, rare - o.recur * before, new[k])
        free = last == 0.0 or since >= o.hold
        since += 1
        if score[k] > o.least and (free or score[k] > o.again * last + 1):
            alarm[k] = last = score[k]
            since = 1
        seen += 1
        fresh += 1
        for j, g in enumerate(o.gains):
            levels[j] += max(1 / fresh, g) * (x - levels[j])
        mean += max(1 / fresh, o.short_gain) * (x - mean)
        for j, s in enumerate(o.seasons):
            entry = slots.setdefault(here[j], [0.0, 0])
            entry[1] += 1
            entry[0] += max(1 / entry[1], s.gain) * (x - entry[0])
    return score, alarm


def shifts(values: np.ndarray, *, clean: int, mean: int, gain: float, quantile: float, factor: float) -> np.ndarray:
    """z of one attribute."""
    z, now, seen, away = np.zeros(len(values)), 0.0, [], []
    level = limit = 0.0
    for k, x in enumerate(values):
        if np.isnan(x):
            z[k] = now
            continue
        seen.append(x)
        if len(seen) <= mean:
            continue
        short = float(np.mean(seen[-mean:]))
        if len(seen) == mean + 1:
            level = short
        r = short - level
        if len(seen) <= clean:
            level += gain * r
            if len(seen) > 2 * mean:
                away.append(abs(r))
            if len(seen) == clean:
                limit = max(float(np.quantile(away, quantile)), 1e-9 * float(np.abs(seen).max()))
            continue
        now = z[k] = 0.0 if r == 0 else min(abs(r) / limit, 1e6)
        if not now > factor:
            level += gain * r
    return z


def subspace(values: np.ndarray, *, clean: int, mean: int, share: float, quantile: float) -> tuple[np.ndarray, ...]:
    """T² and Q over their limits; rows without NaN."""
    start = values[:clean]
    spread = start.std(axis=0)
    kept = spread > 1e-10 * np.abs(start).max(axis=0)
    z = np.where(kept, (values - start.mean(axis=0)) / np.where(kept, spread, 1.0), 0.0)
    lam, vectors = np.linalg.eigh(z[:clean].T @ z[:clean] / clean)
    lam, vectors = lam[::-1], vectors[:, ::-1]
    total = lam.sum()
    k = max(1, int(np.searchsorted(np.cumsum(lam) / total, share - 1e-12)) + 1)
    k = min(k, int((lam > 1e-12 * total).sum()))
    t = z @ vectors[:, :k]
    both = (t**2 / lam[:k]).sum(axis=1), ((z - t @ vectors[:, :k].T) ** 2).sum(axis=1)
    result = []
    for floor, s in zip((1e-12, 1e-12 * values.shape[1]), both, strict=True):
        smooth = np.array([s[max(0, j + 1 - mean) : j + 1].mean() for j in range(len(s))])
        limit = max(float(np.quantile(smooth[mean - 1 : clean], quantile)), floor)
        smooth[:clean] = 0.0
        result.append(smooth / limit)
    return tuple(result)


def changes(values: np.ndarray, *, expected: float, warm: int, delay: int) -> tuple[np.ndarray, np.ndarray]:
    """P(r ≤ delay) and the most probable r, all run lengths kept, scipy's Student t."""
    mu0, spread = values[:warm].mean(), values[:warm].std()
    z = (values[warm:] - mu0) / spread
    recent, length = np.zeros(len(values)), np.zeros(len(values), dtype=np.int64)
    p = np.array([1.0])
    mu, kappa, alpha, beta = (np.array([v]) for v in (0.0, 1.0, 1.0, 1.0))
    for k, x in enumerate(z):
        density = stats.t.pdf(x, 2 * alpha, mu, np.sqrt(beta * (kappa + 1) / (alpha * kappa)))
        joint = p * density
        p = np.concatenate([[joint.sum() / expected], joint * (1 - 1 / expected)])
        p /= p.sum()
        beta = np.concatenate([[1.0], beta + kappa * (x - mu) ** 2 / (2 * (kappa + 1))])
        mu = np.concatenate([[0.0], mu + (x - mu) / (kappa + 1)])
        kappa, alpha = np.concatenate([[1.0], kappa + 1]), np.concatenate([[1.0], alpha + 0.5])
        length[warm + k] = p.argmax()
        recent[warm + k] = p[: delay + 1].sum() if k >= delay else 0.0
    return recent, length


def incidents(
    events: list[tuple[int, int, int, int]], related: set[tuple[int, int]], window: int
) -> list[tuple[set[tuple[int, int, int]], int]]:
    """Incidents as sets of (object, cause, raised), and how many alarms left each; no bound, no cleverness."""
    alarms: list[dict[str, int]] = []
    groups: list[dict[str, Any]] = []  # alarms (indices), changed, open
    near = related | {(b, a) for a, b in related}

    def group_of(alarm: int) -> dict[str, Any]:
        return next(g for g in groups if g["open"] and alarm in g["alarms"])

    for time, obj, cause, severity in events:
        for g in groups:
            quiet = time - g["changed"] > window
            if g["open"] and quiet and all(alarms[a]["cleared"] >= 0 for a in g["alarms"]):
                g["open"] = False
        held = [
            a
            for g in groups
            if g["open"]
            for a in g["alarms"]
            if (alarms[a]["object"], alarms[a]["cause"]) == (obj, cause) and not alarms[a]["left"]
        ]
        current = held[0] if held else None
        if current is not None and alarms[current]["cleared"] < 0:
            alarms[current]["changed"] = group_of(current)["changed"] = time
            if severity == 0:
                alarms[current]["cleared"] = time
            continue
        if severity == 0:
            continue
        if current is not None:
            if time - alarms[current]["cleared"] <= window:
                alarms[current]["cleared"] = -1
                alarms[current]["changed"] = group_of(current)["changed"] = time
                continue
            alarms[current]["left"] = 1
        joined = [
            g
            for g in groups
            if g["open"]
            and any(
                not alarms[a]["left"]
                and time - alarms[a]["changed"] <= window
                and (alarms[a]["object"] == obj or (alarms[a]["object"], obj) in near)
                for a in g["alarms"]
            )
        ]
        alarms.append({"object": obj, "cause": cause, "raised": time, "changed": time, "cleared": -1, "left": 0})
        members = {len(alarms) - 1}.union(*(g["alarms"] for g in joined))
        groups = [g for g in groups if g not in joined] + [{"alarms": members, "changed": time, "open": True}]
    return [
        (
            {
                (alarms[a]["object"], alarms[a]["cause"], alarms[a]["raised"])
                for a in g["alarms"]
                if not alarms[a]["left"]
            },
            sum(alarms[a]["left"] for a in g["alarms"]),
        )
        for g in groups
    ]
