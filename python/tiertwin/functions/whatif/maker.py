"""The scenario maker: what moments like this may look like, and how much of what was made up may be.

    maker = ScenarioMaker(GaussianCopula().fit(rows, columns))
    made = maker.make(500, given={"hour": 18, "stadium": 4_000.0})
    made.rows, made.rejected, made.novelty

Rows are drawn until enough of them are plausible; every rejection is counted with its reason. `demand_situations` makes
them situations to try on a twin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.whatif.plausible import Plausibility
from tiertwin.functions.whatif.quality import novelty
from tiertwin.model.interventions import ScaleDemand, Situation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.whatif.columns import Given
    from tiertwin.functions.whatif.generators import Generator

    F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Made:
    """Rows made up.

    Parameters
    ----------
    names
        Of the columns.
    rows
        [n, d], all plausible; fewer than asked for where `drawn` ran out.
    drawn
        How many were drawn.
    rejected
        Reason → how many of them.
    novelty
        Distance to the nearest real row, in units of the typical one between real rows, [n].
    """

    names: tuple[str, ...]
    rows: F64
    drawn: int
    rejected: dict[str, int]
    novelty: F64

    def column(self, name: str) -> F64:
        """Return one column, [n]; KeyError: no such column."""
        if name not in self.names:
            raise KeyError(f"No column {name!r} among {', '.join(self.names[:10])}")
        return np.asarray(self.rows[:, self.names.index(name)])


class ScenarioMaker:
    """A fitted generator with bounds around it.

    Parameters
    ----------
    generator
        Fitted.
    bounds
        Without them those learnt from the generator's history; `Plausibility(history, reach=inf)` for physical ones.
    attempts
        Rows drawn at most for each row asked for.
    """

    def __init__(self, generator: Generator, bounds: Plausibility | None = None, attempts: int = 20) -> None:
        if attempts < 1:
            raise InputError(f"attempts: expected at least 1, got {attempts}", "ScenarioMaker")
        self.generator, self.attempts = generator, attempts
        self.bounds = Plausibility(generator.history) if bounds is None else bounds

    def make(self, count: int, given: Given = None, seed: int = 0) -> Made:
        """Return `count` plausible rows, or as many as there were among the attempts.

        Raises
        ------
        InputError
            A value given is beyond its physical bounds, or no row drawn was plausible (with what was wrong).
        """
        if count < 1:
            raise InputError(f"count: expected at least 1, got {count}", "ScenarioMaker")
        history = self.generator.history
        asked = history.asked(given, count)
        for j, values in asked.items():
            column = history.columns[j]
            if not (column.low <= values.min() and values.max() <= column.high):
                bounds = f"[{column.low:g}, {column.high:g}]"
                raise InputError(f"given: {column.name} is physically in {bounds}, got {values.min():g}")
        parts: list[F64] = []
        rejected: dict[str, int] = {}
        drawn = kept = batch = 0
        while kept < count and drawn < self.attempts * count:
            rows = self.generator.sample(count, given, seed=1_000_003 * batch + seed)
            judged = self.bounds.judge(rows, set(asked))
            for reason, number in judged.rejected.items():
                rejected[reason] = rejected.get(reason, 0) + number
            parts.append(rows[judged.allowed])
            drawn, kept, batch = drawn + len(rows), kept + int(judged.allowed.sum()), batch + 1
        if not kept:
            raise InputError(f"none of {drawn} rows drawn is plausible: {rejected}; ask for less, or widen `reach`")
        rows = np.concatenate(parts)[:count]
        names = tuple(column.name for column in history.columns)
        return Made(names, rows, drawn, rejected, novelty(rows, history.rows, history.columns))


def demand_situations(made: Made, areas: Mapping[str, str | None], usual: Mapping[str, float]) -> list[Situation]:
    """Return a situation a row: the demand of each area times what the row has over what is usual there.

    Parameters
    ----------
    made
        Rows with loads.
    areas
        Column → site, node or twin whose demand it is; None: everywhere.
    usual
        Column → load at which the factor is 1, above 0; without one, the column's mean over the rows.

    Raises
    ------
    InputError
        No column, one that is not there, a load below 0, or one that is usually 0.
    """
    missing = [name for name in areas if name not in made.names]
    if missing or not areas:
        raise InputError(
            f"areas: expected columns of the rows, got {', '.join(missing) or 'none'}", "demand_situations"
        )
    factors = []
    for name in areas:
        values = made.column(name)
        base = usual.get(name, float(values.mean()) if len(values) else 0.0)
        if not (np.isfinite(base) and base > 0.0) or (len(values) and values.min() < 0.0):
            raise InputError(f"{name}: expected loads of at least 0 with a usual one above 0, got {base:g}", "usual")
        factors.append(values / base)
    share = 1.0 / max(len(made.rows), 1)
    return [
        Situation(
            f"row {k + 1}",
            tuple(ScaleDemand(float(factor[k]), area) for factor, area in zip(factors, areas.values(), strict=True)),
            share,
        )
        for k in range(len(made.rows))
    ]
