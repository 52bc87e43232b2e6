"""DeDe (`dede` on PyPI: decouple and decompose, Xu and others, OSDI 2025) beside the kernels, on what both can state.

    TIERTWIN_DEDE=/path/to/python-with-dede python benchmarks/dede.py [--quick]

`flow`: most traffic over at most 4 paths a pair (germany50 and smaller networks of SNDlib); `lp` and `pf`: offloading,
weighted throughput and proportionally fair. DeDe gets each as its examples do: a variable for the load every demand
group puts on every resource, limits of resources on one side, and on the other the groups (for flows all demands of one
source, else one user), which tie these loads to rates of options; rates in units of the mean demand, Clarabel
(its examples take Gurobi; ECOS fails on some), its own rule to stop, all cores, and the best of three rho, found at the
smallest size. It runs in a process of its own (it pins
numpy 1.26 and cvxpy 1.4, and wants scipy < 1.13); sizes grow until it takes more than 300 s. Its loads are turned into
rates by least squares, made feasible and judged by our checker against our bound: the true gap is part of the peer's
name. Ours is certified to 1e-3.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import topologies
from scipy import optimize, sparse

from support import Case, main
from tiertwin.allocate.families import fair, routing
from tiertwin.allocate.families.fair import FairAnswer, FairKernel, FairProblem
from tiertwin.allocate.families.samples import compute_offload, routing_over_paths

FORM = Path(__file__).parent / "peers" / "dede_form.py"
SECONDS = 300.0
RHOS = (0.01, 0.1, 1.0)  # those of its examples for these objectives, and its default
NETWORKS = ("sndlib/abilene", "sndlib/polska", "sndlib/nobel-germany", "germany50")
PAIRS = (64, 250, 1_000, 4_000, 16_000, 50_000)


def statement(problem: FairProblem, group_of_user: np.ndarray, rho: float) -> dict[str, Any]:
    """The arrays the child states the problem from."""
    options = problem.options
    option = np.repeat(np.arange(options.count), np.diff(options.option_offsets))
    group = group_of_user[options.user_of]
    key = group[option] * options.resources + options.resource
    pairs, unit = np.unique(key), float(problem.demand.mean())
    return {
        "pair_group": pairs // options.resources,
        "pair_resource": pairs % options.resources,
        "option_group": group,
        "option_user": options.user_of,
        "entry_option": option,
        "entry_resource": options.resource,
        "entry_use": options.use,
        "demand": problem.demand / unit,
        "weight": problem.weight,
        "capacity": problem.capacity / unit,
        "unit": unit,
        "groups": int(group_of_user.max()) + 1,
        "fair": bool(problem.alpha[0] == 1.0),
        "rho": rho,
    }


def rates(problem: FairProblem, data: dict[str, Any], load: np.ndarray) -> np.ndarray:
    """Rates of options whose loads are the nearest to DeDe's, group by group."""
    x = np.zeros(problem.options.count)
    uses = sparse.csc_array(problem.options.uses)
    for g in range(data["groups"]):
        ways, own = np.flatnonzero(data["option_group"] == g), np.flatnonzero(data["pair_group"] == g)
        matrix = uses[:, ways].toarray()[data["pair_resource"][own]]
        x[ways] = optimize.nnls(matrix, np.maximum(load[own], 0.0))[0]
    return x


@dataclass(frozen=True)
class Told:
    """DeDe's plan made feasible, seconds of its solve, of its iterations alone and of stating the problem; true gap."""

    seconds: float
    rounds: np.ndarray
    stated: float
    gap: float


