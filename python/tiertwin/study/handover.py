"""Replay of real 5G drives: is a handover about to happen, when, and to which cell?

At every sample and for each horizon h: "a handover within h seconds", and when. Methods:

    ours            probability of a handover within 1, 2, … s by logistic regression on what the twin's radio model
                    says (the A3 margin M_n − M_s now and extrapolated by its trend to h) and what is known beside it:
                    SNR, RSRQ, time in the cell, speed, network, and how often handovers happened around here and from
                    this cell in earlier drives. Alarm above a threshold; the time is the second in which the
                    probability reaches half of that of h
    A3 on trends    event A3 of TS 38.331 on levels extrapolated linearly: (M_n − M_s)(t) − hysteresis reaches 0 and
                    stays so for the time-to-trigger; both chosen on the training drives
    strongest cell  the measured neighbour is stronger now: a handover at once
    order-2 Markov  the median stay of (cell before, cell) in the training drives ends within h
    last value      no handover, ever
    constant        no handover, ever; but if one comes, then at the median time of the training drives

Thresholds are chosen for the best F1 on the training drives; figures around here leave the own drive out there. Split
by drive: the first `train` of them by their start are for learning, the rest is reported. Time error: over samples with
a handover within h, |guess − true|, the guess at most h, and h for methods that say "never"; ours always has a guess.
Stamps are whole seconds: at h = 1 s no time is left to guess. Intervals: 95 %, bootstrap over the reported drives; of
differences (`ours_more`: F1, hit rate) paired by drive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin.errors import InputError
from tiertwin.study import nextcell
from tiertwin.study.drives import F64, Drive, Moments, load_drives, moments
from tiertwin.study.statistics import bootstrap

SQUARE_M = 50.0
PRIOR = 20.0  # samples worth of the mean rate in every square and cell
RIDGE = 1.0
HYSTERESES = (-6.0, -3.0, -1.0, 0.0, 1.0, 2.0, 3.0, 6.0)  # dB
TRIGGERS = (0.0, 0.5, 1.0, 2.0)  # s


class Surroundings:
    """How often a handover came within h, by square of the map and by cell, in the training drives."""

    def __init__(self, drives: Sequence[Drive], told: Sequence[Moments], horizon_s: float) -> None:
        self._soon = [m.until_s <= horizon_s for m in told]
        self._squares = [self.square(m) for m in told]
        self._cells = [d.cell for d in drives]
        self.rate = float(np.concatenate(self._soon).mean())

    @staticmethod
    def square(m: Moments) -> NDArray[np.int64]:
        """Return the number of each sample's square."""
        x, y = (np.floor(p / SQUARE_M).astype(np.int64) for p in m.place)
        result: NDArray[np.int64] = x * 1_000_003 + y
        return result

    def odds(self, drive: Drive, m: Moments, without: int | None) -> tuple[F64, F64]:
        """Return log odds of a handover around here and from this cell; `without`: a training drive left out."""
        used = [k for k in range(len(self._soon)) if k != without]
        soon = np.concatenate([self._soon[k] for k in used])
        here = self._rates(np.concatenate([self._squares[k] for k in used]), soon, self.square(m))
        cell = self._rates(np.concatenate([self._cells[k] for k in used]), soon, drive.cell)
        return here, cell

    def _rates(self, keys: NDArray[np.int64], soon: NDArray[np.bool_], asked: NDArray[np.int64]) -> F64:
        known, which = np.unique(keys, return_inverse=True)
        total, hits = np.bincount(which), np.bincount(which, soon)
        place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        found = known[place] == asked
        count, hit = np.where(found, total[place], 0.0), np.where(found, hits[place], 0.0)
        rate = (hit + PRIOR * self.rate) / (count + PRIOR)
        result: F64 = np.log(rate / (1.0 - rate))
        return result


