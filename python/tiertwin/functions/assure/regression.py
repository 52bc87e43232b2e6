"""Regressions of remaining life on features: kernels in core, boosted trees behind the extra `ml`.

    ŷ(f) = ȳ + Σ_i a_i k(f, f_i),  k = e^{−γ|f − f_i|²/p} + c f·f_i/p,  (K + λ I) a = y − ȳ

over p features of unit spread. The linear part goes on where there are few neighbours: without it a machine near its
end is pulled back to the mean.

Source: C. Saunders, A. Gammerman, V. Vovk, "Ridge regression learning algorithm in dual variables", ICML 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from tiertwin.functions.assure.boosted import booster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

LEAST_SPREAD = 1e-9


class Regression(Protocol):
    """Learns y of rows, and says it of others."""

    def fit(self, rows: F64, y: F64) -> Self:
        """Learn; rows [n, p], y [n]."""

    def predict(self, rows: F64) -> F64:
        """Return y of rows."""


@dataclass
class KernelRidge:
    """Kernel ridge regression with a Gaussian and a linear kernel: γ, λ and c of above. O(n³) to learn."""

    gamma: float = 1.0
    ridge: float = 0.5
    linear: float = 1.0

    def fit(self, rows: F64, y: F64) -> Self:
        """Learn; rows [n, p], y [n]."""
        self._centre = rows.mean(axis=0)
        self._spread = np.maximum(rows.std(axis=0), LEAST_SPREAD)
        self._rows = (rows - self._centre) / self._spread
        self._mean = float(y.mean())
        kernel = self._kernel(self._rows)
        kernel[np.diag_indices(len(kernel))] += self.ridge
        self._weights = np.linalg.solve(kernel, y - self._mean)
        return self

    def predict(self, rows: F64) -> F64:
        """Return y of rows."""
        result: F64 = self._mean + self._kernel((rows - self._centre) / self._spread) @ self._weights
        return result

    def _kernel(self, rows: F64) -> F64:
        own, other = (rows**2).sum(axis=1), (self._rows**2).sum(axis=1)
        distance = own[:, None] + other[None, :] - 2.0 * rows @ self._rows.T
        near = np.exp(-self.gamma / rows.shape[1] * np.maximum(distance, 0.0))
        result: F64 = near + self.linear / rows.shape[1] * (rows @ self._rows.T)
        return result


class Boosted:
    """scikit-learn's histogram trees; MissingExtraError without the extra `ml`."""

    def __init__(self) -> None:
        self._model: Any = booster(max_iter=150, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=20)

    def fit(self, rows: F64, y: F64) -> Self:
        """Learn; rows [n, p], y [n]."""
        self._model.fit(rows, y)
        return self

    def predict(self, rows: F64) -> F64:
        """Return y of rows."""
        return np.asarray(self._model.predict(rows), dtype=np.float64)


KERNELS: Sequence[KernelRidge] = tuple(KernelRidge(g, r) for g in (0.3, 1.0, 2.0) for r in (0.2, 0.6))
