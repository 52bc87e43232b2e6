"""When to replace what wears out: at an age, or when failing before the next chance costs more than going.

    cost rate   g(a) = [C_p R(a) + C_f (1 − R(a))] / ∫_0^a R                 replaced at age a, or when it fails
    twin        go now if P(fail before the next slot) C_f > C_p

Source: R. E. Barlow, L. C. Hunter, Oper. Res. 8 (1960) 90 (age replacement). The twin's rule is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from tiertwin.functions.assure.weibull import Weibull

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class AgePolicy:
    """Replace at `age` (infinite: run to failure, nothing is gained before), at `cost_rate` per unit of time."""

    age: float
    cost_rate: float
    run_to_failure: float


def age_replacement(law: Weibull, planned: float, failed: float) -> AgePolicy:
    """Return the age that costs least.

    Parameters
    ----------
    law
        Of lives.
    planned, failed
        Cost of a replacement before, and at failure; 0 < planned.

    Raises
    ------
    InputError
        Costs that are not positive and finite.
    """
    if not (0.0 < planned < math.inf and 0.0 < failed < math.inf):
        raise InputError(f"expected positive, finite costs, got {planned} and {failed}", "age_replacement")
    never = failed / law.mean
    if law.shape <= 1.0 or planned >= failed:
        return AgePolicy(math.inf, never, never)

    def rate(log_age: float) -> float:
        age = math.exp(log_age)
        alive = float(law.survival(age))
        return (planned * alive + failed * (1.0 - alive)) / law.mean_until(age)

    grid = math.log(law.scale) + np.linspace(-12.0, 4.0, 161)
    best = int(np.argmin([rate(x) for x in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    for _ in range(60):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        low, high = (low, right) if rate(left) < rate(right) else (left, high)
    age = 0.5 * (low + high)
    if rate(age) >= never * (1.0 - 1e-9):
        return AgePolicy(math.inf, never, never)
    return AgePolicy(math.exp(age), rate(age), never)


def go_now(failure: ArrayLike, planned: float, failed: float) -> NDArray[np.bool_]:
    """Return where P(fail before the next slot) · C_f > C_p."""
    result: NDArray[np.bool_] = np.asarray(failure, dtype=np.float64) * failed > planned
    return result
