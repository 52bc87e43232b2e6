"""Made-up hours of 150 cells of Milan against the real ones of the last 7 of 55 days: new, true, useful, right?

Data: `milan_hourly.npz` as in `tiertwin.study.forecast`. A row is an hour: hour of the day and kind of day (working
day, Saturday, Sunday) are its context, the loads of the cells its columns, on the scale of square roots. Two splits:

    time    learnt from the first 48 days, judged on the last 7
    surge   learnt from all hours but the 5 % in which a tenth of the cells is busiest for its context, judged on those:
            hours that history has not seen the like of

For every row of the test part each method makes rows in the same context, knowing nothing else of it: `ks`,
`correlation`, `novelty`, `rejected`, `trained`. And again, given the load of every tenth cell in that hour: `crps`, of
all others, over their mean load. `trained`: NMAE on real rows of a ridge regression of every tenth cell on all others,
trained on made-up rows, over that of training on real ones. `correlation`: mean error of rank correlations; `residual`:
of what is left when the context's mean is taken away. The line `history` compares the real rows learnt from with the
test rows: what a perfect copy of the past would get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.functions.assure.calendar import Calendar
from tiertwin.functions.whatif import quality
from tiertwin.functions.whatif.boosted import BoostedSequence
from tiertwin.functions.whatif.columns import Column
from tiertwin.functions.whatif.copula import GaussianCopula
from tiertwin.functions.whatif.generators import Generator, Independent, Perturbation, Replay
from tiertwin.functions.whatif.plausible import Plausibility
from tiertwin.study.milan import milan_activity

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

DAYS, TEST_DAYS, FRIDAY = 55, 7, 4
SURGE = 0.05  # share of the hours kept from learning
EVERY = 10  # each tenth cell is given, or predicted
EACH, MEMBERS = 8, 32  # rows made for a test row; and given others
METHODS: dict[str, Callable[[], Generator]] = {
    "replay": Replay,
    "perturbation": Perturbation,
    "independent": Independent,
    "copula": GaussianCopula,
    "boosted": BoostedSequence,  # the extra ml
}
CORE = ("replay", "perturbation", "independent", "copula")
SPLITS = ("time", "surge")


def scenario_study(
    path: Path,
    methods: Iterable[str] = CORE,
    splits: Iterable[str] = SPLITS,
    cells: int | None = None,
    seed: int = 1,
    told: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Return a row a split and method.

    Parameters
    ----------
    cells
        Only the first so many of them.

    Raises
    ------
    InputError
        Not the file expected, or too few cells.
    UnknownNameError, MissingExtraError
        A method or split nobody knows; one that needs an extra.
    """
    chosen, wanted = list(dict.fromkeys(methods)), list(dict.fromkeys(splits))
    for name, known in [*((m, tuple(METHODS)) for m in chosen), *((s, SPLITS) for s in wanted)]:
        if name not in known:
            raise UnknownNameError(f"Nobody knows {name!r}{suggest(name, known)}")
    if cells is not None and cells < 2 * EVERY:
        raise InputError(f"cells: expected at least {2 * EVERY}, got {cells}")
    rows, columns = table(path, cells)
    found: list[dict[str, Any]] = []
    for split in wanted:
        train, test = parts(rows, split)
        bounds = None
        for name in chosen:
            told(f"{split}: {name}")
            generator = METHODS[name]().fit(train, columns)
            if bounds is None:
                bounds = Plausibility(generator.history)
                found.append({"split": split, "method": "history", **_judged(train, train, test, columns, bounds)})
            found.append({"split": split, "method": name, **_method(generator, train, test, bounds, seed)})
    data = {"cells": len(columns) - 2, "days": DAYS, "test_days": TEST_DAYS, "given": len(_tenth(columns))}
    return {"data": data, "rows": found}


