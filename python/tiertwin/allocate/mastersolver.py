"""What solves master problems, by the name a scenario gives it (``policy.master_solver``).

kernel   C++ kernels, and cvxpy behind them for what fails their check: imported when that happens first, mostly never,
         or beforehand where nobody can wait for it
cvxpy    the reference alone
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tiertwin.allocate.masterkernel import KernelMasters
from tiertwin.errors import UnknownNameError, suggest

if TYPE_CHECKING:
    from tiertwin.allocate.master import Shape
    from tiertwin.allocate.messages import MasterAnswer, MasterRequest
    from tiertwin.allocate.nodeside import MasterSolver

MASTER_SOLVERS = ("kernel", "cvxpy")


def master_solver(choice: str, shapes: Iterable[Shape] = (), *, linear: bool = True) -> MasterSolver:
    """Return a fresh solver of master problems.

    Parameters
    ----------
    choice
        One of `MASTER_SOLVERS`.
    shapes
        Of requests (kind, N, J, O, K) that cvxpy, also behind kernels, compiles for beforehand; none: when they come.
    linear
        Whether for its linear form, too.

    Raises
    ------
    UnknownNameError
        `choice` is none of `MASTER_SOLVERS`.
    """
    if choice == "kernel":
        known = list(shapes)
        return KernelMasters(_cvxpy_masters(known, linear=linear) if known else _WhenNeeded())
    if choice == "cvxpy":
        return _cvxpy_masters(shapes, linear=linear)
    raise UnknownNameError(f"master solver: none is called {choice!r}{suggest(choice, MASTER_SOLVERS)}")


def _cvxpy_masters(shapes: Iterable[Shape] = (), *, linear: bool = True) -> MasterSolver:
    from tiertwin.allocate.master import Masters  # noqa: PLC0415  cvxpy takes seconds to import

    masters = Masters()
    for shape in shapes:
        masters.warm_up(shape, linear=linear)
    return masters


class _WhenNeeded:
    """The reference, made at the first request."""

    def __init__(self) -> None:
        self._masters: MasterSolver | None = None

    def solve(self, request: MasterRequest) -> MasterAnswer | None:
        if self._masters is None:
            self._masters = _cvxpy_masters()
        return self._masters.solve(request)