def features(drive: Drive, m: Moments, odds: tuple[F64, F64], horizon_s: float) -> F64:
    """Return what the regression sees of each sample, [k, features]; what was not measured is 0 with a mark."""
    margin = m.neighbour[0] - m.serving[0]
    ahead = margin + horizon_s * (m.neighbour[1] - m.serving[1])
    none = np.isnan(margin)
    columns = [
        np.clip(np.where(none, 0.0, margin), -30.0, 30.0) / 10.0,
        np.clip(np.where(none, 0.0, ahead), -30.0, 30.0) / 10.0,
        none,
        np.nan_to_num((m.serving[0] + 90.0) / 10.0),
        np.clip(m.serving[1], -5.0, 5.0),
        np.nan_to_num(drive.snr_db / 10.0),
        np.isnan(drive.snr_db),
        np.nan_to_num((drive.rsrq_db + 12.0) / 4.0),
        np.log1p(m.dwell_s),
        m.dwell_s < 5.0,
        drive.slow,
        drive.speed_mps / 10.0,
        *odds,
        np.ones(len(drive)),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def logistic(x: F64, y: NDArray[np.bool_], rounds: int = 30) -> F64:
    """Return the weights of a logistic regression with a ridge, by Newton's method. [features]"""
    weights = np.zeros(x.shape[1])
    ridge = RIDGE * np.eye(x.shape[1])
    for _ in range(rounds):
        p = probability(x, weights)
        step = np.linalg.solve((x * (p * (1.0 - p))[:, None]).T @ x + ridge, x.T @ (y - p) - ridge @ weights)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def probability(x: F64, weights: F64) -> F64:
    """Return the probability of each row."""
    result: F64 = 1.0 / (1.0 + np.exp(-np.clip(x @ weights, -30.0, 30.0)))
    return result


class Learned:
    """Our method for horizons 1, 2, … s."""

    def __init__(self, drives: Sequence[Drive], told: Sequence[Moments], longest_s: int) -> None:
        self.steps = range(1, longest_s + 1)
        self._around = [Surroundings(drives, told, h) for h in self.steps]
        self._weights, self._training = [], []
        for h, around in zip(self.steps, self._around, strict=True):
            rows = [features(d, m, around.odds(d, m, k), h) for k, (d, m) in enumerate(zip(drives, told, strict=True))]
            known = [usable(m, h) for m in told]
            x = np.concatenate([r[u] for r, u in zip(rows, known, strict=True)])
            weights = logistic(x, np.concatenate([(m.until_s <= h)[u] for m, u in zip(told, known, strict=True)]))
            self._weights.append(weights)
            self._training.append([probability(r, weights) for r in rows])

    def within(self, drive: Drive, m: Moments) -> F64:
        """Return the probability of a handover within 1, 2, … s of each sample, ascending. [k, horizons]"""
        found = [
            probability(features(drive, m, around.odds(drive, m, None), h), weights)
            for h, around, weights in zip(self.steps, self._around, self._weights, strict=True)
        ]
        return ascending(found)

    def training(self, number: int) -> F64:
        """Return the same for a training drive, its own handovers left out of the surroundings."""
        return ascending([found[number] for found in self._training])


def ascending(found: list[F64]) -> F64:
    """Return probabilities of nested events that do not fall with the horizon. [k, horizons]"""
    result: F64 = np.maximum.accumulate(np.stack(found, axis=1), axis=1)
    return result


def half_time(within: F64, horizon: int) -> F64:
    """Return the second in which half of the probability of the horizon is reached. [k]"""
    curve = within[:, :horizon]
    result: F64 = 1.0 + np.argmax(curve >= curve[:, -1:] / 2.0, axis=1)
    return result


def usable(m: Moments, horizon_s: float) -> NDArray[np.bool_]:
    """Return where the truth is known: a handover within the horizon, or no end of the data before it."""
    result: NDArray[np.bool_] = (m.until_s <= horizon_s) | (m.seen_s >= horizon_s)
    return result


def a3_time(m: Moments, hysteresis_db: float, trigger_s: float) -> F64:
    """Return when event A3 fires on levels extrapolated linearly, s, infinity for never. [k]"""
    short = hysteresis_db - (m.neighbour[0] - m.serving[0])  # dB to go
    pace = m.neighbour[1] - m.serving[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        enters = np.where(short <= 0.0, 0.0, np.where(pace > 0.0, short / pace, np.inf))
        stays = (short > 0.0) | (pace >= 0.0) | (-short / np.where(pace < 0.0, -pace, 1.0) >= trigger_s)
    result: F64 = np.where(np.isfinite(short) & stays, enters + trigger_s, np.inf)
    return result


def stays(drives: Sequence[Drive], told: Sequence[Moments]) -> dict[tuple[int, int], float]:
    """Return the median stay in a cell, s: by (previous, cell), by (-2, cell), and of all by (-2, -2)."""
    found: dict[tuple[int, int], list[float]] = {}
    for drive, m in zip(drives, told, strict=True):
        last = np.flatnonzero(np.isfinite(m.until_s) & (np.append(m.next_cell[1:] != m.next_cell[:-1], True)))
        for k in last:
            stay = float(m.dwell_s[k] + m.until_s[k])
            cell = int(drive.cell[k])
            for key in ((int(m.previous[k]), cell), (-2, cell), (-2, -2)):
                found.setdefault(key, []).append(stay)
    return {key: float(np.median(values)) for key, values in found.items()}


def stay_time(drive: Drive, m: Moments, known: dict[tuple[int, int], float]) -> F64:
    """Return when the median stay ends, s; infinity once it is over. [k]"""
    usual = [
        known.get((int(p), int(c)), known.get((-2, int(c)), known[(-2, -2)]))
        for p, c in zip(m.previous, drive.cell, strict=True)
    ]
    left = np.array(usual) - m.dwell_s
    return np.where(left >= 0.0, left, np.inf)


def counts(m: Moments, alarm_s: F64, horizon_s: float, guess_s: F64 | None = None) -> F64:
    """Return hits, false alarms, misses, Σ |time error| and its samples of one drive. [5]

    Parameters
    ----------
    alarm_s
        When a handover is predicted, infinity for none. [k]
    guess_s
        When it would be if there is one; None: as predicted. [k]
    """
    good = usable(m, horizon_s)
    truth, alarm = (m.until_s <= horizon_s)[good], (alarm_s <= horizon_s)[good]
    guess = (alarm_s if guess_s is None else guess_s)[good][truth]
    error = np.abs(np.minimum(guess, horizon_s) - m.until_s[good][truth])
    return np.array([(truth & alarm).sum(), (alarm & ~truth).sum(), (truth & ~alarm).sum(), error.sum(), truth.sum()])


def scores(sums: F64) -> dict[str, float]:
    """Return precision, recall, F1 and mean time error of some drives, [drives, 5]."""
    hit, false, missed, error, n = sums.sum(axis=0)
    return {
        "precision": hit / (hit + false) if hit + false else float("nan"),
        "recall": hit / (hit + missed) if hit + missed else float("nan"),
        "f1": 2.0 * hit / (2.0 * hit + false + missed) if hit + false + missed else float("nan"),
        "time_error_s": error / n if n else float("nan"),
    }


def _best(told: Sequence[Moments], options: Sequence[Sequence[F64]], horizon_s: float) -> int:
    """Return which option has the best F1; options are predicted times of each drive."""
    tables = [np.array([counts(m, p, horizon_s) for m, p in zip(told, option, strict=True)]) for option in options]
    return int(np.argmax([np.nan_to_num(scores(table)["f1"]) for table in tables]))


def timing(
    train: tuple[Sequence[Drive], Sequence[Moments]],
    test: tuple[Sequence[Drive], Sequence[Moments]],
    horizons_s: Sequence[int],
    resamples: int,
) -> list[dict[str, Any]]:
    """Return the table of alarms: a row a horizon and method."""
    learned = Learned(*train, max(horizons_s))
    usual = stays(*train)
    rows = []
    ours_train = [learned.training(k) for k in range(len(train[0]))]
    ours_test = [learned.within(d, m) for d, m in zip(*test, strict=True)]
    for h in horizons_s:
        levels = np.quantile(np.concatenate([p[:, h - 1] for p in ours_train]), np.linspace(0.5, 0.99, 50))

        def alarms(within: list[F64], level: float, h: int = h) -> list[F64]:
            return [np.where(p[:, h - 1] >= level, half_time(p, h), np.inf) for p in within]

        level = levels[_best(train[1], [alarms(ours_train, v) for v in levels], h)]
        rules = [(hys, ttt) for hys in HYSTERESES for ttt in TRIGGERS if ttt <= h]
        rule = rules[_best(train[1], [[a3_time(m, *r) for m in train[1]] for r in rules], h)]
        predicted = {
            "ours": alarms(ours_test, level),
            "A3 on trends": [a3_time(m, *rule) for m in test[1]],
            "strongest cell": [np.where(m.neighbour[0] > m.serving[0], 0.0, np.inf) for m in test[1]],
            "order-2 Markov": [stay_time(d, m, usual) for d, m in zip(*test, strict=True)],
            "last value": [np.full(len(d), np.inf) for d in test[0]],
            "constant": [np.full(len(d), np.inf) for d in test[0]],
        }
        before = np.concatenate([m.until_s[m.until_s <= h] for m in train[1]])
        guesses = {
            "ours": [half_time(p, h) for p in ours_test],
            "constant": [np.full(len(d), np.median(before)) for d in test[0]],
        }
        chosen = {"ours": {"threshold": float(level)}, "A3 on trends": {"hysteresis_db": rule[0], "trigger_s": rule[1]}}
        sums = {
            name: np.array(
                [counts(m, p, h, g) for m, p, g in zip(test[1], times, guesses.get(name, times), strict=True)]
            )
            for name, times in predicted.items()
        }
        for name, table in sums.items():
            row = {"horizon_s": h, "method": name, "handover_samples": int(table[:, 4].sum())}
            row |= bootstrap(table, scores, resamples) | ours_more(sums["ours"], table, scores, "f1", resamples)
            rows.append(row | {"chosen": chosen.get(name, {})})
    return rows


def next_cells(
    train: tuple[Sequence[Drive], Sequence[Moments]],
    test: tuple[Sequence[Drive], Sequence[Moments]],
    horizons_s: Sequence[int],
    resamples: int,
) -> list[dict[str, Any]]:
    """Return the table of next cells: a row a horizon and method."""
    rows = []
    for h in horizons_s:
        known, asked = nextcell.handovers(*train, h), nextcell.handovers(*test, h)
        votes = nextcell.Votes(known)
        seen = np.isin(asked.truth, known.truth)
        predicted = {
            "ours": votes.predict(asked),
            "order-2 Markov": nextcell.markov2(known, asked),
            "strongest cell": nextcell.strongest(train[0], asked),
            "previous cell": asked.previous,
            "last value": asked.cell,
        }
        sums = {}
        for name, cells in predicted.items():
            hit, pong = cells == asked.truth, asked.ping_pong
            table = np.stack([np.ones(len(asked)), hit, pong, hit & pong, ~pong, hit & ~pong, seen], axis=1)
            sums[name] = np.array([table[asked.drive == k].sum(axis=0) for k in np.unique(asked.drive)])
        for name, table in sums.items():
            row: dict[str, Any] = {"horizon_s": h, "method": name, "handovers": len(asked)}
            row |= ours_more(sums["ours"], table, hit_rates, "hit_rate", resamples)
            rows.append(row | bootstrap(table, hit_rates, resamples))
        rows[-len(predicted)]["chosen"] = dict(
            zip(("sigma_m", "same_cell", "same_pair", "back"), (votes.sigma_m, *votes.setting), strict=True)
        )
    return rows


def ours_more(
    ours: F64, other: F64, figures: Callable[[F64], dict[str, float]], name: str, resamples: int
) -> dict[str, dict[str, float]]:
    """Return by how much a figure of ours is above another method's, over the same drives drawn for both."""
    half = ours.shape[1]

    def difference(units: F64) -> dict[str, float]:
        return {"ours_more": figures(units[:, :half])[name] - figures(units[:, half:])[name]}

    return bootstrap(np.concatenate([ours, other], axis=1), difference, resamples)


def hit_rates(sums: F64) -> dict[str, float]:
    """Return hit rates of some drives."""
    n, hit, pong, pong_hit, other, other_hit, seen = sums.sum(axis=0)
    return {
        "hit_rate": hit / n,
        "ping_pong_share": pong / n,
        "ping_pong_hit_rate": pong_hit / pong if pong else float("nan"),
        "other_hit_rate": other_hit / other if other else float("nan"),
        "next_cell_seen_in_training": seen / n,
    }


def handover_study(path: Path, horizons_s: Sequence[int], train: float, resamples: int = 1000) -> dict[str, Any]:
    """Replay the drives.

    Parameters
    ----------
    path
        The table of `tiertwin.plant.traces.ucc`.
    horizons_s
        Whole seconds, 1 … 10.
    train
        Share of the drives to learn from, the earliest ones; at least 2 drives on either side.
    resamples
        Of the bootstrap over drives.
    """
    wrong = [h for h in horizons_s if not 1 <= h <= 10]
    if wrong or not horizons_s:
        raise InputError(f"horizon: expected whole seconds from 1 to 10, got {wrong[0] if wrong else 'none'}")
    if not 0.0 < train < 1.0:
        raise InputError(f"train: expected a share between 0 and 1, got {train}")
    drives, report = load_drives(path)
    told = [moments(drive) for drive in drives]
    split = round(train * len(drives))
    if not 2 <= split <= len(drives) - 2:
        raise InputError(f"train: expected at least 2 of {len(drives)} drives on either side, got {split}")
    first, rest = (drives[:split], told[:split]), (drives[split:], told[split:])
    return {
        "data": report,
        "training_drives": [d.name for d in first[0]],
        "reported_drives": [d.name for d in rest[0]],
        "alarms": timing(first, rest, horizons_s, resamples),
        "next_cell": next_cells(first, rest, horizons_s, resamples),
    }
