"""Spectrum with association and shares through cvxpy, by the reference of `fair.py`; powers by our own kernel.

Powers are not written in cvxpy: log log(1 + e^t) is concave, but not by its rules. Their reference is a plain search in
the tests. Cells that a user hardly hears are left out, since conic solvers fail over so many decades: without limits of
demand and backhaul, the only problems this takes, nobody goes there.
"""

from __future__ import annotations

from tiertwin.allocate.families.fair_cvxpy import FairCvxpy
from tiertwin.allocate.families.spectrum_kernel import SpectrumKernel


class SpectrumCvxpy(SpectrumKernel):
    """The alternation with its convex problems of association and shares solved by cvxpy."""

    name = "cvxpy"
    faint = 1e-4

    def __init__(self, solver: str = "CLARABEL") -> None:
        super().__init__(FairCvxpy(solver))
