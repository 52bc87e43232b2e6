"""Bring your own allocator: any object with a name and plan(site). Here: half to the edge, half to the devices.

A package makes it known by the entry-point group ``tiertwin.policies``; in a script, register the object itself.
"""

import numpy as np

import tiertwin as tt
from tiertwin.orchestrate.policies import SiteInputs, register


class HalfAndHalf:
    """Serve half of every group at the edge as far as it fits, the rest on the devices."""

    name = "half-and-half"

    def plan(self, site: SiteInputs) -> np.ndarray:
        problem = site.problem
        x = np.zeros((problem.groups, problem.tiers))  # tasks/s of each group at device, edge, fog, cloud
        load = problem.use_own[:, :, 1] @ (0.5 * problem.demand)
        fits = min(1.0, float(np.min(0.95 * problem.capacity / np.maximum(load, 1e-9))))
        x[:, 1] = 0.5 * fits * problem.demand
        x[:, 0] = problem.demand - x[:, 1]
        return x


register(HalfAndHalf())
result = tt.run("metro", epochs=6, seed=7, policies=["hierarchical", "half-and-half"])
for name, kpis in result.to_json()["policies"].items():
    print(f"{name:14} misses {100 * kpis['deadline_miss_ratio']:4.0f} %")
