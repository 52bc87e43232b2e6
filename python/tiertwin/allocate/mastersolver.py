"""What solves master problems, by name: ``cvxpy``, the reference, or ``kernel``, C++ kernels with cvxpy behind them.

cvxpy is imported when it is needed: with ``kernel`` mostly never.
"""

from __future__ import annotations

from tiertwin.allocate.masterkernel import KernelMasters
from tiertwin.allocate.messages import MasterAnswer, MasterRequest
from tiertwin.allocate.nodeside import MasterSolver
from tiertwin.errors import UnknownNameError, suggest

MASTER_SOLVERS = ("cvxpy", "kernel")


def master_solver(choice: str) -> MasterSolver:
    """Return a fresh solver of master problems.

    Raises
    ------
    UnknownNameError
        `choice` is none of `MASTER_SOLVERS`.
    """
    if choice == "kernel":
        return KernelMasters(_WhenNeeded())
    if choice == "cvxpy":
        return _cvxpy_masters()
    raise UnknownNameError(f"master solver: none is called {choice!r}{suggest(choice, MASTER_SOLVERS)}")


def _cvxpy_masters() -> MasterSolver:
    from tiertwin.allocate.master import Masters  # noqa: PLC0415  cvxpy takes seconds to import

    return Masters()


class _WhenNeeded:
    """The reference, made at the first request."""

    def __init__(self) -> None:
        self._masters: MasterSolver | None = None

    def solve(self, request: MasterRequest) -> MasterAnswer | None:
        if self._masters is None:
            self._masters = _cvxpy_masters()
        return self._masters.solve(request)
