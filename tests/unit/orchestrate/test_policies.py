"""The simple policies stay within the site and their share; names are found or suggested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.inprocess import world_of
from tiertwin.allocate.bounds import leaf_worth
from tiertwin.allocate.leaf import LeafProblem
from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.errors import UnknownNameError
from tiertwin.orchestrate.alone import fixed_shares
from tiertwin.orchestrate.policies import BUILT_IN, SiteInputs, find_policy, policy_names, register
from tiertwin.world import leaf_problem_arrays

LOADS = (0.3, 1.0, 1.8)


def inputs(site: int, load: float) -> SiteInputs:
    world = world_of("germany50")
    rings = len(world.ring_rate_mbps)
    nominal = world.group_devices[site].reshape(-1) * np.repeat(world.tasks_per_s, rings)
    problem = LeafProblem(**leaf_problem_arrays(world, site, nominal))
    share = np.ascontiguousarray(fixed_shares(world)[site])
    return SiteInputs(replace(problem, demand=load * problem.demand), problem, share, leaf_solver("kernel"))


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("name", BUILT_IN)
def test_a_plan_serves_no_more_than_is_asked_and_keeps_its_share(name: str, load: float) -> None:
    for site in (0, 4, 19):
        given = inputs(site, load)
        x = find_policy(name).plan(given)
        assert (x >= -1e-9).all()
        assert (x.sum(axis=1) <= given.problem.demand * (1 + 1e-9) + 1e-9).all()
        use = np.einsum("jgt,gt->j", given.problem.use_quota, x)
        if name != "static" or load <= 1.0:  # a fixed split cannot know that more came
            assert (use <= given.share * (1 + 1e-6) + 1e-6).all()
            assert leaf_worth(given.problem, x).violation <= 1e-6


def test_edge_only_uses_no_upper_tier_and_cloud_only_no_other() -> None:
    given = inputs(4, 1.0)
    assert not find_policy("edge-only").plan(given)[:, 2:].any()
    x = find_policy("cloud-only").plan(given)
    assert not x[:, 1:3].any()
    assert x[:, 3].sum() > 0


def test_nearest_fills_the_edge_before_it_goes_up() -> None:
    light, heavy = inputs(4, 0.2), inputs(4, 1.8)
    assert not find_policy("nearest").plan(light)[:, 2:].any()
    assert find_policy("nearest").plan(heavy)[:, 2:].sum() > 0


def test_static_never_changes_its_split() -> None:
    low, high = inputs(4, 0.5), inputs(4, 1.5)
    split = [find_policy("static").plan(i) / i.problem.demand[:, None] for i in (low, high)]
    assert np.allclose(split[0], split[1])


def test_an_unknown_policy_is_told_with_what_may_have_been_meant() -> None:
    with pytest.raises(UnknownNameError, match="'edge-onl'.*'edge-only'"):
        find_policy("edge-onl")


def test_own_policies_are_registered_by_name() -> None:
    class Mine:
        name = "mine-for-a-test"

        def plan(self, site: SiteInputs) -> np.ndarray:
            return np.zeros((site.problem.groups, site.problem.tiers))

    register(Mine())
    assert "mine-for-a-test" in policy_names()
    assert isinstance(find_policy("mine-for-a-test"), Mine)
    with pytest.raises(ValueError, match="taken"):
        register(type("X", (), {"name": "static", "plan": lambda self, site: None})())
    with pytest.raises(TypeError, match="name and plan"):
        register(object())  # type: ignore[arg-type]
