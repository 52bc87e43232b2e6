"""One problem stated and solved with the package dede: run by ../dede.py with a Python that has it, never imported.

    python dede_form.py GIVEN.npz FOUND.npz

In a folder of its own, since ../dede.py would be found instead of the package, by the workers, too.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import time
from typing import Any

import numpy as np


def main(given: str, found: str) -> None:
    """State and solve one problem with DeDe; its loads, seconds to state and seconds to solve go to a file."""
    dd: Any = importlib.import_module("dede")

    with np.load(given) as file:
        data = {name: file[name] for name in file.files}
    group, resource = data["pair_group"], data["pair_resource"]
    start = time.perf_counter()
    load = dd.Variable(group.size, nonneg=True)
    rate = dd.Variable(data["option_group"].size, nonneg=True)
    of_resource = [np.flatnonzero(resource == r) for r in range(data["capacity"].size)]
    resources = [load[own].sum() <= data["capacity"][r] for r, own in enumerate(of_resource) if own.size]
    demands: list[Any] = []
    gain: Any = 0
    for g in range(int(data["groups"])):
        own, ways = np.flatnonzero(group == g), np.flatnonzero(data["option_group"] == g)
        users, place = np.unique(data["option_user"][ways], return_inverse=True)
        uses = np.zeros((own.size, ways.size))
        entries = np.isin(data["entry_option"], ways)
        row = {int(r): i for i, r in enumerate(resource[own])}
        column = {int(k): i for i, k in enumerate(ways)}
        for k, r, use in zip(
            data["entry_option"][entries], data["entry_resource"][entries], data["entry_use"][entries], strict=True
        ):
            uses[row[int(r)], column[int(k)]] = use
        sums = np.zeros((users.size, ways.size))
        sums[place, np.arange(ways.size)] = 1.0
        served = sums @ rate[ways]
        demands += [uses @ rate[ways] == load[own], served <= data["demand"][users]]
        worth = dd.log(served) if data["fair"] else served
        gain = gain + (data["weight"][users] @ worth if users.size > 1 else data["weight"][users][0] * worth[0])
    problem = dd.Problem(dd.Maximize(gain), resources, demands)
    stated = time.perf_counter()
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        problem.solve(num_cpus=os.cpu_count(), solver=dd.CLARABEL, rho=float(data["rho"]))
    solved = time.perf_counter()
    values = np.zeros(group.size)
    ray: Any = importlib.import_module("ray")

    places = [
        i for part in ray.get([p.get_solution_idx_d.remote() for p in problem._subprob_cache.probs]) for i in part
    ]
    for (variable, at), value in zip(places, problem.sol_d, strict=True):
        if variable == load.id:
            values[at] = value
    rounds = [float(line.split()[3].rstrip(",")) for line in told.getvalue().splitlines() if line.startswith("iter")]
    np.savez(found, load=values, stated=stated - start, seconds=solved - stated, rounds=np.array(rounds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
