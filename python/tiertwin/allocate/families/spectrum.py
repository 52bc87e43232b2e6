"""Association, spectrum and power of a cluster of cells, proportionally fair.

    e_kj = min(η log2(1 + γ_kj), cap),   γ_kj = (P_j g_kj / B_j) / (Σ_{i≠j} ρ_i P_i g_ki / B_i + outside_k + N0)
    maximise   Σ_k w_k log R_k,   R_k = b_k e_kj at the cell j of k
    subject    one cell a user,  Σ_{k at j} b_k ≤ B_j,  Σ_{k at j} R_k ≤ backhaul_j,  R_k ≤ demand_k,
               least_j ≤ P_j ≤ most_j

What other clusters send (`outside`) and how busy cells are (ρ) is frozen. Two steps alternate, each kept only where the
objective rises:

- *Cells and shares for given powers.* With a user at several cells at once this is a problem of `fair.py` (options
  are cells, resources their bands and backhauls) whose prices bound every association at these powers. Users then go to
  the cell that serves them most, and the bands are shared anew.
- *Powers for given cells and shares.* Concave in the logarithms of the powers (`cpp/alloc/spectrum.hpp`), so that it
  ends near the best, and says how near: `power_gap`.

Together they end where neither step helps: a local optimum, and the answer claims no more. The model is ours, after
association and power control for sums of log rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tiertwin import _core
from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairProblem
from tiertwin.allocate.families.fairness import Fairness, fairness
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

ITERATION_LIMIT = 20  # turns of the two steps; 2 to 6 are usual
TOLERANCE = 1e-3
LEAST = 1e-3  # of the most power, where no least is given: 30 dB


@dataclass(frozen=True, eq=False)
class SpectrumProblem:
    """One cluster: U users, C cells of one carrier.

    Parameters
    ----------
    gain
        ``[U, C]`` linear, ≥ 0: what of a cell's power reaches the user.
    power_most
        ``[C]`` W, > 0.
    bandwidth
        ``[C]`` Hz, > 0.
    power_least
        ``[C]`` W, > 0; None: `LEAST` of the most.
    activity
        ``[C]`` ρ in 0..1, share of time that a cell disturbs others; None: 1.
    outside
        ``[U]`` interference from outside the cluster, W/Hz, ≥ 0; None: 0.
    weight
        ``[U]`` finite, ≥ 0; None: 1. Users of weight 0 get nothing.
    demand
        ``[U]`` most each user wants, bit/s, infinity for no limit; None: no limits.
    backhaul
        ``[C]`` bit/s, infinity for no limit; None: no limits.
    noise
        W/Hz: −174 dBm/Hz and the noise figure.
    efficiency, cap
        η of Shannon's rate and the most bit/s/Hz.

    Raises
    ------
    InputError
        A wrong shape, NaN or a number out of its range, with its index.
    """

    gain: Array
    power_most: Array
    bandwidth: Array
    power_least: Array = None  # type: ignore[assignment]  # filled in below
    activity: Array = None  # type: ignore[assignment]  # filled in below
    outside: Array = None  # type: ignore[assignment]  # filled in below
    weight: Array = None  # type: ignore[assignment]  # filled in below
    demand: Array = None  # type: ignore[assignment]  # filled in below
    backhaul: Array = None  # type: ignore[assignment]  # filled in below
    noise: float = 2e-20
    efficiency: float = 0.7
    cap: float = 7.4

    def __post_init__(self) -> None:
        if np.ndim(self.gain) != 2:
            raise InputError(f"gain: expected shape [U, C], got {list(np.shape(self.gain))}", where="spectrum problem")
        users, cells = np.shape(self.gain)
        most = np.asarray(self.power_most, dtype=np.float64)
        filled: dict[str, Any] = {
            "gain": (self.gain, (users, cells)),
            "power_most": (most, (cells,)),
            "bandwidth": (self.bandwidth, (cells,)),
            "power_least": (LEAST * most if self.power_least is None else self.power_least, (cells,)),
            "activity": (np.ones(cells) if self.activity is None else self.activity, (cells,)),
            "outside": (np.zeros(users) if self.outside is None else self.outside, (users,)),
            "weight": (np.ones(users) if self.weight is None else self.weight, (users,)),
            "demand": (np.full(users, np.inf) if self.demand is None else self.demand, (users,)),
            "backhaul": (np.full(cells, np.inf) if self.backhaul is None else self.backhaul, (cells,)),
        }
        faults = []
        for name, (given, shape) in filled.items():
            array = np.ascontiguousarray(given, dtype=np.float64).view()
            if array.shape != shape:
                faults.append(f"{name}: expected shape {list(shape)}, got {list(array.shape)}")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if faults:
            raise InputError(faults, where="spectrum problem")
        try:
            efficiencies = self.efficiencies(self.full_power)
            associated(self, efficiencies, self.gain > 0)
        except ValueError as error:
            raise InputError(str(error), where="spectrum problem") from error

    @property
    def users(self) -> int:
        """Number of users U."""
        return int(self.gain.shape[0])

    @property
    def cells(self) -> int:
        """Number of cells C."""
        return int(self.gain.shape[1])

    @property
    def full_power(self) -> Array:
        """``[C]`` the most of every cell."""
        return self.power_most

    @cached_property
    def cluster(self) -> dict[str, Any]:
        """What the kernel takes."""
        names = ("gain", "power_least", "power_most", "bandwidth", "activity", "outside", "noise", "efficiency", "cap")
        return {name: getattr(self, name) for name in names}

    def efficiencies(self, power: Array) -> Array:
        """``[U, C]`` bit/s/Hz of every user at every cell under these powers."""
        return _core.spectral_efficiency(np.ascontiguousarray(power, dtype=np.float64), **self.cluster)


@dataclass(frozen=True, eq=False)
class SpectrumAnswer:
    """Cells, shares of their bands and powers, and what is known of how good they are.

    Parameters
    ----------
    cell
        ``[U]`` the cell of each user, −1 for none.
    hertz
        ``[U]`` its share of that cell's band.
    power
        ``[C]`` W.
    rate
        ``[U]`` bit/s.
    band_price, backhaul_price
        ``[C]`` marginal worth of a hertz and of a bit/s of backhaul, at which the bound is taken.
    value, scale
        Σ w log R over the users who can be served, and Σ w of these: a gap of 1 % is about 1 % more rate for all.
    bound
        No association and shares are worth more *at these powers*.
    power_gap
        No powers are worth more than this, in units of Σ w, for these cells and shares, demands and backhauls aside.
    iterations
        Turns taken.
    history
        ``[turns + 1]`` the value after each turn; it never falls.
    """

    cell: Indices
    hertz: Array
    power: Array
    rate: Array
    band_price: Array
    backhaul_price: Array
    value: float
    scale: float
    bound: float
    power_gap: float
    iterations: int
    history: Array

    @property
    def gap(self) -> float:
        """Certified gap of association and shares at these powers, (bound − value) / Σ w."""
        return max(0.0, self.bound - self.value) / self.scale if self.scale > 0 else 0.0

    @property
    def fairness(self) -> Fairness:
        """Jain's index and quantiles of the rates of users that have a cell."""
        return fairness(self.rate[self.cell >= 0])


