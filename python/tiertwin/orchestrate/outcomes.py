"""What came out of a what-if: expectations, comparisons with intervals, scores, and tables of many situations.

The composite score of a row of KPIs, with n(v) = (v − low)/(high − low) cut off at 0 and 1 and bounds fixed for a whole
study, so that scores compare:

    S = w₁ n(throughput) + w₂ (1 − n(latency)) + w₃ (1 − n(loss)) + w₄ n(coverage),   Σ w = 1

Of many situations: the mean of S by their probabilities, and CVaR, the mean of the worst tenth of the probability.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from tiertwin.model.interventions import Situation

    F64 = npt.NDArray[np.float64]

KPIS = {
    "offered": "tasks/s",
    "served": "tasks/s",
    "throughput": "Mb/s",
    "goodput": "Mb/s",
    "latency_mean": "ms",
    "latency_p95": "ms",
    "loss_share": "1",
    "deadline_miss_ratio": "1",
    "coverage": "1",
    "local_share": "1",
    "edge_utilisation": "1",
    "uplink_utilisation_max": "1",
    "link_utilisation_max": "1",
    "background_lost": "Mb/s",
    "power": "W",
    "objective": "utils/s",
}
"""KPIs of the twin's model and their units, in the order of ``cpp/whatif/expect.hpp``, where they are defined."""
CERTIFIED_GAP = "certified_gap"
SCORED = ("throughput", "latency_mean", "loss_share", "coverage")
TAIL = 0.1  # of the probability, for CVaR


@dataclass(frozen=True)
class Expectation:
    """What the twin expects of a domain, KPI → (value, unit)."""

    values: Mapping[str, tuple[float, str]]

    @classmethod
    def of(cls, row: F64, **more: tuple[float, str]) -> Expectation:
        """Read a row of the engine."""
        return cls({name: (float(v), unit) for (name, unit), v in zip(KPIS.items(), row, strict=True)} | more)

    def value(self, kpi: str) -> float:
        """Return one KPI; UnknownNameError names the nearest."""
        if kpi not in self.values:
            raise UnknownNameError(f"kpi: expected one of a what-if, got {kpi!r}{suggest(kpi, list(self.values))}")
        return self.values[kpi][0]


@dataclass(frozen=True)
class Comparison:
    """Live domain against fork.

    Parameters
    ----------
    before, after
        What the twin expects of them.
    intervals
        KPI → 95 % interval (low, high) of its change by the twin's own uncertainty; empty where the twin has none.
    note
        Where the intervals come from, or why there are none.
    """

    before: Expectation
    after: Expectation
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    note: str = ""

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a KPI: kpi, before, after, change, unit, and low and high of the change where known."""
        lines = []
        for name, (value, unit) in self.before.values.items():
            after = self.after.values[name][0]
            line = {"kpi": name, "before": value, "after": after, "change": after - value, "unit": unit}
            if name in self.intervals:
                line["low"], line["high"] = self.intervals[name]
            lines.append(line)
        return lines

    def scores(self, score: Score | None = None) -> tuple[float, float]:
        """Return S before and after; without a score of one's own by bounds around the live domain."""
        rows = np.array([[side.values[kpi][0] for kpi in KPIS] for side in (self.before, self.after)])
        before, after = (Score.around(rows[0]) if score is None else score).of(rows)
        return float(before), float(after)

    def table(self) -> str:
        """Plain text, one line a KPI."""
        known = bool(self.intervals)
        lines = [
            f"{'kpi':24} {'before':>12} {'after':>12} {'change':>12}{'  95 % of the change' * known:26}  unit".rstrip()
        ]
        if not known:
            lines = [f"{'kpi':24} {'before':>12} {'after':>12} {'change':>12}  unit"]
        for row in self.rows():
            numbers = " ".join(f"{row[k]:12.4g}" for k in ("before", "after", "change"))
            between = f"  {row['low']:10.3g} … {row['high']:<10.3g}" if "low" in row else " " * 25 * known
            lines.append(f"{row['kpi']:24} {numbers}{between}  {row['unit']}")
        before, after = self.scores()
        lines.append(f"score {before:.4f} before, {after:.4f} after")
        return "\n".join([*lines, self.note] if self.note else lines)


