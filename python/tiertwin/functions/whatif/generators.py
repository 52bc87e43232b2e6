"""One interface for all that makes up rows, and the simple ones that a better one has to beat.

    replay        rows of the past as they were (bootstrap)
    perturbation  rows of the past, every value moved by chance
    independent   each column by itself, without what columns have to do with each other

All keep the context that is asked for; of the other columns given, replay and perturbation take the past rows that are
nearest to them, and independent columns do not care.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.whatif.columns import Column, Given, History
from tiertwin.functions.whatif.scores import Scores

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

Chance = np.random.Generator
NEAREST = 5  # rows of the past that stand for what was given


class Generator(ABC):
    """What all share: checks, contexts, and what is given."""

    name: ClassVar[str] = ""

    def fit(self, rows: ArrayLike, columns: Sequence[Column]) -> Self:
        """Learn from a history, [n, d], a column each; NaN: not known.

        Raises
        ------
        InputError
            What `History.of` says of it.
        """
        self.history = History.of(rows, columns)
        self.scores = Scores.fit(self.history)
        self._learn()
        return self

    def sample(self, count: int, given: Given = None, seed: int = 0) -> F64:
        """Return `count` rows, [count, d], with the values given by column; contexts not given as in history.

        Raises
        ------
        InputError
            Not fitted yet, a context that history does not have, another value of a column that never changed, or
            given values of a wrong shape.
        UnknownNameError
            A column that is not in the history.
        """
        if not hasattr(self, "history"):
            raise InputError("expected a history first: call fit(rows, columns)", type(self).__name__)
        if count < 0:
            raise InputError(f"expected a count of at least 0, got {count}", type(self).__name__)
        asked = self.history.asked(given, count)
        self._constants(asked)
        rng = np.random.default_rng([seed, len(self.history.rows)])
        wanted = {j: values for j, values in asked.items() if j in self.scores.made}
        found = self._draw(self._chosen(count, asked, wanted, rng), wanted, rng)
        for j, values in asked.items():
            found[:, j] = values
        return found

    def _chosen(self, count: int, asked: Mapping[int, F64], wanted: Mapping[int, F64], rng: Chance) -> I64:
        """Return a row of the past of the context asked for, for each row to make, [count]."""
        places = [j for j in self.history.context if j in asked]
        contexts = np.stack([asked[j] for j in places], axis=1) if places else np.zeros((count, 0))
        kinds, kind = np.unique(contexts, axis=0, return_inverse=True)
        chosen = np.empty(count, dtype=np.int64)
        for k, values in enumerate(kinds.tolist()):
            rows = np.flatnonzero(kind.reshape(-1) == k)
            pool = self.history.matching(dict(zip(places, values, strict=True)))
            chosen[rows] = self._pick(pool, {j: one[rows] for j, one in wanted.items()}, len(rows), rng)
        return chosen

    def _pick(self, pool: I64, wanted: Mapping[int, F64], count: int, rng: Chance) -> I64:
        """Return `count` rows among the `pool` of the past."""
        picked: I64 = rng.choice(pool, count)
        return picked

    def _constants(self, asked: Mapping[int, F64]) -> None:
        for j, value in self.scores.constant.items():
            if j in asked and (asked[j] != value).any():
                name, other = self.history.columns[j].name, asked[j][asked[j] != value][0]
                text = f"{name} was {value:g} in all of history; nobody knows what goes with {other:g}"
                raise InputError(f"given: {text}")

    def _learn(self) -> None:  # noqa: B027  not every method has more to learn
        """Learn what the method needs beyond marginals."""

    @abstractmethod
    def _draw(self, chosen: I64, wanted: Mapping[int, F64], rng: Chance) -> F64:
        """Return rows, [count, d], in the contexts of the rows of history `chosen`, [count]."""


class Replay(Generator):
    """Rows of the past; a hole is filled from another row of the same context."""

    name: ClassVar[str] = "replay"

    def _pick(self, pool: I64, wanted: Mapping[int, F64], count: int, rng: Chance) -> I64:
        if not wanted:
            return super()._pick(pool, wanted, count, rng)
        away = np.zeros((count, len(pool)))
        for j, values in wanted.items():
            spread = max(float(np.nanstd(self.history.rows[:, j])), 1e-300)
            part = (self.history.rows[pool, j] - values[:, None]) / spread
            away += np.where(np.isnan(part), 1.0, part**2)
        nearest = np.argsort(away, axis=1, kind="stable")[:, :NEAREST]
        column = rng.integers(0, nearest.shape[1], count)
        picked: I64 = pool[nearest[np.arange(count), column]]
        return picked

    def _draw(self, chosen: I64, wanted: Mapping[int, F64], rng: Chance) -> F64:
        history = self.history
        found: F64 = history.rows[chosen].copy()
        for j in np.flatnonzero(np.isnan(found).any(axis=0)).tolist():
            known = ~np.isnan(history.rows[:, j])
            for row in np.flatnonzero(np.isnan(found[:, j])).tolist():
                alike = known & (history.stratum == history.stratum[chosen[row]])
                found[row, j] = rng.choice(history.rows[alike if alike.any() else known, j])
        return found


class Perturbation(Replay):
    """Replay with noise: each continuous value moves by a normal number of `size` spreads of its context."""

    name: ClassVar[str] = "perturbation"

    def __init__(self, size: float = 0.5) -> None:
        if not (np.isfinite(size) and size >= 0.0):
            raise InputError(f"size: expected a number of spreads of at least 0, got {size}", "Perturbation")
        self.size = size

    def _draw(self, chosen: I64, wanted: Mapping[int, F64], rng: Chance) -> F64:
        return self.scores.moved(super()._draw(chosen, wanted, rng), self.history.stratum[chosen], self.size, rng)


class Independent(Generator):
    """Each column from its own marginal in the context."""

    name: ClassVar[str] = "independent"

    def _draw(self, chosen: I64, wanted: Mapping[int, F64], rng: Chance) -> F64:
        z = rng.standard_normal((len(chosen), len(self.scores.made)))
        return self.scores.rows(z, self.history.stratum[chosen])