class SpectrumAllocator(Protocol):
    """What solves this family: deterministic, limited by iterations and never by time."""

    name: str

    def allocate(
        self,
        problem: SpectrumProblem,
        *,
        start: SpectrumAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
    ) -> SpectrumAnswer:
        """Return cells, shares and powers; of `start`, an answer to other data of this shape, the powers are used."""


@dataclass(frozen=True, eq=False)
class SpectrumWorth:
    """Judgement of the independent checker: cells, shares and powers without anything the allocator said of them."""

    value: float
    scale: float
    rate: Array
    violation: float
    fault: str


def worth(problem: SpectrumProblem, cell: Any, hertz: Array, power: Array) -> SpectrumWorth:
    """Judge cells, shares and powers."""
    found = [(0.0, "")]
    cell = np.asarray(cell).astype(np.int64)
    if not (np.all(np.isfinite(hertz)) and np.all(np.isfinite(power))):
        return SpectrumWorth(-np.inf, 1.0, np.zeros(problem.users), np.inf, "not finite")
    for what, excess in (("most", power / problem.power_most - 1), ("least", 1 - power / problem.power_least)):
        if excess.size:
            found.append((float(excess.max()), f"{what} power of cell {int(excess.argmax())}"))
    found.append((float(-hertz.min(initial=0.0)), "a share below 0"))
    at = cell >= 0
    efficiency = problem.efficiencies(power)
    rate = np.where(at, hertz * efficiency[np.arange(problem.users), np.maximum(cell, 0)], 0.0)
    for what, amount, most in (("band", hertz, problem.bandwidth), ("backhaul", rate, problem.backhaul)):
        used = np.bincount(cell[at], weights=amount[at], minlength=problem.cells)
        over = np.divide(used, most, out=np.where(used > 0, np.inf, 0.0), where=most > 0) - 1.0
        found.append((float(over.max(initial=0.0)), f"{what} of cell {int(over.argmax())}" if over.size else ""))
    over = np.divide(rate, problem.demand, out=np.where(rate > 0, np.inf, 0.0), where=problem.demand > 0) - 1.0
    found.append((float(over.max(initial=0.0)), f"demand of user {int(over.argmax())}" if over.size else ""))
    violation, fault = max(found, key=lambda pair: pair[0])
    counts = served(problem, efficiency)
    with np.errstate(divide="ignore"):
        value = float(problem.weight[counts] @ np.log(rate[counts])) if np.any(counts) else 0.0
    return SpectrumWorth(value, float(problem.weight[counts].sum()), rate, violation, fault if violation > 0 else "")


