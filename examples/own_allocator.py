"""Bring your own solver of a site: a price method in thirty lines, put through the conformance suite, then in force.

A package makes it known by the entry-point group ``tiertwin.allocators`` and is checked by
``pytest --tiertwin-allocator mypackage:PriceMethod``; in a script, register the class itself.
"""

import numpy as np

import tiertwin as tt
from tiertwin.allocate import kernel, registry
from tiertwin.allocate.families import conformance
from tiertwin.allocate.leaf import LOAD_LIMIT, Array, LeafAnswer, LeafProblem


class PriceMethod:
    """Every group takes its cheapest tier; what is overfilled becomes dearer; the plan is the mean of the turns."""

    name, accuracy = "price-method", 0.05  # the certified gap it promises on benign problems

    def warm_up(self, shape: tuple[int, int, int, int]) -> None:
        """Nothing to compile."""

    def allocate(
        self, problem: LeafProblem, *, quota: Array | None = None, price: Array | None = None, iteration_limit: int = 80
    ) -> LeafAnswer:
        kernel.one_query(quota, price)
        own, groups = problem.own_resources, np.arange(problem.groups)
        use = np.concatenate([problem.use_own, problem.use_quota])  # [resources, groups, tiers]
        full = np.concatenate([problem.capacity, problem.quota_max if quota is None else quota])
        most = full * np.where(np.arange(full.size) < own, LOAD_LIMIT, 1.0)
        kappa = np.concatenate([problem.kappa, np.zeros(problem.quotas)])
        paid = np.where(full > 0, 1.0, 1e6)  # what there is nothing of is out of reach
        paid[own:] = paid[own:] if price is None else price
        mean, plan = paid.copy(), np.zeros(problem.cost.shape)
        for turn in range(2 * iteration_limit):
            dear = problem.cost + np.tensordot(paid, use, 1)
            tier = dear.argmin(axis=1)
            worth_it = problem.weight / np.maximum(dear[groups, tier], 1e-9)
            x = np.zeros(plan.shape)  # tasks/s: the service at which the last task is worth what it costs
            x[groups, tier] = problem.demand * np.minimum(1.0, worth_it) ** (1 / np.maximum(problem.alpha, 1e-3))
            wanted = np.clip(full - np.sqrt(kappa * full / np.maximum(paid, 1e-9)), 0.0, most)  # load worth its delay
            over = np.clip((np.tensordot(use, x, 2) - wanted) / np.maximum(full, 1e-9), -1.0, 1.0)
            paid = np.clip(paid, 1e-6, 1e6) * np.exp(over / np.sqrt(1 + turn))
            paid[own:] = paid[own:] if price is None else price
            plan, mean = plan + (x - plan) * 3 / (turn + 3), mean + (paid - mean) * 3 / (turn + 3)
        x = kernel.repair(problem, plan, quota)
        worth = kernel.worth(problem, x)
        phi, _ = kernel.cut(problem, mean[own:], mean[:own])  # a bound at any prices
        return LeafAnswer(x, worth.value, worth.scale, worth.use, worth.own_load, mean[:own], mean[own:], phi)


for check in conformance.checks("leaf"):
    check(PriceMethod())
    print(f"{check.name:12} holds")
registry.register("price-method", PriceMethod)
for solver in ("kernel", "price-method"):
    told = tt.run(tt.load("metro", policy__leaf_solver=solver), epochs=4, seed=7, policies=["hierarchical"]).to_json()
    misses, gap = (told["policies"]["hierarchical"][k] for k in ("deadline_miss_ratio", "certified_gap_median"))
    print(f"{solver:12} misses about {10 * round(10 * misses)} %, certified to 1 %: {gap < 0.01}")
