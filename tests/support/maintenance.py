"""Maintenance problems drawn by seed."""

from __future__ import annotations

import numpy as np

from tiertwin.allocate.maintenance import Maintenance


def drawn(rng, jobs=4, horizon=6, tight=0.5):
    """A problem; with `tight` the chance that a job must be done, in a narrow window."""
    window = np.zeros((jobs, horizon), dtype=bool)
    for j in range(jobs):
        first = int(rng.integers(0, horizon))
        window[j, first : first + int(rng.integers(1, horizon + 1))] = True
    hazard = rng.uniform(0.0, 0.2, (jobs, horizon + 1))
    groups = (
        tuple(tuple(int(k) for k in rng.choice(jobs, 2, replace=False)) for _ in range(int(rng.integers(0, 3))))
        if jobs > 1
        else ()
    )
    return Maintenance(
        jobs=tuple(f"job {j}" for j in range(jobs)),
        slots=rng.integers(1, 3, jobs),
        window=window,
        must=rng.random(jobs) < tight,
        crew=rng.integers(1, 3, jobs),
        crews=rng.integers(1, 4, horizon),
        site=rng.integers(0, 2, jobs),
        shift=np.sort(np.concatenate([[0], rng.integers(0, 3, horizon - 1)])),
        travel=float(rng.uniform(0.0, 3.0)),
        cost=rng.uniform(0.0, 2.0, jobs),
        failure_cost=rng.uniform(0.0, 20.0, jobs),
        outage=rng.uniform(0.0, 1.0, jobs),
        fails_before=np.minimum(np.cumsum(hazard, axis=1), 1.0),
        load=rng.uniform(0.0, 2.0, (jobs, horizon)),
        groups=groups,
        spare=(1,) * len(groups),
    )
