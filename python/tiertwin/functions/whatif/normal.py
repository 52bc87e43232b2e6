"""The standard normal distribution on arrays: cumulative and quantile."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]

_erfc = np.vectorize(math.erfc, otypes=[np.float64])

# M. J. Wichura, Algorithm AS 241: The percentage points of the normal distribution, Applied Statistics 37, 1988
_CENTRE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_NEAR = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
_FAR = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip


def cumulative(z: ArrayLike) -> F64:
    """Return Φ(z), any shape; full relative precision in the lower tail."""
    result: F64 = 0.5 * _erfc(-np.asarray(z, dtype=np.float64) / math.sqrt(2.0))
    return result


def quantile(u: ArrayLike) -> F64:
    """Return z with Φ(z) = u for u in (0, 1), any shape, to about 1e-15; ±inf at 0 and 1, NaN elsewhere."""
    share = np.asarray(u, dtype=np.float64)
    centre = share - 0.5
    result = np.full(share.shape, np.nan)
    inner = np.abs(centre) <= 0.425
    q = centre[inner]
    result[inner] = q * _ratio(_CENTRE, 0.180625 - q * q)
    outer = ~inner & (share > 0.0) & (share < 1.0)
    r = np.sqrt(-np.log(np.minimum(share[outer], 1.0 - share[outer])))
    far = np.where(r <= 5.0, _ratio(_NEAR, r - 1.6), _ratio(_FAR, r - 5.0))
    result[outer] = np.copysign(far, centre[outer])
    result[share == 0.0], result[share == 1.0] = -np.inf, np.inf
    return result


def _ratio(terms: tuple[tuple[float, ...], tuple[float, ...]], at: F64) -> F64:
    above, below = (np.polyval(row, at) for row in terms)
    result: F64 = above / below
    return result
