"""When to maintain what: a mixed-integer problem over jobs and slots, its checker, and its certified bound.

x_jt = 1: job j starts in slot t (and takes d_j slots); v_sk = 1: site s is visited in shift k.

    min  Σ_j Σ_t x_jt [cost_j + failure_cost_j F_j(t) + outage_j Σ_{τ=t}^{t+d_j−1} load_jτ]
         + Σ_j (1 − Σ_t x_jt) failure_cost_j F_j(T) + travel Σ v
    s.t. Σ_t x_jt ≤ 1 (= 1 where the job must be done), x_jt = 0 outside the job's windows
         Σ_j crew_j out_jτ ≤ crews_τ           out_jτ = Σ_{t: t ≤ τ < t + d_j} x_jt
         Σ_{j∈g} out_jτ ≤ spare_g              redundant parts g: no more than `spare` out at once
         Σ_{t in shift k} x_jt ≤ v_{site(j), k}   jobs of a visit share its travel

F_j(t) is the probability that part j fails before slot t, from the twin's hazards; costs in one money. Scheduling with
a time index: J. Sousa and L. Wolsey, A time indexed formulation of non-preemptive single machine scheduling problems,
Math. Programming 54, 1992. `tiertwin.allocate.maintenance_milp` solves it; `worth` recomputes the cost of a schedule
and every constraint from these definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Flags = NDArray[np.bool_]

UNDONE = -1
"""Start of a job that is not done."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Maintenance:
    """Jobs J over slots T; one money throughout.

    Parameters
    ----------
    jobs
        Names, J of them.
    slots
        Slots each takes, at least 1, (J,).
    window
        In which slots it may start, (J, T); the job must end within the T slots.
    must
        Whether it has to be done, (J,).
    crew
        Crews it needs in each of its slots, at least 0, (J,).
    crews
        Crews there are, (T,).
    site
        Where, numbers from 0 on, (J,).
    shift
        Shift of each slot, rising from 0 on, (T,): a visit is a site in a shift.
    travel
        Cost of a visit.
    cost, failure_cost, outage
        Of the job; of a failure; of a unit of load while the part is out; (J,), at least 0.
    fails_before
        F_j(t), (J, T + 1), rising in 0 … 1.
    load
        Forecast load on the part, (J, T), at least 0.
    groups, spare
        Redundant parts: numbers of jobs that must not be out together, and how many may be, one a group.
    """

    jobs: tuple[str, ...]
    slots: I64
    window: Flags
    must: Flags
    crew: I64
    crews: I64
    site: I64
    shift: I64
    travel: float
    cost: F64
    failure_cost: F64
    outage: F64
    fails_before: F64
    load: F64
    groups: tuple[tuple[int, ...], ...] = ()
    spare: tuple[int, ...] = field(default=())

    @property
    def horizon(self) -> int:
        """Slots, T."""
        return len(self.crews)

    def starts(self, job: int) -> I64:
        """Return the slots in which a job may start and end in time."""
        last = self.horizon - int(self.slots[job])
        found: I64 = np.flatnonzero(self.window[job, : last + 1]) if last >= 0 else np.empty(0, np.int64)
        return found

    def start_cost(self, job: int) -> F64:
        """Return what starting a job in each slot costs, travel aside, (T,); inf where it would not end in time."""
        length = int(self.slots[job])
        along = np.convolve(self.load[job], np.ones(length))[length - 1 :]
        cost = self.cost[job] + self.failure_cost[job] * self.fails_before[job, :-1]
        total: F64 = np.where(
            np.arange(self.horizon) + length <= self.horizon, cost + self.outage[job] * along[: self.horizon], np.inf
        )
        return total

    def undone_cost(self, job: int) -> float:
        """Return what not doing a job costs: the failure that may come."""
        return float(self.failure_cost[job] * self.fails_before[job, -1])

    def checked(self) -> Maintenance:
        """Return self; InputError with everything that is out of shape or range."""
        problems = [*_shapes(self), *_ranges(self)]
        if problems:
            raise InputError(problems, "maintenance")
        return self


@dataclass(frozen=True, eq=False)
class Worth:
    """What a schedule costs, in parts, and what it breaks (in words; empty: nothing)."""

    jobs: float
    failures: float
    outage: float
    travel: float
    broken: tuple[str, ...]

    @property
    def cost(self) -> float:
        """Everything together."""
        return self.jobs + self.failures + self.outage + self.travel


def worth(problem: Maintenance, start: Sequence[int] | I64) -> Worth:
    """Return what a schedule costs and breaks, from the definitions, job by job. `start`: (J,), −1 undone."""
    begin = np.asarray(start, dtype=np.int64)
    if begin.shape != (len(problem.jobs),):
        raise InputError(f"expected {len(problem.jobs)} starts (one a job), got shape {begin.shape}", "start")
    jobs = failures = outage = 0.0
    broken: list[str] = []
    out = np.zeros((len(begin), problem.horizon), dtype=bool)
    for j, t in enumerate(begin.tolist()):
        if t == UNDONE:
            failures += problem.undone_cost(j)
            if problem.must[j]:
                broken.append(f"job {problem.jobs[j]!r} must be done and is not")
            continue
        if t not in problem.starts(j):
            broken.append(f"job {problem.jobs[j]!r} may not start in slot {t}")
            continue
        end = t + int(problem.slots[j])
        out[j, t:end] = True
        jobs += float(problem.cost[j])
        failures += float(problem.failure_cost[j] * problem.fails_before[j, t])
        outage += float(problem.outage[j] * problem.load[j, t:end].sum())
    done = begin >= 0
    visits = {
        (int(problem.site[j]), int(problem.shift[begin[j]])) for j in np.flatnonzero(done & (begin < problem.horizon))
    }
    broken += _overruns(problem, out)
    return Worth(jobs, failures, outage, problem.travel * len(visits), tuple(broken))


