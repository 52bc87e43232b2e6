"""A choice of attributes under two budgets: what it is made from and worth, and what every rule of choice is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

ROUNDING = 1e-12  # of a budget: sums of costs are rounded


@dataclass(frozen=True, kw_only=True, eq=False)
class Budgeted:
    """One choice to make: A attributes, two budgets.

    Parameters
    ----------
    value
        V, shape (A,), finite.
    cost_bytes, cost_cpu
        d and c, shape (A,), ≥ 0; bytes/s and CPU seconds a cycle.
    byte_budget, cpu_budget
        D and C, ≥ 0; infinite: no limit.
    redundancy, lam
        S, shape (A, A), symmetric (the diagonal is not looked at), and λ ≥ 0.
    """

    value: Reals
    cost_bytes: Reals
    cost_cpu: Reals
    byte_budget: float
    cpu_budget: float
    redundancy: Reals
    lam: float

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def penalty(self) -> Reals:
        """λ S without its diagonal."""
        result: Reals = self.lam * self.redundancy
        np.fill_diagonal(result, 0.0)
        return result

    def objective(self, mask: Mask) -> float:
        x = mask.astype(np.float64)
        return float(self.value @ x - 0.5 * x @ self.penalty @ x)

    def fits(self, mask: Mask) -> bool:
        used = self.cost_bytes[mask].sum(), self.cost_cpu[mask].sum()
        return bool(used[0] <= limit(self.byte_budget) and used[1] <= limit(self.cpu_budget))

    @property
    def weight(self) -> Reals:
        """What an attribute takes of both budgets, d/D + c/C."""
        result: Reals = share(self.cost_bytes, self.byte_budget) + share(self.cost_cpu, self.cpu_budget)
        return result


class Chooser(Protocol):
    """What `select` and every baseline is: costs and budgets in, a mask (A,) out."""

    def __call__(
        self,
        value: Reals,
        cost_bytes: Reals,
        cost_cpu: Reals | None = None,
        *,
        byte_budget: float,
        cpu_budget: float = np.inf,
        redundancy: Reals | None = None,
        lam: float = 0.0,
        held: Mask | None = None,
        v_hi: float = 0.0,
        v_lo: float = 0.0,
        stick: float = 0.0,
    ) -> Mask: ...


def limit(budget: float) -> float:
    return budget * (1.0 + ROUNDING)


def share(cost: Reals, budget: float) -> Reals:
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Reals = np.where(cost > 0.0, cost / budget, 0.0)
    return result


def budgeted(
    value: Reals,
    cost_bytes: Reals,
    cost_cpu: Reals | None = None,
    *,
    byte_budget: float,
    cpu_budget: float = np.inf,
    redundancy: Reals | None = None,
    lam: float = 0.0,
) -> Budgeted:
    """Check what a choice is made from.

    Raises
    ------
    InputError
        Lengths that differ, values that are not finite, negative costs or budgets: all at once.
    """
    value = np.asarray(value, dtype=np.float64)
    size = value.size
    cost_bytes = np.asarray(cost_bytes, dtype=np.float64)
    cost_cpu = np.zeros(size) if cost_cpu is None else np.asarray(cost_cpu, dtype=np.float64)
    redundancy = np.zeros((size, size)) if redundancy is None else np.asarray(redundancy, dtype=np.float64)
    problems = [
        f"{name}: expected shape {shape}, got {array.shape}"
        for name, array, shape in (
            ("value", value, (size,)),
            ("cost_bytes", cost_bytes, (size,)),
            ("cost_cpu", cost_cpu, (size,)),
            ("redundancy", redundancy, (size, size)),
        )
        if array.shape != shape
    ]
    for name, array, least in (
        ("value", value, -np.inf),
        ("cost_bytes", cost_bytes, 0.0),
        ("cost_cpu", cost_cpu, 0.0),
        ("redundancy", redundancy, 0.0),
    ):
        bad = np.flatnonzero(~(np.isfinite(array) & (array >= least)).ravel())
        if bad.size:
            problems.append(
                f"{name}[{bad[0]}]: expected a finite number{'' if least < 0 else ' ≥ 0'}, got {array.ravel()[bad[0]]}"
            )
    for name, number in (("byte_budget", byte_budget), ("cpu_budget", cpu_budget)):
        if not number >= 0.0:
            problems.append(f"{name}: expected at least 0, got {number}")
    if not (lam >= 0.0 and np.isfinite(lam)):
        problems.append(f"lam: expected a finite weight ≥ 0, got {lam}")
    if not problems and not np.array_equal(redundancy, redundancy.T):
        problems.append("redundancy: expected a symmetric matrix")
    if problems:
        raise InputError(problems, "selection")
    return Budgeted(
        value=value, cost_bytes=cost_bytes, cost_cpu=cost_cpu, byte_budget=byte_budget, cpu_budget=cpu_budget,
        redundancy=redundancy, lam=lam,
    )  # fmt: skip
