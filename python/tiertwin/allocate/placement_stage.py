"""What a choice of candidates is worth: one linear problem a situation, solved by HiGHS and held against its prices.

Situations do not touch each other once it is known what is built, and a candidate touches few of them: what a situation
is worth with the candidates that matter to it is kept and not solved twice. HiGHS: Q. Huangfu, J. A. J. Hall, Math.
Programming Computation 10, 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from tiertwin.allocate.placement import NONE, PlacementProblem, as_flags, limits, there
from tiertwin.errors import SolveError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Served:
    """Flows of a choice: how much goes by each option, (O,); prices of resources, (R,), and of options, (O,)."""

    value: float
    flow: F64
    resource: F64
    option: F64


@dataclass(frozen=True, eq=False)
class _Part:
    """One situation: its options, resource rows and user rows, and which candidates matter to it."""

    options: I64
    rows: I64
    users: I64
    matrix: sparse.csr_matrix  # users, then resource rows, over options
    matter: I64


class Stage:
    """Evaluates choices; one owner. `solved` counts the linear problems."""

    def __init__(self, problem: PlacementProblem) -> None:
        self.problem = problem.checked()
        self.solved = self.asked = 0
        self._parts = [_part(problem, s) for s in range(len(problem.situations))]
        self._kept: list[dict[bytes, Served]] = [{} for _ in self._parts]

    def value(self, chosen: I64 | Flags) -> float:
        """Return what a choice is worth; whether it may be made is not looked at."""
        return self.serve(chosen).value

    def serve(self, chosen: I64 | Flags) -> Served:
        """Return the best flows of a choice, and prices that prove them; SolveError: HiGHS gave no answer."""
        problem, built = self.problem, as_flags(self.problem, chosen)
        self.asked += 1
        flow, option = np.zeros(len(problem.user)), np.zeros(len(problem.user))
        resource, value = np.zeros(len(problem.capacity)), 0.0
        for part, kept in zip(self._parts, self._kept, strict=True):
            key = np.packbits(built[part.matter]).tobytes()
            if key not in kept:
                kept[key] = self._solve(part, built)
                self.solved += 1
            found = kept[key]
            value += found.value
            flow[part.options], option[part.options], resource[part.rows] = found.flow, found.option, found.resource
        return Served(value, flow, resource, option)

    def _solve(self, part: _Part, built: Flags) -> Served:
        problem = self.problem
        gain, needs = problem.worth_of_option[part.options], problem.needs[part.options]
        scale = float(gain.max(initial=0.0))
        if not len(gain) or scale <= 0.0:
            nothing = np.zeros(len(gain))
            return Served(0.0, nothing, np.zeros(len(part.rows)), nothing)
        own = np.isin(problem.add_row, part.rows) & built[problem.add_candidate]
        room = problem.capacity.copy()
        np.add.at(room, problem.add_row[own], problem.add[own])
        demand = problem.demand[problem.user[part.options]]
        most = np.where(there(needs, built), demand, 0.0)
        right = np.concatenate([problem.demand[part.users], room[part.rows]])
        found = linprog(
            -gain / scale, part.matrix, right, bounds=np.stack([np.zeros(len(most)), most], axis=1), method="highs"
        )
        if found.x is None or found.status != 0:
            raise SolveError(
                f"serving a situation: expected an optimum of a bounded problem, HiGHS says {found.message}"
            )
        rows = np.maximum(-found.ineqlin.marginals, 0.0)[len(part.users) :] * scale
        flow = np.clip(found.x, 0.0, most)
        return Served(float(gain @ flow), flow, rows, self._option_prices(part, rows, gain, built))

    def _option_prices(self, part: _Part, rows: F64, gain: F64, built: Flags) -> F64:
        """Return prices of the options that are not there: what they are worth beyond the best that is."""
        problem = self.problem
        paid = (rows @ part.matrix[len(part.users) :]).astype(np.float64)
        left, needs = gain - paid, problem.needs[part.options]
        best = np.zeros(len(problem.demand))
        free = there(needs, built)
        np.maximum.at(best, problem.user[part.options[free]], left[free])
        found: F64 = np.where(free, 0.0, np.maximum(left - best[problem.user[part.options]], 0.0))
        return found


def growth(problem: PlacementProblem, chosen: I64 | Flags, situation: int) -> float:
    """Return the largest factor on everybody's demand in a situation with which all are served in time, with `chosen`.

    Users whom nothing serves in time are left out; inf where nobody is left, or nothing limits them.
    """
    built, part = as_flags(problem, chosen), _part(problem, situation)
    needs = problem.needs[part.options]
    usable = problem.in_time[part.options] & there(needs, built)
    options = part.options[usable]
    users, of_user = np.unique(problem.user[options], return_inverse=True)
    asked = problem.demand[users]
    if not len(users) or not asked.any():
        return float("inf")
    count = len(options)
    each = sparse.csr_matrix((np.ones(count), (of_user.reshape(-1), np.arange(count))), shape=(len(users), count))
    same = sparse.hstack([each, sparse.csr_matrix(-asked[:, None])], "csr")
    rows = sparse.hstack([part.matrix[len(part.users) :][:, usable], sparse.csr_matrix((len(part.rows), 1))], "csr")
    aim = np.zeros(count + 1)
    aim[-1] = -1.0
    room = limits(problem, built)[part.rows]
    found = linprog(aim, rows, room, same, np.zeros(len(users)), bounds=(0.0, None), method="highs")
    return float("inf") if found.x is None else float(found.x[-1])


def _part(problem: PlacementProblem, situation: int) -> _Part:
    users = np.flatnonzero(problem.situation == situation)
    options = np.flatnonzero(np.isin(problem.user, users))
    entries = np.flatnonzero(np.isin(problem.use_option, options))
    rows = np.unique(problem.use_row[entries])
    place = np.zeros(len(problem.user), dtype=np.int64)
    place[options] = np.arange(len(options))
    of_user = np.searchsorted(users, problem.user[options])
    of_row = len(users) + np.searchsorted(rows, problem.use_row[entries])
    matrix = sparse.csr_matrix(
        (
            np.concatenate([np.ones(len(options)), problem.use[entries]]),
            (
                np.concatenate([of_user, of_row]),
                np.concatenate([np.arange(len(options)), place[problem.use_option[entries]]]),
            ),
        ),
        shape=(len(users) + len(rows), len(options)),
    )
    needed = problem.needs[options]
    adds = problem.add_candidate[np.isin(problem.add_row, rows)]
    matter = np.unique(np.concatenate([needed[needed != NONE], adds]))
    return _Part(options, rows, users, matrix, matter)
