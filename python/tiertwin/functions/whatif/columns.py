"""Histories as tables: what a column is, what a row may be, and what is wrong with a history.

A row is one moment of the network: its context (hour, kind of day), its loads, failures, weather, KPIs. `context`
columns say which moments are alike; all others are made up given them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

Kind = Literal["continuous", "discrete", "context"]
Scale = Literal["plain", "root", "log"]
Given = Mapping[str, "ArrayLike"] | None
"""Column → value, or one value a row."""
LEAST_ROWS = 8
MOST_VALUES = 1_000  # of a discrete or context column


@dataclass(frozen=True)
class Column:
    """One column of a history.

    Parameters
    ----------
    name
        Unique within its history.
    kind
        'continuous'; 'discrete': few ordered values (failures, counts); 'context': which moments are alike.
    low, high
        Physical bounds, in the column's unit, both included.
    scale
        On which differences between contexts are taken: 'plain', 'root' (counts, rates; ≥ 0) or 'log' (> 0).
    """

    name: str
    kind: Kind = "continuous"
    low: float = -np.inf
    high: float = np.inf
    scale: Scale = "plain"

    def forth(self, values: F64) -> F64:
        """Return values on the scale."""
        if self.scale == "root":
            return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))
        return np.log(values) if self.scale == "log" else values

    def back(self, values: F64) -> F64:
        """Return values from the scale; a root below 0 comes back below 0, to be told from what can be."""
        if self.scale == "root":
            return np.asarray(np.sign(values) * values**2)
        return np.exp(values) if self.scale == "log" else values


@dataclass(frozen=True, eq=False)
class History:
    """A checked history: rows of the past, and which context each is of.

    Parameters
    ----------
    columns
        One a column of `rows`.
    rows
        [n, d]; NaN: not known.
    strata
        Different values of the context columns, [k, contexts]; one empty row without such columns.
    stratum
        Which of them each row is of, [n].
    """

    columns: tuple[Column, ...]
    rows: F64
    strata: F64
    stratum: I64

    @classmethod
    def of(cls, rows: ArrayLike, columns: Sequence[Column]) -> History:
        """Check a history.

        Raises
        ------
        InputError
            Everything that is wrong at once: shape, names, fewer than 8 rows, a column without a value, infinite
            values, values beyond their physical bounds, holes in a context, too many values of a discrete column.
        """
        values = np.array(rows, dtype=np.float64)
        problems = _shape_problems(values, columns)
        if not problems:
            problems = [text for j, column in enumerate(columns) for text in _column_problems(values[:, j], column)]
        if problems:
            raise InputError(problems, "history")
        context = [j for j, column in enumerate(columns) if column.kind == "context"]
        strata, stratum = np.unique(values[:, context], axis=0, return_inverse=True)
        values.setflags(write=False)
        return cls(tuple(columns), values, strata, stratum.reshape(-1).astype(np.int64))

    @property
    def context(self) -> list[int]:
        """Places of the context columns."""
        return [j for j, column in enumerate(self.columns) if column.kind == "context"]

    def place(self, name: str) -> int:
        """Return the place of a column; raises UnknownNameError."""
        names = [column.name for column in self.columns]
        if name not in names:
            raise UnknownNameError(f"given: no column {name!r} in the history{suggest(name, names)}")
        return names.index(name)

    def asked(self, given: Given, count: int) -> dict[int, F64]:
        """Return given values by place, [count] each.

        Raises
        ------
        InputError
            A value that is not finite, or neither one nor `count` of them.
        UnknownNameError
            A column unknown.
        """
        found: dict[int, F64] = {}
        for name, value in (given or {}).items():
            each = np.asarray(value, dtype=np.float64)
            if each.shape not in ((), (count,)) or not np.isfinite(each).all():
                raise InputError(f"given: expected one finite value of {name}, or {count}, got {value!r}")
            found[self.place(name)] = np.broadcast_to(each, (count,)).copy()
        return found

    def matching(self, context: Mapping[int, float]) -> I64:
        """Return the rows of a context, place → value; InputError where the history has none of it."""
        fits = np.ones(len(self.rows), dtype=bool)
        for j, value in context.items():
            fits &= self.rows[:, j] == value
        if not fits.any():
            names = {self.columns[j].name: value for j, value in context.items()}
            known = {self.columns[j].name: np.unique(self.rows[:, j]).tolist() for j in context}
            raise InputError(f"given: the history has no row with {names}; known values: {known}")
        return np.flatnonzero(fits)


def _shape_problems(values: F64, columns: Sequence[Column]) -> list[str]:
    if values.ndim != 2 or values.shape[1] != len(columns) or not columns:
        return [f"expected rows × {len(columns)} columns (at least 1), got shape {values.shape}"]
    found = []
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        found.append(f"expected different names of columns, got {', '.join(twice)} more than once")
    if all(column.kind == "context" for column in columns):
        found.append("expected at least one column that is no context")
    if len(values) < LEAST_ROWS:
        found.append(f"expected at least {LEAST_ROWS} rows to learn from, got {len(values)}")
    return found


def _column_problems(values: F64, column: Column) -> list[str]:
    name, known = column.name, values[~np.isnan(values)]
    if not len(known):
        return [f"{name}: expected values, all {len(values)} are missing: leave the column out"]
    if np.isinf(known).any():
        return [f"{name}: expected finite values or NaN, got {known[np.isinf(known)][0]}"]
    low, high = known.min(), known.max()
    found = []
    if low < column.low or high > column.high:
        found.append(f"{name}: expected values in [{column.low:g}, {column.high:g}], got {low:g} … {high:g}")
    if column.kind == "context" and len(known) < len(values):
        found.append(f"{name}: expected the context of every row, {len(values) - len(known)} are missing")
    if column.kind != "continuous" and len(np.unique(known)) > MOST_VALUES:
        found.append(f"{name}: expected at most {MOST_VALUES} different values of a {column.kind} column")
    if (column.scale == "log" and low <= 0.0) or (column.scale == "root" and low < 0.0):
        found.append(f"{name}: expected values that have a {column.scale}, got {low:g}")
    return found
