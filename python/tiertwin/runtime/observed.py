"""What is seen of twins at the end of an epoch, as data: the same whether they live in this process or in many.

``observe(twins)`` reads the twins it is given and nothing else; observations of several processes are merged by
:meth:`Observation.merge`. Meters, the store and the monolithic reference work on these, never on twins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.leaf import LeafProblem
from tiertwin.orchestrate.gateway import GatewayController
from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from tiertwin.orchestrate.alone import AloneController
    from tiertwin.orchestrate.edge import EdgeController
    from tiertwin.orchestrate.inner import InnerController
    from tiertwin.twin.twin import Twin

    F64 = npt.NDArray[np.float64]
    I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class EdgeObserved:
    """An edge twin: what it believed, what it decided on that, what it counted so far.

    Parameters
    ----------
    demand, sampled
        ``[G]`` tasks/s believed, and newest sample of each group, ns on the twin's clock.
    times
        ``[N]`` time of the newest task rate of each device, ns; 0: none yet.
    problem, x
        Problem of this epoch's data version and the rates ``[G, T]`` in force; None before the first decision.
    """

    name: str
    demand: F64
    sampled: I64
    times: I64
    problem: LeafProblem | None
    x: F64 | None
    steps: dict[int, int]
    local_epochs: int = 0
    under_tree: bool = True


@dataclass(frozen=True, slots=True)
class RoundObserved:
    """One round of the root's certificate, utils/s."""

    round: int
    lb: float
    ub: float
    scale: float
    v0: float
    gap: float
    gap_of_improvement: float
    stale: int


@dataclass(frozen=True, eq=False, slots=True)
class InnerObserved:
    """A fog or cloud twin.

    Parameters
    ----------
    rounds
        This epoch's rounds, at the root.
    quota_compute
        ``[children]`` GHz granted to each child by the newest certificate, at the root.
    """

    name: str
    children: list[str]
    uplink: float
    demand_by_class: F64
    rounds: list[RoundObserved]
    quota_compute: F64 | None
    steps: dict[int, int]
    local_epochs: int


@dataclass(eq=False, slots=True)
class Observation:
    """Everything seen of some twins at the end of an epoch.

    Parameters
    ----------
    now
        Time on the twins' clock, ns.
    traffic_up, traffic_down
        Bytes between neighbouring tiers so far, by tier of the lower end.
    cpu_s
        CPU time spent on twins so far.
    """

    epoch: int
    now: int
    edges: dict[str, EdgeObserved] = field(default_factory=dict)
    inners: dict[str, InnerObserved] = field(default_factory=dict)
    gateway_local_epochs: int = 0
    traffic_up: dict[int, int] = field(default_factory=dict)
    traffic_down: dict[int, int] = field(default_factory=dict)
    cpu_s: float = 0.0

    def merge(self, other: Observation) -> None:
        """Add what another process saw."""
        self.edges |= other.edges
        self.inners |= other.inners
        self.gateway_local_epochs += other.gateway_local_epochs
        for mine, theirs in ((self.traffic_up, other.traffic_up), (self.traffic_down, other.traffic_down)):
            for tier, count in theirs.items():
                mine[tier] = mine.get(tier, 0) + count
        self.cpu_s += other.cpu_s

    def plans(self) -> dict[str, F64]:
        """Rates [G, T] that each edge has put in force."""
        return {name: edge.x for name, edge in self.edges.items() if edge.x is not None}

    def steps(self) -> dict[int, int]:
        """How often each step of the solver ladder gave the answer, so far."""
        total: dict[int, int] = {}
        for steps in [e.steps for e in self.edges.values()] + [i.steps for i in self.inners.values()]:
            for step, count in steps.items():
                total[step] = total.get(step, 0) + count
        return total

    def local_epochs(self) -> int:
        """Epochs that twins spent on their local policy, so far."""
        inner = sum(seen.local_epochs for seen in self.inners.values())
        return inner + self.gateway_local_epochs + sum(seen.local_epochs for seen in self.edges.values())


def observe(twins: Iterable[Twin], epoch: int, now: int) -> Observation:
    """Look at `twins` at the end of `epoch`."""
    seen = Observation(epoch, now)
    for twin in twins:
        controller: Any = twin.controller
        if hasattr(controller, "view"):  # by what they show: a process of gateways has not loaded the classes of edges
            seen.edges[twin.name] = _edge(twin, controller)
        elif hasattr(controller, "domain"):
            seen.inners[twin.name] = _inner(twin, controller, epoch)
        elif isinstance(controller, GatewayController):
            seen.gateway_local_epochs += controller.local_epochs
    return seen


def _edge(twin: Twin, controller: EdgeController | AloneController) -> EdgeObserved:
    view = controller.view
    table = twin.children[0].table_in
    assert table is not None
    return EdgeObserved(
        name=twin.name,
        demand=view.demand,
        sampled=view.sampled,
        times=table.times(A.TASK_RATE)[: len(view.told_of)],
        problem=controller.problem,
        x=None if controller.plan is None else controller.plan.x,
        steps=dict(controller.tally.steps),
        local_epochs=controller.tally.local_epochs,
        under_tree=controller.under_tree,
    )


def _inner(twin: Twin, controller: InnerController, epoch: int) -> InnerObserved:
    bounds = controller.last_bounds
    return InnerObserved(
        name=twin.name,
        children=list(controller.domain.children),
        uplink=controller.uplink_used,
        demand_by_class=controller.demand_by_class(twin),
        rounds=[
            RoundObserved(
                r.round,
                r.bounds.lb,
                r.bounds.ub,
                r.bounds.scale,
                r.bounds.v0,
                r.bounds.gap,
                r.bounds.gap_of_improvement,
                r.bounds.stale,
            )
            for r in controller.rounds
            if r.epoch == epoch
        ],
        quota_compute=None if bounds is None else np.ascontiguousarray(bounds.plan[:, 0]),
        steps=dict(controller.steps),
        local_epochs=controller.local_epochs,
    )
