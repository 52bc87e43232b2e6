"""What mypy must refuse: each line that says so, with that error code. Read by test_snippets.py, never run."""

from __future__ import annotations

import numpy as np

import tiertwin
from tiertwin import _core
from tiertwin.orchestrate.policies import Policy, SiteInputs, register
from tiertwin.world import Worlds  # noqa: F401  # rejected: attr-defined


class Nameless:
    def plan(self, site: SiteInputs) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.zeros(site.problem.groups)


class Percent:
    name = "percent"

    def plan(self, site: SiteInputs) -> list[float]:
        return [100.0] * site.problem.tiers


policy: Policy = Nameless()  # rejected: assignment
register(Percent())  # rejected: arg-type

table: dict[str, float] = tiertwin.run("metro")  # rejected: assignment
tiertwin.run("metro", epochs="six")  # rejected: arg-type
tiertwin.run("metro", epoch=6)  # rejected: call-arg
tiertwin.rum("metro")  # rejected: attr-defined
print(tiertwin.run("metro").log_hsah)  # rejected: attr-defined

graph = _core.Graph(2, np.zeros(1), np.zeros(1), np.ones(1))  # rejected: arg-type
graph.node_count = 3  # rejected: misc
graph.shortest_paths()  # rejected: call-arg
_core.decode_header("text")  # rejected: arg-type
_core.waterfall()  # rejected: attr-defined