@dataclass(frozen=True)
class Score:
    """The composite score of a study.

    Parameters
    ----------
    bounds
        (low, high) of throughput (Mb/s), latency_mean (ms), loss_share and coverage; low < high.
    weights
        Of the four, ≥ 0, adding up to 1; equal by default.
    """

    bounds: Mapping[str, tuple[float, float]]
    weights: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(SCORED, 0.25))

    def __post_init__(self) -> None:
        for name, given in (("bounds", self.bounds), ("weights", self.weights)):
            if set(given) != set(SCORED):
                raise InputError(f"score.{name}: expected {', '.join(SCORED)}, got {', '.join(given) or 'none'}")
        for kpi, (low, high) in self.bounds.items():
            if not (np.isfinite([low, high]).all() and low < high):
                raise InputError(f"score.bounds.{kpi}: expected finite low < high, got {low} and {high}")
        weights = list(self.weights.values())
        if min(weights) < 0.0 or not np.isclose(sum(weights), 1.0, rtol=0.0, atol=1e-9):
            raise InputError(f"score.weights: expected numbers ≥ 0 that add up to 1, got {dict(self.weights)}")

    @classmethod
    def around(cls, base: F64) -> Score:
        """Return a score with bounds around a base row: no to all of its throughput, none to twice its latency."""
        names = list(KPIS)
        throughput, latency = float(base[names.index("throughput")]), float(base[names.index("latency_mean")])
        return cls(
            {
                "throughput": (0.0, max(throughput, 1e-9)),
                "latency_mean": (0.0, max(2.0 * latency, 1e-9)),
                "loss_share": (0.0, 1.0),
                "coverage": (0.0, 1.0),
            }
        )

    def of(self, rows: F64) -> F64:
        """Return S of rows of KPIs, [N, K] → [N], in [0, 1]."""
        names, total = list(KPIS), np.zeros(len(rows))
        for kpi in SCORED:
            low, high = self.bounds[kpi]
            share = np.clip((rows[:, names.index(kpi)] - low) / (high - low), 0.0, 1.0)
            total += self.weights[kpi] * (1.0 - share if kpi in ("latency_mean", "loss_share") else share)
        return total


def cvar(values: F64, probability: F64, tail: float = TAIL) -> float:
    """Return the mean of the lowest `values` that make up `tail` (0 … 1] of the probability; the last one in part.

    Raises
    ------
    InputError
        No situation has a probability above 0, or `tail` is not in (0, 1].
    """
    if not 0.0 < tail <= 1.0:
        raise InputError(f"cvar: expected a tail in (0, 1], got {tail}")
    total = float(probability.sum())
    if not total > 0.0:
        raise InputError("cvar: expected a situation with a probability above 0")
    order = np.argsort(values, kind="stable")
    weight = probability[order] / total
    taken = np.clip(tail - (np.cumsum(weight) - weight), 0.0, weight)
    return float(taken @ values[order] / taken.sum())


@dataclass(frozen=True, eq=False)
class Sweep:
    """KPIs of many situations, as one twin expects them.

    Parameters
    ----------
    situations
        In the order given.
    kpis
        ``[N, K]`` in the order of `KPIS`.
    base
        ``[K]`` of the domain as it was when it was forked, planned by the same rule.
    score
        What S is worked out with.
    """

    situations: Sequence[Situation]
    kpis: F64
    base: F64
    score: Score

    @property
    def scores(self) -> F64:
        """S of each situation, [N]."""
        return self.score.of(self.kpis)

    @property
    def probability(self) -> F64:
        """Of each situation, adding up to 1, [N]."""
        given = np.array([situation.probability for situation in self.situations])
        total = float(given.sum())
        return given / total if total > 0.0 else np.full(len(given), 1.0 / max(len(given), 1))

    def column(self, kpi: str) -> F64:
        """Return one KPI of every situation, [N]."""
        if kpi not in KPIS:
            raise UnknownNameError(f"kpi: expected one of a what-if, got {kpi!r}{suggest(kpi, list(KPIS))}")
        values: F64 = self.kpis[:, list(KPIS).index(kpi)]
        return values

    def summary(self) -> dict[str, float]:
        """Return S as it was, its mean and CVaR over the situations, and how many there are."""
        base = float(self.score.of(self.base[None, :])[0])
        if not len(self.situations):
            return {"situations": 0, "score_base": base, "score_mean": base, "score_cvar": base}
        scores, probability = self.scores, self.probability
        return {
            "situations": len(self.situations),
            "score_base": base,
            "score_mean": float(scores @ probability),
            "score_cvar": cvar(scores, probability),
        }

    def rows(self, top: int | None = None) -> list[dict[str, Any]]:
        """One dictionary a situation, the worst score first: situation, score, probability, and every KPI."""
        scores, probability = self.scores, self.probability
        order = np.lexsort((self.column("objective"), scores))[:top]
        return [
            {"situation": self.situations[i].name, "score": float(scores[i]), "probability": float(probability[i])}
            | dict(zip(KPIS, self.kpis[i].tolist(), strict=True))
            for i in order
        ]

    def table(self, top: int | None = 20) -> str:
        """Plain text: the worst `top` situations, then the mean and CVaR of the score."""
        shown = ("loss_share", "coverage", "latency_mean", "latency_p95", "deadline_miss_ratio", "link_utilisation_max")
        heads = ("loss", "coverage", "ms mean", "ms p95", "missed", "fullest")
        rows = self.rows(top)
        wide = max([len("situation"), *(len(row["situation"]) for row in rows)])
        lines = [f"{'situation':{wide}} {'score':>7} " + " ".join(f"{head:>9}" for head in heads)]
        base = dict(zip(KPIS, self.base.tolist(), strict=True))
        told = self.summary()
        for name, score, row in [
            ("(as it is)", told["score_base"], base),
            *((r["situation"], r["score"], r) for r in rows),
        ]:
            lines.append(f"{name:{wide}} {score:7.4f} " + " ".join(f"{row[kpi]:9.4g}" for kpi in shown))
        worst = f"the worst tenth {told['score_cvar']:.4f} (CVaR)"
        lines.append(f"{told['situations']} situations: mean score {told['score_mean']:.4f}, {worst}")
        return "\n".join(lines)
