"""What the families written in cvxpy share: forms compiled once a structure, and the frame round a solve.

A form is one cvxpy problem for a structure, with Parameters for the numbers that change (DPP); above `PARAMETER_LIMIT`
of them with constants, since cvxpy's compilation grows with the number of parameters.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

import cvxpy
import numpy as np

from tiertwin.allocate.families.options import Options
from tiertwin.errors import SolveError

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow

PARAMETER_LIMIT = 3000
TIGHT = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}  # of Clarabel: a reference solves to the end

P_contra = TypeVar("P_contra", contravariant=True)  # a problem
A_co = TypeVar("A_co", covariant=True)  # its answer


class Form(Protocol[P_contra, A_co]):
    """A compiled problem of a structure."""

    def fits(self, problem: P_contra) -> bool:
        """Whether numbers of this problem can be put into the compiled one."""

    def put(self, problem: P_contra) -> None:
        """Set the numbers."""

    def solve(self, problem: P_contra, solver: str, settings: dict[str, Any]) -> A_co:
        """Solve what was put in and turn back to the units of the problem."""


class Forms(Generic[P_contra, A_co]):
    """The forms of an allocator, the newest of each structure, and how they are solved.

    Parameters
    ----------
    pose
        Makes the form of a problem.
    solver, settings
        A solver of cvxpy, and what is passed to it; None: `TIGHT` for Clarabel, nothing for others.
    """

    def __init__(
        self, pose: Callable[[P_contra], Form[P_contra, A_co]], solver: str, settings: dict[str, Any] | None
    ) -> None:
        self._pose, self._solver = pose, solver
        self._settings = (TIGHT if solver == "CLARABEL" else {}) if settings is None else settings
        self._forms: WeakKeyDictionary[Options, Form[P_contra, A_co]] = WeakKeyDictionary()

    def solve(self, options: Options, problem: P_contra, *, iteration_limit: int | None = None) -> A_co:
        """Solve by the form of this structure, compiled where none fits; Clarabel alone is told a limit, if any.

        Raises
        ------
        SolveError
            The solver gave no numbers.
        """
        form = self._forms.get(options)
        if form is None or not form.fits(problem):
            form = self._forms[options] = self._pose(problem)
        form.put(problem)
        told = self._solver == "CLARABEL" and iteration_limit is not None
        limit = {"max_iter": iteration_limit} if told else {}
        return form.solve(problem, self._solver, {**limit, **self._settings})


def solve(posed: Any, plan: Any, solver: str, settings: dict[str, Any], *, dpp: bool, what: str) -> int:
    """Solve a cvxpy problem whose plan is the variable `plan`; return the solver's iterations.

    Parameters
    ----------
    posed, plan
        The problem; the variable that must have finite numbers afterwards.
    solver, settings
        As cvxpy takes them.
    dpp
        Whether the problem has Parameters, and so must follow the rules that keep it compiled.
    what
        The problem in a word or two, for messages.

    Raises
    ------
    SolveError
        The solver gave up or gave no numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "may be inaccurate": the checker decides, not a status
        try:
            posed.solve(solver=solver, warm_start=False, enforce_dpp=dpp, **settings)
        except (cp.error.SolverError, ValueError) as error:
            raise SolveError(f"{what} in cvxpy: {solver} gave up: {error}") from error
    if plan.value is None or not np.all(np.isfinite(plan.value)):
        raise SolveError(f"{what} in cvxpy: no numbers from {solver}, status {posed.status!r}")
    stats = posed.solver_stats
    return int(stats.num_iters or 0) if stats is not None else 0


def utility(served: Any, exponent: float) -> Any:
    """U(y; α) of `fair.py` without its constant −1/(1 − α), as cvxpy writes it."""
    if exponent == 1.0:
        return cp.log(served)
    if exponent == 0.0:
        return served
    return cp.power(served, 1.0 - exponent) / (1.0 - exponent)
