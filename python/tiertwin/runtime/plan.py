"""What one `run` will do: which scenario, seed, epochs and policies; validated before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tiertwin.allocate import registry
from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.orchestrate.economy import Economy
from tiertwin.orchestrate.policies import HIERARCHICAL, policy_names
from tiertwin.orchestrate.rhythm import Rhythm
from tiertwin.orchestrate.trustrules import TrustRules
from tiertwin.orchestrate.watchrules import AssuranceRules

if TYPE_CHECKING:
    from tiertwin.model import Scenario
    from tiertwin.runtime.tree import Settings
    from tiertwin.twin.privacy import PrivacyRules
    from tiertwin.world import World

MONOLITHIC = "monolithic"
MAX_EPOCHS = 1_000_000


@dataclass(frozen=True)
class RunPlan:
    """A run to be: everything the event log depends on.

    Parameters
    ----------
    scenario
        Validated scenario.
    epochs
        Base epochs to run, ≥ 1.
    seed
        Seed of the world: plant, network and streams of every policy, ≥ 0.
    policies
        Names in the order they run; `monolithic` is a reference computed beside `hierarchical`.
    """

    scenario: Scenario
    epochs: int
    seed: int
    policies: tuple[str, ...]

    @property
    def runs_monolithic(self) -> bool:
        """Whether the reference is wanted."""
        return MONOLITHIC in self.policies

    @property
    def executed(self) -> tuple[str, ...]:
        """Policies that act in the plant."""
        return tuple(p for p in self.policies if p != MONOLITHIC)


def all_policies() -> tuple[str, ...]:
    """Every policy of a default run: what acts, then the reference."""
    return (*policy_names(), MONOLITHIC)


def make_plan(
    scenario: Scenario, epochs: int = 60, seed: int | None = None, policies: Sequence[str] | None = None
) -> RunPlan:
    """Check the wishes of a run and put them together.

    Raises
    ------
    InputError
        `epochs` or `seed` out of range.
    UnknownNameError
        A policy nobody knows, with suggestions.
    """
    chosen = scenario.seed if seed is None else seed
    if not 1 <= epochs <= MAX_EPOCHS:
        raise InputError(f"epochs: expected 1 … {MAX_EPOCHS}, got {epochs}")
    if not 0 <= chosen < 2**63:
        raise InputError(f"seed: expected 0 … 2^63 - 1, got {chosen}")
    wanted = tuple(policies) if policies else all_policies()
    known = all_policies()
    for name in wanted:
        if name not in known:
            raise UnknownNameError(f"policy: expected a known name, got {name!r}{suggest(name, known)}")
    if len(set(wanted)) < len(wanted):
        raise InputError(f"policy: expected each name once, got {', '.join(wanted)}")
    solvers = ["auto", *registry.names()]
    if scenario.policy.leaf_solver not in solvers:
        name = scenario.policy.leaf_solver
        raise UnknownNameError(f"policy.leaf_solver: expected a known allocator, got {name!r}{suggest(name, solvers)}")
    if MONOLITHIC in wanted and HIERARCHICAL not in wanted:
        raise InputError(f"policy: {MONOLITHIC!r} is the reference of {HIERARCHICAL!r}; ask for both")
    return RunPlan(scenario, epochs, chosen, wanted)


def rhythm_of(scenario: Scenario) -> Rhythm:
    """Control rhythm of a scenario."""
    tiers = scenario.tiers
    return Rhythm(
        control_every={1: tiers.edge.control_every, 2: tiers.fog.control_every, 3: tiers.cloud.control_every},
        base_epoch_s=scenario.base_epoch_s,
        target_gap=scenario.policy.target_gap,
        warm_target_gap=scenario.policy.warm_target_gap,
        max_rounds_cold=scenario.policy.max_rounds,
        max_rounds_warm=scenario.policy.max_rounds,
        sample_s=scenario.telemetry.period_s,
        align=scenario.policy.alignment == "forecast",
    )


def settings_of(plan: RunPlan, world: World, policy: str) -> Settings:
    """What a policy's hosts need besides the world."""
    from tiertwin.plant import PlantOptions  # noqa: PLC0415  brings the core
    from tiertwin.plant.faults import groups_of  # noqa: PLC0415
    from tiertwin.runtime.tree import Settings  # noqa: PLC0415

    scenario = plan.scenario
    options = PlantOptions.of(world).with_traces_of(world)
    modulated = [] if options.weather is None else options.weather["link"]
    return Settings(
        seed=plan.seed,
        policy=policy,
        leaf_solver=scenario.policy.leaf_solver,
        master_solver=scenario.policy.master_solver,
        rhythm=rhythm_of(scenario),
        report_ms=scenario.tiers.edge.report_ms,
        plant=options,
        economy=Economy.of(scenario),
        assurance=AssuranceRules.of(scenario, groups_of(world), modulated),
        trust=TrustRules.of(scenario),
        privacy=privacy_of(scenario, world),
    )


def privacy_of(scenario: Scenario, world: World) -> PrivacyRules | None:
    """Return the scenario's domains, None where all is one owner's.

    Raises
    ------
    InputError
        What does not fit the tree, all of it (`tiertwin.runtime.domains.rules_of`).
    """
    if scenario.privacy is None:
        return None
    from tiertwin.runtime.domains import rules_of  # noqa: PLC0415  few trees have any

    return rules_of(scenario.privacy, world)


def stored_scenario(plan: RunPlan, world: World) -> dict[str, Any]:
    """The resolved scenario as it is written into the run directory: what the report and `replay` need."""
    return {
        **plan.scenario.model_dump(mode="json"),
        "world": {
            "nodes": [
                {
                    "name": world.node_names[n],
                    "lon": float(world.lon[n]),
                    "lat": float(world.lat[n]),
                    "urban": bool(_site_flag(world, n)),
                    "fog": int(world.node_fog[n]) + 1,
                    "role": _role(world, n),
                }
                for n in range(world.node_count)
            ],
            "links": [
                {
                    "a": world.node_names[int(world.link_tail[k])],
                    "b": world.node_names[int(world.link_head[k])],
                    "km": float(world.link_km[k]),
                    "capacity_mbps": float(world.link_capacity_mbps[k]),
                    "owner": world.link_owner[k],
                }
                for k in range(world.link_count)
            ],
            "twins": [{"name": t.name, "tier": t.tier, "parent": t.parent} for t in world.twins],
            "devices": world.device_count if world.access is None else world.access.user_count,
        },
    }


def _site_flag(world: World, node: int) -> bool:
    sites = [s for s in range(world.site_count) if int(world.site_node[s]) == node]
    return bool(sites and world.site_urban[sites[0]])


def _role(world: World, node: int) -> str:
    if int(world.cloud_node) == node:
        return "cloud"
    return "fog" if node in {int(n) for n in world.fog_node} else "edge"