def run(problem: FairProblem, group_of_user: np.ndarray, rho: float, bound: float, python: str) -> Told | None:
    """Have DeDe solve; None if it took too long."""
    data = statement(problem, group_of_user, rho)
    with tempfile.TemporaryDirectory() as folder:
        given, found, log = (Path(folder) / name for name in ("given.npz", "found.npz", "log"))
        np.savez(given, **data)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        with log.open("w") as out:
            try:
                subprocess.run(
                    [python, str(FORM), str(given), str(found)],
                    check=True, timeout=SECONDS, stdout=out, stderr=out, env=environment,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                return None
            except subprocess.CalledProcessError:
                sys.exit("dede failed:\n" + log.read_text()[-2000:])
        with np.load(found) as answer:
            plan = fair.fit(problem, rates(problem, data, data["unit"] * answer["load"]))
            judged = fair.worth(problem, plan)
            assert judged.violation <= 1e-6
            gap = (bound - judged.value) / judged.scale
            return Told(float(answer["seconds"]), answer["rounds"], float(answer["stated"]), gap)


def contest(title: str, problem: FairProblem, group_of_user: np.ndarray, rhos: list[float], python: str) -> Case | None:
    """One problem by both; None when DeDe did not answer in time. `rhos` is cut down to the best of them."""
    kernel = FairKernel()
    bound = kernel.allocate(problem, tolerance=1e-5).bound
    tried = {}
    for rho in rhos:
        told = run(problem, group_of_user, rho, bound, python)
        if told is None:
            print(f"  {title}: dede, rho {rho:g}, did not answer within {SECONDS:.0f} s", file=sys.stderr)
            continue
        print(
            f"  {title}: dede, rho {rho:g}: {told.seconds:.4g} s, of which {told.rounds.sum():.4g} s in "
            f"{told.rounds.size} iterations, after {told.stated:.4g} s to state it; true gap {told.gap:.2g}",
            file=sys.stderr,
        )
        tried[rho] = told
    if not tried:
        return None
    rhos[:] = [min(tried, key=lambda rho: tried[rho].gap)]
    best = tried[rhos[0]]

    def check(mine: FairAnswer, _: Any) -> None:
        assert fair.worth(problem, mine.x).violation <= 1e-6
        assert mine.gap <= 1e-3

    name = f"dede (1 run, gap {best.gap:.2g})"
    return Case(title, lambda: kernel.allocate(problem), None, name, check, target=best.seconds)


def flow(name: str) -> tuple[FairProblem, np.ndarray]:
    """All pairs of a network, four times the demands its links were dimensioned for, and the source of each."""
    tail, head, km, _ = topologies.topology(name)
    nodes = int(max(tail.max(), head.max())) + 1
    demand = topologies.gravity(nodes)
    problem = routing_over_paths(tail, head, km, demand)
    source = np.nonzero(demand)[0]
    return routing.flow_problem(problem.options, 4.0 * problem.demand, problem.capacity), source


def problems(kind: str, quick: bool) -> Iterator[tuple[str, FairProblem, np.ndarray]]:
    """Problems of a kind, growing: title, problem, demand group of each user."""
    few = 2 if quick else None
    if kind == "flow":
        for name in NETWORKS[:few]:
            problem, source = flow(name)
            yield f"dede/flow-{name.split('/')[-1]}/{problem.options.count}", problem, source
        return
    for pairs in PAIRS[:few]:
        problem = compute_offload(pairs, alpha=1.0 if kind == "pf" else 0.0)
        yield f"dede/{kind}/{pairs}", problem, np.arange(problem.options.users)


def cases(quick: bool, python: str) -> Iterator[Case]:
    """Growing sizes of each kind, to the first DeDe does not answer in time."""
    for kind in ("flow", "lp", "pf"):
        rhos = list(RHOS)  # all are tried at the smallest size, the best goes on
        for title, problem, groups in problems(kind, quick):
            done = contest(title, problem, groups, rhos, python)
            if done is None:
                break
            yield done


if __name__ == "__main__":
    chosen = os.environ.get("TIERTWIN_DEDE", sys.executable)
    if subprocess.run([chosen, "-c", "import dede"], capture_output=True, env={"PATH": os.environ["PATH"]}).returncode:
        print(
            "dede is not installed here: make an environment with `pip install dede==0.1.6 'scipy<1.13'` and name its "
            "python in TIERTWIN_DEDE; no case is run",
            file=sys.stderr,
        )
        sys.exit()
    main(__doc__, lambda quick: cases(quick, chosen))