def table(path: Path, cells: int | None = None) -> tuple[F64, list[Column]]:
    """Return the data as a history, [hours, 2 + cells], and its columns."""
    activity = milan_activity(path, DAYS * 24)[:cells, : DAYS * 24]
    slots = np.arange(DAYS * 24)
    calendar = Calendar(24, FRIDAY)
    rows = np.column_stack([calendar.slot_of_day(slots), calendar.kind(slots), activity.T]).astype(np.float64)
    columns = [Column("hour", "context"), Column("kind", "context")]
    return rows, columns + [Column(f"cell {k + 1}", low=0.0, scale="root") for k in range(len(activity))]


def parts(rows: F64, split: str) -> tuple[F64, F64]:
    """Return what is learnt from and what is judged on."""
    if split == "time":
        last = (DAYS - TEST_DAYS) * 24
        return rows[:last], rows[last:]
    tenth = np.sqrt(rows[:, 2::EVERY])
    _, stratum = np.unique(rows[:, :2], axis=0, return_inverse=True)
    stratum = stratum.reshape(-1)
    count = np.bincount(stratum)
    more = np.zeros(len(rows))
    for j in range(tenth.shape[1]):
        mean = np.bincount(stratum, tenth[:, j]) / count
        left = tenth[:, j] - mean[stratum]
        more += left / np.sqrt(np.bincount(stratum, left**2) / count + 1e-12)[stratum]
    surge = more > np.quantile(more, 1.0 - SURGE)
    return rows[~surge], rows[surge]


def _tenth(columns: list[Column]) -> list[int]:
    return list(range(2, len(columns), EVERY))


def _method(generator: Generator, train: F64, test: F64, bounds: Plausibility, seed: int) -> dict[str, float]:
    columns = list(generator.history.columns)
    again = np.repeat(test, EACH, axis=0)
    made = generator.sample(len(again), {"hour": again[:, 0], "kind": again[:, 1]}, seed)
    row = _judged(made, train, test, columns, bounds)
    given = _tenth(columns)
    others = [j for j in range(2, len(columns)) if j not in given]
    again = np.repeat(test, MEMBERS, axis=0)
    names = {columns[j].name: again[:, j] for j in [0, 1, *given]}
    members = generator.sample(len(again), names, seed + 1).reshape(len(test), MEMBERS, -1)
    score = quality.crps(members[:, :, others], test[:, others])
    return row | {"crps": float(score.mean() / test[:, others].mean())}


def _judged(made: F64, train: F64, test: F64, columns: list[Column], bounds: Plausibility) -> dict[str, float]:
    judged = bounds.judge(made)
    kept = made[judged.allowed] if judged.allowed.sum() > len(columns) else made
    targets = [j - 2 for j in _tenth(columns)]
    new = quality.novelty(kept, train, columns)
    low, middle, high = np.quantile(new, [0.1, 0.5, 0.9])
    ks = quality.kolmogorov(kept[:, 2:], test[:, 2:])
    real = quality.learned(train[:, 2:], test[:, 2:], targets)
    return {
        "ks": float(ks.mean()),
        "ks_worst": float(ks.max()),
        "correlation": quality.correlation_error(kept[:, 2:], test[:, 2:]),
        "residual": quality.correlation_error(_left(kept, train), _left(test, train)),
        "novelty_10": float(low),
        "novelty": float(middle),
        "novelty_90": float(high),
        "rejected_percent": 100.0 * float(1.0 - judged.allowed.mean()),
        "trained": quality.learned(kept[:, 2:], test[:, 2:], targets) / real,
    }


def _left(rows: F64, train: F64) -> F64:
    """Return square roots less their mean in the context, as `train` has it."""
    found = np.sqrt(np.maximum(rows[:, 2:], 0.0))
    root = np.sqrt(train[:, 2:])
    for context in np.unique(rows[:, :2], axis=0):
        found[(rows[:, :2] == context).all(axis=1)] -= root[(train[:, :2] == context).all(axis=1)].mean(axis=0)
    return found
