"""The what-if engine: situations a minute on germany50, and forking a twin of 10^5 entities.

- ``whatif/none|local/N threads``  situations a minute: all pairs of failing links (with --quick a part), plans kept
  or edges planning anew; rows equal for any number of threads, and a sample equal to the naive reference in
  ``tests/reference``, which is the peer of the first case. Target: 10 000 a minute with 2 threads.
- ``whatif/fork``  forking the cloud twin of germany50 with 10^5 devices after three epochs: seconds, target 5 ms.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from support import Case, main

CHECKED = 3  # situations against the reference: it takes a second each


@lru_cache
def belief() -> Any:
    """What the twins of germany50 would believe at the daily mean, planned for."""
    from tiertwin.allocate.leafsolver import leaf_solver
    from tiertwin.allocate.mastersolver import master_solver
    from tiertwin.orchestrate.forktree import planned
    from tiertwin.world import load, offered_tasks, resolve

    world = resolve(load("germany50"))
    mean = np.mean([offered_tasks(world, epoch) for epoch in range(world.epochs_per_day)], axis=0)
    return planned(world, mean.reshape(world.site_count, -1), leaf_solver("kernel"), master_solver("kernel"))


def pairs(count: int) -> list[list[tuple[int, int, int, float]]]:
    """Pairs of links that fail together, spread over all pairs."""
    every = list(combinations(range(belief().world.link_count), 2))
    chosen = every[:: max(len(every) // count, 1)][:count]
    return [[(0, a, 0, 0.0), (0, b, 0, 0.0)] for a, b in chosen]


def reference() -> Any:
    """The naive engine of the tests, on the same belief."""
    from importlib import import_module

    from tiertwin.orchestrate.belief import arrays_of

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    return import_module("reference.whatif").Reference(arrays_of(belief()))


def sweeps(rule: str, count: int) -> Iterator[Case]:
    from tiertwin.orchestrate.changes import Batch
    from tiertwin.orchestrate.fork import REPLANS

    engine, situations, code = belief().engine, pairs(count), REPLANS[rule]
    batch = Batch.of(situations).arrays()
    alone = engine.sweep(*batch, code, 1)

    def check(ours: Any, _: Any) -> None:
        assert np.array_equal(ours, alone), "another number of threads gave other bits"

    for threads in (1, 2):
        yield Case(
            f"whatif/{rule}/{threads} threads",
            lambda threads=threads: engine.sweep(*batch, code, threads),
            None,
            "target",
            check,
            "situations/min",
            60.0 * count,
            target=1e4,
        )


def against_reference() -> Iterator[Case]:
    from tiertwin.orchestrate.changes import Batch
    from tiertwin.orchestrate.fork import REPLANS

    naive, engine, situations = reference(), belief().engine, pairs(CHECKED)
    batch = Batch.of(situations).arrays()

    def check(ours: Any, theirs: Any) -> None:
        assert np.allclose(ours, theirs, rtol=1e-6, atol=1e-9), "not what the reference says"

    yield Case(
        "whatif/none/reference",
        lambda: engine.sweep(*batch, REPLANS["none"], 1),
        lambda: np.stack([naive.expect(rows, "none") for rows in situations]),
        "naive reference",
        check,
        "situations/min",
        60.0 * CHECKED,
        runs=5,
    )


def forking(devices: int) -> Iterator[Case]:
    import tiertwin as tt

    result = tt.run(tt.load("germany50", devices__count=devices), epochs=3, seed=7)
    twin = result.twin(result.world.twins[0].name)

    def check(fork: Any, _: Any) -> None:
        assert sum(len(edge.problem.demand) for edge in fork.belief.edges) == result.world.group_ghz.size
        assert fork.sweep([()], replan="none").kpis[0, 0] > 0

    yield Case(f"whatif/fork/{result.world.device_count}", twin.fork, None, "target", check, target=5e-3)


def cases(quick: bool) -> Iterator[Case]:
    yield from against_reference()
    for rule, count in (("none", 3828), ("local", 400 if quick else 3828)):
        yield from sweeps(rule, count)
    yield from forking(100_000)


if __name__ == "__main__":
    main(__doc__ or "", cases)
