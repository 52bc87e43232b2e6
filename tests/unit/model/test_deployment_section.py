"""The `deployment` section: who hosts whom and where, and that without it a run is one process."""

from __future__ import annotations

from typing import Any

import pytest

from support.inprocess import world_of
from tiertwin.cli.run import tree_of
from tiertwin.errors import InputError
from tiertwin.model.scenario import scenario_schema
from tiertwin.runtime.api import Tree
from tiertwin.runtime.processes import DEFAULT_PROCESSES, lay_out, place
from tiertwin.runtime.roster import Roster
from tiertwin.world import load


def section(**fields: Any) -> Any:
    return load(world_of("metro").scenario, deployment=fields).deployment


def test_its_defaults_are_those_of_the_command_line() -> None:
    made = section()
    assert made.processes.counts() == dict(DEFAULT_PROCESSES)
    assert Tree.of(made) == Tree(processes=dict(DEFAULT_PROCESSES))


def test_without_it_a_run_is_the_default_tree_or_one_process() -> None:
    assert load("metro").deployment is None
    assert load("germany50").deployment is None
    assert tree_of(True, None, False, None, None) is None
    assert tree_of(False, None, False, None, None) == tree_of(False, "default", False, None, None)


def test_it_is_used_unless_the_command_line_says_otherwise() -> None:
    made = section(processes={"edge": 5}, solvers=3, hosts={"fog": "10.0.0.2"}, first_port=6000)
    tree = tree_of(False, None, False, None, made)
    assert tree is not None
    assert (tree.processes, tree.solvers, tree.first_port) == ({"device": 2, "edge": 5, "fog": 3, "cloud": 1}, 3, 6000)
    assert tree_of(True, None, False, None, made) is None
    changed = tree_of(False, "edge=1", True, 1, made)
    assert changed is not None
    assert (changed.processes, changed.solvers, changed.real_clock) == ({"edge": 1}, 1, True)
    assert changed.hosts == {"fog": "10.0.0.2"}
    default = tree_of(False, "default", False, None, None)
    assert default is not None
    assert (default.processes, default.solvers) == (None, 2)


def test_without_the_hierarchy_there_is_no_tree() -> None:
    assert tree_of(False, None, False, None, section(), ("nearest", "static")) is None
    assert tree_of(False, None, False, None, None, ("nearest", "hierarchical")) is not None
    with pytest.raises(InputError, match="--clock real: only the policy hierarchical"):
        tree_of(False, None, True, None, None, ("nearest",))
    with pytest.raises(InputError, match="--processes: only the policy hierarchical"):
        tree_of(False, "node", False, None, None, ("nearest",))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"processes": {"edge": 0}}, "deployment.processes.edge: expected a number >= 1"),
        ({"processes": {"edges": 2}}, "deployment.processes.edges: unknown key. Did you mean 'edge'"),
        ({"solvers": 17}, "deployment.solvers: expected a number <= 16"),
        ({"hosts": {"fog": "fog.example"}}, "expected an IP address such as 10.0.0.5, got 'fog.example'"),
        ({"hosts": {"fog": "0.0.0.0"}}, "expected the address of one host"),
        ({"hosts": {"Fog": "10.0.0.1"}}, "deployment.hosts.Fog"),
        ({"first_port": 80}, "deployment.first_port: expected a number >= 1024"),
        ({"ports": {}}, "deployment.ports: unknown key"),
    ],
)
def test_mistakes_are_told_with_their_path(fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError) as told:
        section(**fields)
    assert expected in str(told.value)


def test_addresses_by_process_before_tier() -> None:
    roster = Roster(world_of("metro"))
    plans, pool = place(
        lay_out(roster), roster, {"edge": "10.0.0.2", "edges-2": "10.0.0.3", "plant": "10.0.0.4"}, "pool"
    )
    hosts = {plan.name: plan.host for plan in plans}
    assert (hosts["edges-1"], hosts["edges-2"], hosts["plant"]) == ("10.0.0.2", "10.0.0.3", "10.0.0.4")
    assert (hosts["cloud"], pool) == ("127.0.0.1", "127.0.0.1")
    assert place(lay_out(roster), roster, {"pool": "10.0.0.9"}, "pool")[1] == "10.0.0.9"
    with pytest.raises(
        InputError, match=r"deployment.hosts.edgs: expected a tier or a process, got 'edgs'. Did you mean"
    ):
        place(lay_out(roster), roster, {"edgs": "10.0.0.2"}, "pool")


def test_it_is_in_the_schema() -> None:
    schema = scenario_schema()
    known = {"processes", "solvers", "hosts", "first_port", "durable"}
    assert set(schema["$defs"]["Deployment"]["properties"]) == known
