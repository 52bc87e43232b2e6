"""Who can make whom alarm, and how surely: the sparse q matrix of a noisy-OR model, with names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Rows:
    """q by cause, sparse.

    Parameters
    ----------
    start
        Influences of cause c are start[c] : start[c+1], shape (causes + 1,).
    observation
        Numbers of observations, ascending within a cause, shape (influences,).
    q
        P(the observation is an alarm | the cause is there and nothing else), 0 … 1 − 1e-12, shape (influences,).
    """

    start: I64
    observation: I64
    q: F64

    @classmethod
    def of_table(cls, table: ArrayLike) -> Rows:
        """Return the rows of a dense table (causes, observations); zeros are no influence."""
        dense = np.asarray(table, dtype=np.float64)
        if dense.ndim != 2:
            raise InputError(f"expected a table (causes, observations), got shape {dense.shape}", "q")
        cause, observation = np.nonzero(dense)
        counts = np.bincount(cause, minlength=len(dense))
        return cls(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), observation, dense[cause, observation])

    @classmethod
    def of_triples(cls, causes: int, cause: ArrayLike, observation: ArrayLike, q: ArrayLike) -> Rows:
        """Return the rows of (cause, observation, q) in any order; of a pair named twice, both act (noisy-OR)."""
        row, column = np.asarray(cause, dtype=np.int64), np.asarray(observation, dtype=np.int64)
        value = np.asarray(q, dtype=np.float64)
        if not row.shape == column.shape == value.shape or row.ndim != 1:
            raise InputError(
                f"expected three vectors of one length, got {row.shape}, {column.shape}, {value.shape}", "q"
            )
        if row.size and (row.min() < 0 or row.max() >= causes):
            raise InputError(f"expected causes 0 … {causes - 1}, got {row.min()} … {row.max()}", "q")
        order = np.lexsort((column, row))
        row, column, value = row[order], column[order], value[order]
        first = np.ones(row.size, dtype=bool)
        first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
        if value.size:
            silent = np.multiply.reduceat(1.0 - value, np.flatnonzero(first))
            row, column, value = row[first], column[first], np.minimum(1.0 - silent, 1.0 - LEAST)
        counts = np.bincount(row, minlength=causes)
        return cls(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), column, value)


class Names:
    """Names in order, and the number of each."""

    def __init__(self, what: str, names: Sequence[str]) -> None:
        self.what, self.names = what, tuple(names)
        self._number: Mapping[str, int] = {name: k for k, name in enumerate(self.names)}
        if len(self._number) != len(self.names):
            seen: set[str] = set()
            twice = next(name for name in self.names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise InputError(f"{what} {twice!r} is named twice; names must differ", what)

    def __len__(self) -> int:
        return len(self.names)

    def number(self, name: str | int) -> int:
        """Return the number of a name (or of a number that exists); InputError suggests what is like it."""
        if isinstance(name, str):
            found = self._number.get(name)
            if found is None:
                like = difflib.get_close_matches(name, self.names, 3, 0.5)
                hint = f"; did you mean {' or '.join(map(repr, like))}?" if like else ""
                raise UnknownNameError(f"no {self.what} {name!r} among {len(self.names)}{hint}", self.what)
            return found
        if not 0 <= int(name) < len(self.names):
            raise InputError(f"expected {self.what} 0 … {len(self.names) - 1}, got {name}", self.what)
        return int(name)

    def numbers(self, names: Sequence[str | int] | I64) -> I64:
        """Return the numbers of names or of numbers."""
        if isinstance(names, np.ndarray) and names.dtype.kind in "iu":
            wrong = (names < 0) | (names >= len(self.names))
            if wrong.any():
                self.number(int(names[wrong][0]))
            return np.ascontiguousarray(names, dtype=np.int64)
        return np.array([self.number(name) for name in names], dtype=np.int64)
