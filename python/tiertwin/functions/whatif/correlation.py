"""Rank correlation with holes, and the nearest matrix that is one.

Spearman's ρ of each pair over the rows that have both becomes the correlation of a Gaussian copula by 2 sin(πρ/6)
(W. H. Kruskal, J. Am. Stat. Assoc. 53, 1958). Pairs are made one by one, so the matrix need not be positive definite:
Higham's alternating projections find the nearest that is (N. J. Higham, IMA Journal of Numerical Analysis 22, 2002).
Noise of short histories is drawn towards 0 by the share that loses least (J. Schäfer, K. Strimmer, Stat. Appl. Genet.
Mol. Biol. 4, 2005).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

LEAST_EIGENVALUE = 1e-6
LEAST_PAIRS = 3
SWEEPS = 200


def rank_correlation(scores: F64) -> F64:
    """Return 2 sin(πρ/6) of each pair of columns, [d, d], from scores with holes (NaN), [n, d].

    Pairs with fewer than three common rows, or that do not vary there, are 0.
    """
    here = ~np.isnan(scores)
    ranks = np.where(here, scores, np.inf).argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    held = here.astype(np.float64)
    part = np.where(here, ranks / np.maximum(held.sum(axis=0), 1.0) - 0.5, 0.0)
    pairs = held.T @ held
    count = np.maximum(pairs, 1.0)
    mean = part.T @ held / count  # [a, b]: of a, where b is known
    variance = np.maximum((part**2).T @ held / count - mean**2, 0.0)
    together = part.T @ part / count - mean * mean.T
    scale = np.sqrt(variance * variance.T)
    told = (pairs >= LEAST_PAIRS) & (scale > 1e-15)
    spearman = np.where(told, together / np.where(told, scale, 1.0), 0.0)
    found: F64 = 2.0 * np.sin(np.pi / 6.0 * np.clip(spearman, -1.0, 1.0))
    np.fill_diagonal(found, 1.0)
    return np.asarray((found + found.T) / 2.0)


def shrunk(correlation: F64, rows: int) -> F64:
    """Return a correlation matrix of `rows` rows drawn towards the identity."""
    off = ~np.eye(len(correlation), dtype=bool)
    square = float((correlation[off] ** 2).sum())
    noise = float(((1.0 - correlation[off] ** 2) ** 2).sum()) / max(rows - 1, 1)
    towards = 1.0 if square <= 0.0 else min(1.0, noise / square)
    return np.asarray(np.where(off, (1.0 - towards) * correlation, correlation))


def nearest_correlation(matrix: F64) -> F64:
    """Return the nearest correlation matrix (Frobenius), positive definite; one with eigenvalues ≥ 1e-6 as it is.

    Parameters
    ----------
    matrix
        Symmetric, ones on its diagonal, [d, d].
    """
    if not len(matrix) or np.linalg.eigvalsh(matrix)[0] >= LEAST_EIGENVALUE:
        return matrix
    found, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(SWEEPS):
        moved = found - correction
        positive = _floored(moved)
        correction = positive - moved
        last, found = found, positive.copy()
        np.fill_diagonal(found, 1.0)
        if float(np.abs(found - last).max()) < 1e-10:
            break
    found = _floored(found)
    size = np.sqrt(np.diag(found))
    found = found / np.outer(size, size)
    np.fill_diagonal(found, 1.0)
    return np.asarray((found + found.T) / 2.0)


def _floored(matrix: F64) -> F64:
    values, vectors = np.linalg.eigh(matrix)
    result: F64 = (vectors * np.maximum(values, 2.0 * LEAST_EIGENVALUE)) @ vectors.T
    return result
