"""What a weather loop is worth on real fades: traffic sent round and modems stepped down before links fade.

Fades, plan and other ways are those of `study.weatherdata`, minutes those of `study.weatherplay`, what is known when
and the loop those of `study.weatherrules`. Forecasts, and from which probability on the loop acts, are chosen in the
days before the split (least traffic lost there); reported are the days after.

Intervals: both days and links drawn with replacement, 95 % percentiles (the pigeonhole bootstrap, A. B. Owen, Annals of
Applied Statistics 1, 2007): a few days share a few showers, so they are wide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.study.weatherplay import PACKET_MBIT, Books, Play, Policy, Traffic
from tiertwin.study.weatherrules import KNOWN, Known, fitted, looking_ahead, oracle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.study.weatherdata import Fades

    F64 = NDArray[np.float64]

LIKELY = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
BASELINES = {
    "fixed": Policy("no loop: densest step or nothing", adaptive=False),
    "adaptive": Policy("adaptive modulation"),
    "outage": Policy("reactive: round on outage", on_outage=True),
    "loss": Policy("reactive: round on any loss", on_loss=True),
}
LOOPS = {"own": "loop: own readings", "radar": "loop: and radar", "drift": "loop: and drift of the rain"}
COUNTS = ("unplanned", "pre", "false", "falls", "false_falls")


def weather_study(
    fades: Fades,
    train_days: int = 5,
    traffic: Traffic | None = None,
    resamples: int = 1000,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Compare loops with what they are to beat.

    Parameters
    ----------
    fades
        Of `weatherdata.measured_fades`.
    train_days
        Whole days before the split.
    traffic
        What links carry, and how fast reactions are.
    resamples
        Of the bootstrap.
    tell
        Called with a line now and then.

    Raises
    ------
    InputError
        No day on one side of the split, or a load outside 0 … 1.
    """
    traffic = traffic or Traffic()
    if not 1 <= train_days < fades.days:
        raise InputError(f"train_days: expected 1 … {fades.days - 1} whole days, got {train_days}")
    if not 0.0 < traffic.load <= 1.0 or not 0.0 <= traffic.reaction_s <= 60.0:
        raise InputError(
            f"expected a load in 0 … 1 and 0 … 60 s of reaction, got {traffic.load} and {traffic.reaction_s}"
        )
    bits = fades.bits()
    before, after = range(train_days * 1440), range(train_days * 1440, fades.days * 1440)
    train, test = Play(fades, traffic, before, bits), Play(fades, traffic, after, bits)
    found = {policy.name: test.run(policy) for policy in BASELINES.values()}
    tell("forecasts")
    known = Known.of(fades)
    chosen: dict[str, float] = {}
    skill: list[dict[str, Any]] = []
    for kind, name in LOOPS.items():
        forecast = fitted(known, KNOWN[kind], before)

        def policy(
            likely: float, minutes: range, kind: str = kind, name: str = name, forecast: Any = forecast
        ) -> Policy:
            rule = looking_ahead(fades, train.load, known, KNOWN[kind], forecast, likely, minutes)
            return Policy(name, on_loss=True, rule=rule)

        lost = {likely: train.run(policy(likely, before)).lost.sum() for likely in LIKELY}
        best = min(LIKELY, key=lambda likely: (lost[likely], -likely))
        tell(f"{name}: acts from a probability of {best:g} on")
        chosen[name], found[name] = best, test.run(policy(best, after))
        skill.append({"loop": name, "acts_from": best} | _skill(known, kind, forecast, after))
    knows = Policy("oracle", on_loss=True, rule=oracle(test.load), knows=True)
    found[knows.name] = test.run(knows)
    draws = _draws(next(iter(found.values())).lost.shape, resamples)
    return {
        "rows": [_row(name, books, found, draws) for name, books in found.items()],
        "by_day": _by_day(found, train_days),
        "forecasts": skill,
        "links": len(fades.top),
        "days": [train_days + 1, fades.days],
        "load": traffic.load,
        "reaction_s": traffic.reaction_s,
        "top_bits": np.bincount(fades.top, minlength=13).tolist(),
        "not_measured": float((bits[after.start : after.stop] < 0).mean()),
    }


def _skill(known: Known, kind: str, forecast: Any, minutes: range) -> dict[str, float]:
    """Return what the forecast is worth where something is going on: RMSE, and how often its 90 % bound held."""
    at = np.arange(minutes.start, minutes.stop, 5)
    features = known.table(KNOWN[kind], at)
    came = known.deepest[at].ravel().astype(np.float64)
    last = known.features["fade"][at].ravel().astype(np.float64)
    use = np.isfinite(came) & np.isfinite(features).all(axis=1) & (features.max(axis=1) >= 3.0)
    told, upper = forecast.expected(features[use]), forecast.upper(features[use], 0.9)
    return {
        "rmse_db": float(np.sqrt(np.mean((told - came[use]) ** 2))),
        "persistence_rmse_db": float(np.sqrt(np.mean((last[use] - came[use]) ** 2))),
        "below_90": float(np.mean(came[use] <= upper)),
        "samples": float(use.sum()),
    }


# -- figures -----------------------------------------------------------------------------------------------------------


def _draws(shape: tuple[int, int], resamples: int) -> tuple[F64, F64]:
    """Return how often each day and each link is drawn, [resamples, days] and [resamples, n]."""
    random = np.random.default_rng(1)
    return tuple(random.multinomial(n, np.full(n, 1.0 / n), resamples).astype(np.float64) for n in shape)  # type: ignore[return-value]


def _figure(table: F64, draws: tuple[F64, F64], scale: float = 1.0) -> dict[str, float]:
    """Return the sum of a table [days, n] with its interval."""
    days, links = draws
    totals = scale * ((days @ table) * links).sum(axis=1)
    low, high = np.quantile(totals, [0.025, 0.975])
    return {"value": scale * float(table.sum()), "low": float(low), "high": float(high)}


def _row(name: str, books: Books, found: dict[str, Books], draws: tuple[F64, F64]) -> dict[str, Any]:
    """Return a policy's figures, and what it has less than the stronger reactive baseline."""
    packets = 1e-6 / PACKET_MBIT
    against = found[BASELINES["loss"].name]
    return {
        "policy": name,
        "outage_min": _figure(books.outage_min, draws),
        "lost_mpackets": _figure(books.lost, draws, packets),
        "lost_percent": 100.0 * float(books.lost.sum() / books.offered.sum()),
        "outage_less": _figure(against.outage_min - books.outage_min, draws),
        "lost_less": _figure(against.lost - books.lost, draws, packets),
        "round_min": float(books.round_min.sum()),
        **{key: int(getattr(books, key).sum()) for key in COUNTS},
    }


def _by_day(found: dict[str, Books], first: int) -> list[dict[str, Any]]:
    """Return outage minutes of each day and policy."""
    rows = []
    for name, books in found.items():
        rows.append(
            {"policy": name} | {f"day {first + 1 + d}": float(m) for d, m in enumerate(books.outage_min.sum(1))}
        )
    return rows
