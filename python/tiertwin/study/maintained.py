"""A year of maintenance of parts that wear: how often they fail all the same, by who says when to go there.

The plant's wear process (`partlife.LAW`) gives every part a row of lives, under a load of its own; about one in five
ends by a shock that no sensor shows. Every way meets the same lives, one after the other, for `HORIZON_DAYS`:

    failure     nobody goes there before it fails
    periodic    a part is replaced at an age
    limit       when vibration, as last measured, is above a limit: an alarm, without a twin
    predicted   when the cycles left, as `RemainingLife` says from all sensors, are below a limit

A third of the parts is learned from, on a second third age and limits are chosen that cost least there, the last third
is reported. A part that fails is out for half a day in the mean, `LAW`'s own, and costs `FAILED`; one that is replaced
in time is out for `PLANNED_S` and costs `PLANNED`; the next life begins afterwards. Measured every 6 h, and looked at
as often. **Simulated**: the law, and what things cost, are ours. Its seconds are not those of `study healing`: there a
fault is healed within seconds; here it is not there at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.remaining import RemainingLife
from tiertwin.study.partlife import CAP, DAY_S, FIRST_CUT, LAW, VIBRATION, Life, play
from tiertwin.study.statistics import interval, paired

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    Signal = Callable[[Life], F64]

HORIZON_DAYS, STOCK_DAYS = 365, 800
PLANNED, FAILED, PLANNED_S = 1.0, 5.0, 7_200.0
WAYS = ("failure", "periodic", "limit", "predicted")
FIGURES = ("unplanned", "planned", "availability_percent", "cost")
CLAIMED = -30.0  # % of unplanned outages: of the survey, which names no source and no baseline
LEVELS = 60  # that are tried, of ages and limits


@dataclass(frozen=True)
class Year:
    """What a part came to, a year: failures, replacements in time, share of time it was up, cost."""

    unplanned: float
    planned: float
    availability_percent: float
    cost: float


def maintained_study(
    seeds: Sequence[int], parts: int = 60, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Play every seed's parts under every way.

    Parameters
    ----------
    seeds
        Two at least.
    parts
        Of a seed; 30 at least, as a third of them is learned from.
    say
        Called with a line a seed.

    Returns
    -------
    dict
        ``rows``: a way each, means a part and year with half of their 95 % interval over seeds; ``differences``:
        predicted less another way, paired; ``seeds``, ``parts``.

    Raises
    ------
    InputError
        Fewer than two seeds or 30 parts.
    """
    if len(seeds) < 2 or parts < 30:
        raise InputError(f"expected two seeds and 30 parts at least, got {len(seeds)} and {parts}", "maintained_study")
    told: list[dict[str, Year]] = []
    for seed in seeds:
        told.append(one_seed(seed, parts))
        figures = ", ".join(f"{way} {told[-1][way].unplanned:.2f} at {told[-1][way].cost:.1f}" for way in WAYS)
        say(f"seed {seed}: unplanned a year, at a cost: {figures}")
    rows = []
    for way in WAYS:
        row: dict[str, Any] = {"way": way}
        for name in FIGURES:
            found = interval([getattr(one[way], name) for one in told])
            row |= {name: found.mean, f"{name}_half": found.half}
        rows.append(row)
    differences = [_difference(way, told) for way in WAYS[:-1]]
    return {"rows": rows, "differences": differences, "seeds": list(seeds), "parts": parts}


def _difference(way: str, told: list[dict[str, Year]]) -> dict[str, Any]:
    row: dict[str, Any] = {"way": "predicted", "less": way}
    for name in FIGURES:
        ours, others = ([getattr(one[kind], name) for one in told] for kind in ("predicted", way))
        found, mean = paired(ours, others), float(np.mean(others))
        percent = 100.0 * found.mean / mean if mean else float("nan")
        row |= {name: found.mean, f"{name}_half": found.half, f"{name}_percent": percent}
    return row | {"claimed_percent": CLAIMED}


def one_seed(seed: int, parts: int) -> dict[str, Year]:
    """Return what the reported third of a seed's parts came to under every way, a part and year in the mean."""
    load = np.random.default_rng(seed).uniform(0.1, 0.9, parts)
    lives = play(load, STOCK_DAYS, seed, least=1)
    third = parts // 3
    learned, chosen_on, reported = lives[:third], lives[third : 2 * third], lives[2 * third :]
    first = [life for part in learned for life in part if life.born <= HORIZON_DAYS * DAY_S]
    model = RemainingLife(cap=CAP, least_cycles=FIRST_CUT).fit([life.signals for life in first])
    left = {id(life): told for part in (chosen_on, reported) for life, told in _left(model, part)}
    signals: dict[str, Signal] = {
        "periodic": lambda life: life.times - life.born,
        "limit": lambda life: life.signals[:, VIBRATION],
        "predicted": lambda life: -left[id(life)],
    }
    found = {"failure": years(reported, lambda life: life.signals[:, VIBRATION], np.inf)}
    for way, signal in signals.items():
        found[way] = years(reported, signal, best_level(chosen_on, signal))
    return found


def _left(model: RemainingLife, parts: list[list[Life]]) -> list[tuple[Life, F64]]:
    lives = [life for part in parts for life in part]
    return list(zip(lives, model.along([life.signals for life in lives]), strict=True))


def best_level(parts: list[list[Life]], signal: Signal) -> float:
    """Return the level of a signal at which replacing costs least; infinite: never."""
    values = np.concatenate([signal(life) for part in parts for life in part])
    levels = np.unique(np.quantile(values[np.isfinite(values)], np.linspace(0.02, 1.0, LEVELS)))
    costs = [years(parts, signal, level).cost for level in (*levels.tolist(), np.inf)]
    return float([*levels.tolist(), np.inf][int(np.argmin(costs))])


def years(parts: list[list[Life]], signal: Signal, level: float) -> Year:
    """Return what parts come to, a part and year, if they are replaced when a signal of their life reaches a level."""
    each = [_year(part, signal, level) for part in parts]
    unplanned, planned, down = (float(np.mean([one[k] for one in each])) for k in range(3))
    a_year = 365.0 / HORIZON_DAYS
    return Year(
        unplanned * a_year,
        planned * a_year,
        100.0 * (1.0 - down / (HORIZON_DAYS * DAY_S)),
        (FAILED * unplanned + PLANNED * planned) * a_year,
    )


def _year(lives: list[Life], signal: Signal, level: float) -> tuple[int, int, float]:
    """Return failures, replacements in time, and seconds out of one part within the horizon."""
    now, end, down = 0.0, HORIZON_DAYS * DAY_S, 0.0
    unplanned = planned = 0
    for life in cycle(lives):  # the row begins again where a way uses up lives too fast
        reached = np.flatnonzero(signal(life) >= level)
        in_time = len(reached) > 0
        now += (life.times[reached[0]] if in_time else life.failed) - life.born
        if now >= end:
            return unplanned, planned, down
        out = PLANNED_S if in_time else LAW["repair_s"]
        unplanned, planned = unplanned + (not in_time), planned + in_time
        down += min(out, end - now)
        now += out
        if now >= end:
            return unplanned, planned, down
    return unplanned, planned, down
