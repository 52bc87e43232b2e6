"""A Gaussian copula over a history: what columns have to do with each other, apart from how each is spread.

    z_j = Φ⁻¹(F_j(x_j)),  z ~ N(0, R),  R from rank correlations
    z_rest | z_given ~ N(R_rg R_gg⁻¹ z_g, R_rr − R_rg R_gg⁻¹ R_gr)

Marginals and contexts: `tiertwin.functions.whatif.scores`; R: `tiertwin.functions.whatif.correlation`. A discrete value
that is given is an interval of scores, of which each row draws its own. R. B. Nelsen, An Introduction to Copulas, 2006.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tiertwin.functions.whatif.correlation import nearest_correlation, rank_correlation, shrunk
from tiertwin.functions.whatif.generators import Chance, Generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

TIES = 1  # stream of the draws that break ties


class GaussianCopula(Generator):
    """Rows whose columns go together as they did; the numpy-only generator.

    Attributes
    ----------
    correlation
        R of the columns `scores.made`, after `fit`.
    """

    name: ClassVar[str] = "copula"

    def _learn(self) -> None:
        history = self.history
        z = self.scores.of(history.rows, history.stratum, np.random.default_rng(TIES))
        self.correlation = nearest_correlation(shrunk(rank_correlation(z), len(z)))
        self._parts: dict[tuple[int, ...], tuple[F64, F64]] = {}

    def _draw(self, chosen: I64, wanted: Mapping[int, F64], rng: Chance) -> F64:
        stratum, count = self.history.stratum[chosen], len(chosen)
        given = tuple(k for k, j in enumerate(self.scores.made) if j in wanted)
        rest = [k for k in range(len(self.scores.made)) if k not in given]
        z = np.empty((count, len(self.scores.made)))
        for k in given:
            j = self.scores.made[k]
            z[:, k] = self.scores.one(j, wanted[j], stratum, rng.random(count))
        pull, root = self._conditional(given)
        z[:, rest] = z[:, list(given)] @ pull.T + rng.standard_normal((count, len(rest))) @ root.T
        return self.scores.rows(z, stratum)

    def _conditional(self, given: tuple[int, ...]) -> tuple[F64, F64]:
        """Return R_rg R_gg⁻¹, [rest, given], and a root of the covariance that is left, [rest, rest]."""
        if given not in self._parts:
            self._parts[given] = conditional(self.correlation, given)
        return self._parts[given]


def conditional(correlation: F64, given: tuple[int, ...]) -> tuple[F64, F64]:
    """Return what scores given say of the rest, [rest, given], and a lower root of the covariance left, [rest, rest].

    Parameters
    ----------
    correlation
        Positive definite, [d, d].
    given
        Rising places.
    """
    rest = [k for k in range(len(correlation)) if k not in given]
    here = list(given)
    across = correlation[np.ix_(rest, here)]
    pull = np.linalg.solve(correlation[np.ix_(here, here)], across.T).T if here else np.zeros((len(rest), 0))
    left = correlation[np.ix_(rest, rest)] - pull @ across.T
    values, vectors = np.linalg.eigh((left + left.T) / 2.0)
    root: F64 = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(pull, dtype=np.float64), root
