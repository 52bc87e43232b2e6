"""Failures of parts of the plant, foretold from their sensors: precision and recall at stated lead times, Brier scores.

The plant's wear process (`cpp/plant/wear.hpp`) plays parts under loads of their own: wear is a Wiener process that heat
speeds up, and shocks (a Weibull process) end about one life in five without a sign. Temperature, vibration and errors
are measured every 6 h. Half of the parts are learned from, the others reported; each of their lives is cut at 20
measurements drawn uniformly from the 30th on. The question at a cut: will it fail within 1, 3, 7 days?

    sensors      `RemainingLife` on the three signals
    threshold    vibration itself, as a limit on the newest measurement would have it
    process      what nobody has who only measures: wear itself, the law it follows and the hazard of shocks; the first
                 passage of the process at the heat of the last day
Alarms are raised from a limit on, which has the best F1 on the parts learned from (of sensors: on cross-validated
probabilities).

Base is the Brier score of always saying the share in the parts learned from. **Simulated**: the law of wear is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.functions.assure.calibrate import Isotonic, brier
from tiertwin.functions.assure.remaining import RemainingLife
from tiertwin.functions.assure.wear import Wiener, arrhenius
from tiertwin.functions.assure.weibull import Weibull

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

DAY_S, PERIOD_S = 86_400.0, 21_600.0
NS = 1_000_000_000
FIRST_CUT, CUTS, CAP = 30, 20, 125.0
LEADS_DAYS = (1, 3, 7)
A_DAY = 4  # measurements
TEMPERATURE, VIBRATION = 0, 1  # columns of the signals
# X is 0 when new and 1 at failure: about 60 days at 25 °C, fewer of a busy part, which is warmer
LAW = {
    "shape": 1.5, "scale_s": 100 * DAY_S, "hazard_per_k": 0.0, "hazard_load": 0.0,
    "drift_per_s": 1.0 / (60 * DAY_S), "sigma": 0.03 / DAY_S**0.5, "limit": 1.0, "activation_ev": 0.7,
    "reference_c": 25.0, "idle_w": 20.0, "max_w": 100.0, "k_per_w": 0.15, "wear_k": 3.0, "vibration": 1.0,
    "vibration_growth": 0.8, "errors_per_s": 2e-4, "repair_s": 0.5 * DAY_S, "repair_sigma": 0.5,
}  # fmt: skip
AMBIENT = {"ambient_c": 18.0, "swing_c": 5.0}
REFERENCE_C = 25.0


@dataclass(frozen=True)
class Life:
    """One life of a part: wear and signals at its measurements, when those were, and when it failed, s."""

    wear: F64  # [n]
    signals: F64  # [n, 3]: temperature, vibration, errors
    times: F64  # [n]
    born: float
    failed: float


def part_life_study(parts: int = 60, days: int = 240, seed: int = 1) -> dict[str, Any]:
    """Return a row a method and lead. InputError: too few parts or days."""
    if parts < 10 or days < 120:
        raise InputError(f"expected at least 10 parts and 120 days, got {parts} and {days}")
    rng = np.random.default_rng(seed)
    lives = play(rng.uniform(0.1, 0.9, parts), days, seed)
    known = [life for part in lives[: parts // 2] for life in part]
    told = [life for part in lives[parts // 2 :] for life in part]
    learned, asked = _cuts(known, rng), _cuts(told, rng)
    model = RemainingLife(cap=CAP, least_cycles=FIRST_CUT).fit([life.signals for life in known])
    rows = [row for lead in LEADS_DAYS for row in _judged(model, learned, asked, lead * DAY_S)]
    data = {"parts": parts, "days": days, "seed": seed, "lives_learned": len(known), "lives_reported": len(told)}
    return {"data": data | {"cuts": len(asked)}, "rows": rows}


def play(load: F64, days: int, seed: int, least: int = FIRST_CUT) -> list[list[Life]]:
    """Return the lives of each part that ended and were measured `least` times or more."""
    parts = len(load)
    config = {name: np.array([value]) for name, value in LAW.items()}
    places = {"part_key": np.arange(parts, dtype=np.int64), "part_law": np.zeros(parts, dtype=np.int64)}
    whole = {**config, **places, **AMBIENT, "period_s": PERIOD_S, "day_s": DAY_S}
    times, part, up, felt = _core.wear_history(seed, whole, np.ascontiguousarray(load), int(days * DAY_S) * NS, True)
    measured = PERIOD_S * np.arange(1.0, len(felt) + 1.0)
    lives: list[list[Life]] = []
    for p in range(parts):
        own = [(time / NS, bool(rises)) for time, rises in zip(times[part == p], up[part == p], strict=True)]
        born, ended = [0.0] + [t for t, rises in own if rises], [t for t, rises in own if not rises]
        lives.append([])
        for begin, end in zip(born, ended, strict=False):
            held = (measured > begin) & (measured <= end)
            if held.sum() >= least:
                lives[-1].append(Life(felt[held, p, 0], felt[held, p, 1:].copy(), measured[held], begin, end))
    return lives


def _cuts(lives: list[Life], rng: np.random.Generator) -> list[tuple[Life, int]]:
    return [(life, int(at)) for life in lives for at in rng.integers(FIRST_CUT, len(life.times) + 1, CUTS)]


def _judged(
    model: RemainingLife, learned: list[tuple[Life, int]], asked: list[tuple[Life, int]], lead_s: float
) -> list[dict[str, Any]]:
    before, happened = (
        np.array([life.failed - life.times[at - 1] <= lead_s for life, at in cuts]) for cuts in (learned, asked)
    )
    within = lead_s / PERIOD_S - 0.5  # whole measurements left, to seconds left
    guess, left = model.held_out
    curve = Isotonic.fit(-guess, left <= within)
    sensed = model.failure([life.signals[:at] for life, at in asked], within)
    scored = (
        ("sensors", best_limit(curve(-guess), left <= within), sensed),
        ("threshold", best_limit(_vibration(learned), before), _vibration(asked)),
        ("process", best_limit(_foreseen(learned, lead_s), before), _foreseen(asked, lead_s)),
    )
    base = brier(np.full(len(happened), before.mean()), happened)
    rows = []
    for name, limit, score in scored:
        row: dict[str, Any] = {"lead_days": round(lead_s / DAY_S), "method": name} | alarms(score >= limit, happened)
        rows.append(row | {"brier": np.nan if name == "threshold" else brier(score, happened), "base": base})
    return rows


def _vibration(cuts: list[tuple[Life, int]]) -> F64:
    return np.array([life.signals[at - 1, VIBRATION] for life, at in cuts])


def alarms(alarm: NDArray[np.bool_], happened: NDArray[np.bool_]) -> dict[str, float]:
    """Return precision, recall and F1 of alarms; NaN where nothing can be divided by."""
    right, said, real = float((alarm & happened).sum()), float(alarm.sum()), float(happened.sum())
    return {
        "precision": right / said if said else np.nan,
        "recall": right / real if real else np.nan,
        "f1": 2.0 * right / (said + real) if said + real else np.nan,
    }


def best_limit(values: F64, happened: NDArray[np.bool_]) -> float:
    """Return the value from which on an alarm has the best F1."""
    limits = np.unique(values)
    return float(limits[int(np.argmax([alarms(values >= limit, happened)["f1"] for limit in limits]))])


def _foreseen(cuts: list[tuple[Life, int]], lead_s: float) -> F64:
    return np.array([foreseen(life, at, lead_s) for life, at in cuts])


def foreseen(life: Life, at: int, lead_s: float) -> float:
    """Return P(fails within the lead), wear and the process known, heat as in the last day."""
    heat = float(arrhenius(life.signals[at - A_DAY : at, TEMPERATURE], REFERENCE_C, LAW["activation_ev"]).mean())
    # heat speeds up the drift alone
    law = Wiener(LAW["drift_per_s"] * heat, LAW["sigma"])
    worn = float(law.passed(LAW["limit"] - life.wear[at - 1], lead_s))
    shock = float(Weibull(LAW["shape"], LAW["scale_s"]).failure(life.times[at - 1] - life.born, lead_s))
    return 1.0 - (1.0 - worn) * (1.0 - shock)
