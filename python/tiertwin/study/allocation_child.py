"""Child process of the study of allocation at scale: one instance, one solver. JSON in, JSON out."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from tiertwin.allocate.families.fair import FairAnswer, FairKernel, FairProblem, worth
from tiertwin.allocate.families.samples import compute_offload

KERNEL = "kernel"
ALPHA = {"pf": 1.0, "lp": 0.0}


def main() -> None:
    """Read the instance from standard input, solve it, print what came out."""
    wanted = json.load(sys.stdin)
    problem = compute_offload(wanted["pairs"], wanted["seed"], alpha=ALPHA[wanted["family"]])
    found, seconds, cpu = solved(problem, wanted["solver"], wanted["tolerance"])
    answer = {
        "seconds": seconds,
        "cpu_s": cpu,
        "peak_mb": peak_mb(),
        "value": found.value,
        "scale": found.scale,
        "bound": found.bound,
        "gap": found.gap,
        "steps": found.iterations,
        "violation": worth(problem, found.x).violation,
    }
    sys.stdout.write(json.dumps(answer) + "\n")


def peak_mb() -> float:
    """Largest memory of this program; `ru_maxrss` would count that of its parent, too, from before the exec."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def solved(problem: FairProblem, solver: str, tolerance: float) -> tuple[FairAnswer, float, float]:
    """Return the answer, its seconds and CPU seconds: what can be compiled beforehand is."""
    run: Any
    if solver == KERNEL:
        kernel = FairKernel()
        kernel.allocate(problem, iteration_limit=0)  # compiles the structure
        run = lambda: kernel.allocate(problem, tolerance=tolerance)  # noqa: E731
    else:
        from tiertwin.allocate.families.fair_cvxpy import FairForm  # noqa: PLC0415  cvxpy takes a second to import

        form = FairForm(problem, constant=True)
        form.put(problem)
        settings = {"tol_gap_abs": 1e-4, "tol_gap_rel": 1e-4, "tol_feas": 1e-5} if solver == "CLARABEL" else {}
        run = lambda: form.solve(problem, solver, settings)  # noqa: E731
    began, spent = time.perf_counter(), time.process_time()
    found = run()
    return found, time.perf_counter() - began, time.process_time() - spent


if __name__ == "__main__":
    main()