def _overruns(problem: Maintenance, out: Flags) -> list[str]:
    """Return which slots want more crews, or take more redundant parts out, than there are."""
    found = []
    used = problem.crew @ out
    for t in np.flatnonzero(used > problem.crews):
        found.append(f"slot {t}: {int(used[t])} crews wanted, {int(problem.crews[t])} there")
    for g, members in enumerate(problem.groups):
        away = out[list(members)].sum(axis=0)
        for t in np.flatnonzero(away > problem.spare[g]):
            names = ", ".join(repr(problem.jobs[j]) for j in members if out[j, t])
            found.append(f"slot {t}: {names} are out together, of their group {problem.spare[g]} may be")
    return found


def blocked(problem: Maintenance, start: Sequence[int] | I64, job: int) -> list[str]:
    """Return why a job has no start beside a schedule of others: by slot it might start in, what is in the way."""
    begin = np.asarray(start, dtype=np.int64).copy()
    reasons = []
    for t in problem.starts(job).tolist():
        begin[job] = t
        broken = [text for text in worth(problem, begin).broken if text.startswith("slot")]
        if broken:
            reasons.append(f"start in slot {t}: {broken[0]}")
    return reasons


def impossible(problem: Maintenance) -> list[str]:
    """Return the jobs that must be done and cannot be, whatever the others do, with their windows."""
    found = []
    for j in np.flatnonzero(problem.must):
        name, length = problem.jobs[j], int(problem.slots[j])
        opened = np.flatnonzero(problem.window[j])
        span = f"slots {opened[0]}–{opened[-1]}" if len(opened) else "no slot at all"
        starts = problem.starts(int(j))
        if not len(starts):
            found.append(
                f"job {name!r}: its window ({span}) leaves no start from which {length} slots end by {problem.horizon}"
            )
        elif not any((problem.crews[t : t + length] >= problem.crew[j]).all() for t in starts):
            found.append(
                f"job {name!r}: needs {int(problem.crew[j])} crews for {length} slots; "
                f"none of its windows ({span}) has them"
            )
    return found


def _shapes(p: Maintenance) -> list[str]:
    count, horizon = len(p.jobs), len(p.crews)
    wanted = {
        "slots": (count,), "window": (count, horizon), "must": (count,), "crew": (count,), "crews": (horizon,),
        "site": (count,), "shift": (horizon,), "cost": (count,), "failure_cost": (count,), "outage": (count,),
        "fails_before": (count, horizon + 1), "load": (count, horizon),
    }  # fmt: skip
    found = [
        f"{name}: expected shape {shape}, got {np.shape(getattr(p, name))}"
        for name, shape in wanted.items()
        if np.shape(getattr(p, name)) != shape
    ]
    if len(p.groups) != len(p.spare):
        found.append(f"spare: expected {len(p.groups)} numbers, one a group, got {len(p.spare)}")
    if not count or not horizon:
        found.append(f"expected at least one job and one slot, got {count} and {horizon}")
    return found


def _ranges(p: Maintenance) -> list[str]:
    if _shapes(p):
        return []
    found = []
    for name in ("slots", "crew", "crews", "site", "cost", "failure_cost", "outage", "load"):
        least = 1 if name == "slots" else 0
        values = np.asarray(getattr(p, name), dtype=np.float64)
        wrong = np.argwhere(~(np.isfinite(values) & (values >= least)))
        if len(wrong):
            at = tuple(int(k) for k in wrong[0])
            found.append(f"{name}{list(at)}: expected a finite number of at least {least}, got {values[at]}")
    curve = np.asarray(p.fails_before, dtype=np.float64)
    if not (np.isfinite(curve).all() and curve.min() >= 0 and curve.max() <= 1 and (np.diff(curve, axis=1) >= 0).all()):
        found.append("fails_before: expected probabilities 0 … 1 that do not fall with time")
    if not (np.isfinite(p.travel) and p.travel >= 0):
        found.append(f"travel: expected a finite number of at least 0, got {p.travel}")
    if (np.diff(p.shift) < 0).any() or p.shift[0] != 0:
        found.append("shift: expected numbers that rise from 0 on")
    for g, members in enumerate(p.groups):
        if any(not 0 <= j < len(p.jobs) for j in members) or len(set(members)) != len(members) or p.spare[g] < 0:
            found.append(f"groups[{g}]: expected different jobs 0 … {len(p.jobs) - 1} and spare of at least 0")
    return found
