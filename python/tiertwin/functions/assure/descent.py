"""Minimise a smooth function of a few variables: BFGS with a line search that only goes down.

J. Nocedal, S. J. Wright, Numerical Optimization (2006), algorithm 6.1; backtracking by the condition of Armijo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

ARMIJO = 1e-4
HALVINGS = 25


def minimise(
    function: Callable[[F64], tuple[float, F64]], start: F64, steps: int = 60, still: float = 1e-7, reach: float = 1.0
) -> tuple[F64, float]:
    """Return where a function is least, and its value there.

    Parameters
    ----------
    function
        x → value and gradient; the value may be infinite where x is not allowed.
    start
        Where it is finite, [n].
    steps
        At most.
    still
        Ends when a step gains less than this share of |value| + 1.
    reach
        Largest change of a variable in the first step, and ten times that later.
    """
    x = np.array(start, dtype=np.float64)
    value, slope = function(x)
    inverse, fresh = np.eye(len(x)), True
    for _ in range(steps):
        way = -inverse @ slope
        if way @ slope >= 0.0:
            way, inverse, fresh = -slope, np.eye(len(x)), True
        way *= min(1.0, (reach if fresh else 10.0 * reach) / max(float(np.abs(way).max()), 1e-300))
        found = _down(function, x, value, slope, way)
        if found is None:
            if fresh:
                break
            inverse, fresh = np.eye(len(x)), True
            continue
        moved, grown = found[0] - x, found[2] - slope
        gained = value - found[1]
        x, value, slope = found
        if gained < still * (abs(value) + 1.0):
            break
        inverse, fresh = _renewed(inverse, moved, grown, fresh), False
    return x, value


def _down(
    function: Callable[[F64], tuple[float, F64]], x: F64, value: float, slope: F64, way: F64
) -> tuple[F64, float, F64] | None:
    step = 1.0
    for _ in range(HALVINGS):
        there = x + step * way
        found, gradient = function(there)
        if np.isfinite(found) and found <= value + ARMIJO * step * float(way @ slope):
            return there, found, gradient
        step *= 0.5
    return None


def _renewed(inverse: F64, moved: F64, grown: F64, fresh: bool) -> F64:
    product = float(moved @ grown)
    if product <= 1e-12 * float(np.linalg.norm(moved) * np.linalg.norm(grown)):
        return inverse
    if fresh:
        inverse = np.eye(len(moved)) * (product / float(grown @ grown))
    left = np.eye(len(moved)) - np.outer(moved, grown) / product
    result: F64 = left @ inverse @ left.T + np.outer(moved, moved) / product
    return result