def served(problem: SpectrumProblem, efficiency: Array) -> Any:
    """``[U]`` users that count: a weight, a demand, and a cell with signal and backhaul."""
    reach = np.any((efficiency > 0) & (problem.backhaul > 0), axis=1)
    return (problem.weight > 0) & (problem.demand > 0) & reach


def price_bound(problem: SpectrumProblem, power: Array, band_price: Array, backhaul_price: Array) -> float:
    """Upper bound on the value of every association and all shares at these powers, from any prices ≥ 0."""
    efficiency = problem.efficiencies(power)
    posed = associated(problem, efficiency, efficiency > 0)
    return fair.price_bound(posed, np.concatenate([band_price * problem.bandwidth, backhaul_price]))


def answer(
    problem: SpectrumProblem,
    cell: Indices,
    hertz: Array,
    power: Array,
    price: tuple[Array, Array],
    iterations: int,
    power_gap: float,
    history: Array,
) -> SpectrumAnswer:
    """Make an answer of a plan and suggested prices: judged and bounded independently."""
    judged = worth(problem, cell, hertz, power)
    paid = [np.maximum(np.nan_to_num(p), 0.0) for p in price]
    bound = price_bound(problem, power, paid[0], paid[1])
    return SpectrumAnswer(
        cell, hertz, power, judged.rate, paid[0], paid[1], judged.value, judged.scale, bound, power_gap, iterations,
        history,
    )  # fmt: skip


def associated(problem: SpectrumProblem, efficiency: Array, allowed: Any) -> FairProblem:
    """Association and shares as a problem of `fair`: options are allowed cells; bands in shares, backhauls in bit/s."""
    users, cells = np.nonzero(allowed)
    with np.errstate(divide="ignore"):
        use = 1.0 / (efficiency[users, cells] * problem.bandwidth[cells])
    use = np.where(np.isfinite(use), use, 0.0)
    ends = np.flatnonzero(np.isfinite(problem.backhaul))
    place = np.full(problem.cells, -1)
    place[ends] = problem.cells + ends
    has = place[cells] >= 0
    count = 1 + has.astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(count)])
    resource, amount = np.empty(offsets[-1], dtype=np.int64), np.empty(offsets[-1])
    resource[offsets[:-1]], amount[offsets[:-1]] = cells, use
    resource[offsets[:-1][has] + 1], amount[offsets[:-1][has] + 1] = place[cells[has]], 1.0
    options = Options(
        np.concatenate([[0], np.cumsum(np.bincount(users, minlength=problem.users))]), offsets, resource, amount,
        2 * problem.cells,
    )  # fmt: skip
    capacity = np.concatenate([np.ones(problem.cells), problem.backhaul])
    return FairProblem(options, problem.demand, problem.weight, np.ones(problem.users), capacity)
