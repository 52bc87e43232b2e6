"""PDLP of OR-tools as a peer, in a process of its own: its libraries and highspy's cannot be loaded together.

The clock runs in that process around the solve alone. minimise c.x subject to lower <= A x <= upper, x >= 0, x <= most.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse


def solve(
    objective: np.ndarray, matrix: Any, lower: np.ndarray, upper: np.ndarray, most: np.ndarray, tolerance: float = 1e-4
) -> tuple[np.ndarray, float, float]:
    """Return x, the seconds and the CPU seconds of the solve."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        rows = sparse.csc_matrix(matrix)
        np.savez(
            given, objective=objective, lower=lower, upper=upper, most=most, tolerance=tolerance,
            data=rows.data, indices=rows.indices, indptr=rows.indptr, shape=np.array(rows.shape),
        )  # fmt: skip
        subprocess.run([sys.executable, __file__, str(given), str(found)], check=True)
        with np.load(found) as answer:
            return answer["x"], float(answer["seconds"]), float(answer["cpu"])


def _child(given: str, found: str) -> None:
    from ortools.pdlp import solvers_pb2
    from ortools.pdlp.python import pdlp

    with np.load(given) as file:
        numbers = {name: file[name] for name in file.files}
    program = pdlp.QuadraticProgram()
    program.objective_vector = numbers["objective"]
    program.constraint_matrix = sparse.csc_matrix(
        (numbers["data"], numbers["indices"], numbers["indptr"]), shape=tuple(numbers["shape"])
    )
    program.constraint_lower_bounds, program.constraint_upper_bounds = numbers["lower"], numbers["upper"]
    program.variable_lower_bounds = np.zeros(numbers["most"].size)
    program.variable_upper_bounds = numbers["most"]
    settings = solvers_pb2.PrimalDualHybridGradientParams()
    simple = settings.termination_criteria.simple_optimality_criteria
    simple.eps_optimal_relative = simple.eps_optimal_absolute = float(numbers["tolerance"])
    start, spent = time.perf_counter(), time.process_time()
    x = np.asarray(pdlp.primal_dual_hybrid_gradient(program, settings).primal_solution)
    np.savez(found, x=x, seconds=time.perf_counter() - start, cpu=time.process_time() - spent)


if __name__ == "__main__":
    _child(sys.argv[1], sys.argv[2])
