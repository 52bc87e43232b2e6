"""What the doctor says, from tables made by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.deployments import change, make_deployment, place_of
from support.inprocess import world_of
from tiertwin.errors import InputError
from tiertwin.runtime.deployment import RunningProcess, read_deployment
from tiertwin.runtime.diagnose import diagnose, names
from tiertwin.runtime.diagnosis import Diagnosis, KeyNote
from tiertwin.runtime.lookout import ProcessLook, Report, look_at_processes
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.status import LIVE, LinkStatus, NodeStatus, Waiting
from tiertwin.runtime.treefile import (
    RunningNode,
    RunningTree,
    read_tree,
    running_processes,
)
from tiertwin.wire.keys import OBSERVERS, key_path, read_key

NOW = 1_700_000_000.0  # 22:13:20 UTC
LOST = 4
PLACES = [
    ("cloud-1", 3, None, "cloud"),
    ("fog-1", 2, "cloud-1", "fogs-1"),
    ("fog-2", 2, "cloud-1", "fogs-2"),
    ("edge-a", 1, "fog-1", "edges"),
    ("edge-b", 1, "fog-1", "edges"),
    ("edge-c", 1, "fog-2", "edges"),
    ("device-a", 0, "edge-a", "gateways"),
    ("plant-a", -1, "device-a", "plant"),
]
TREE = RunningTree(
    nodes=[
        RunningNode(name=n, tier=t, parent=p, process=where, port=0 if t < 0 else 5000 + k, public="k" * 40)
        for k, (n, t, p, where) in enumerate(PLACES)
    ],
    processes=[RunningProcess(name=n, pid=100 + k) for k, n in enumerate(dict.fromkeys(w for *_, w in PLACES))],
    periods_s={0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0},
)


class Ward:
    """A healthy tree, to be made ill."""

    def __init__(self) -> None:
        self.reports = {n.name: Report(n.name, self.healthy(n.name), ahead_ms=-10.0) for n in TREE.nodes if n.port}
        self.states = {p.name: "running" for p in TREE.processes}

    @staticmethod
    def healthy(name: str) -> NodeStatus:
        links = tuple(
            LinkStatus(peer, session=LIVE, attached=1, suspect=0, awaited=0, silent_ms=40)
            for peer in TREE.neighbours(name)
        )
        root = name == "cloud-1"
        return NodeStatus(
            name,
            links,
            epoch=12,
            decided=12,
            alone=0,
            lease_epoch=-1 if root else 12,
            lease_left_ms=0 if root else 2500 + len(name),
            gap=0.004 if root else -1,
            waiting=0,
            waiting_since_ms=0,
            refused=0,
            pool_late=0,
        )

    def change(self, name: str, **changes: Any) -> None:
        status = self.reports[name].status
        assert status is not None
        self.reports[name].status = replace(status, **changes)

    def link(self, name: str, to: str, **changes: Any) -> None:
        status = self.reports[name].status
        assert status is not None
        self.change(name, links=tuple(replace(k, **changes) if k.peer == to else k for k in status.links))

    def silence(self, name: str, trouble: str = "") -> None:
        self.reports[name] = Report(name, trouble=trouble)

    def ask(self, keys: tuple[KeyNote, ...] = (), schema: str = "") -> Diagnosis:
        nodes = {p.name: tuple(n.name for n in TREE.nodes if n.process == p.name) for p in TREE.processes}
        looks = [ProcessLook(p.name, p.pid, self.states[p.name], nodes[p.name]) for p in TREE.processes]
        return diagnose(TREE, self.reports, looks, NOW, keys, schema)


@pytest.fixture
def ward() -> Ward:
    return Ward()


def masked(text: str) -> str:
    return re.sub(r"\d\d:\d\d:\d\d UTC \((in )?\d+\.\d s( ago)?\)", "<time>", text)


def test_a_healthy_tree_is_told_so(ward: Ward) -> None:
    found = ward.ask()
    assert found.healthy
    assert masked(found.to_text()) == (
        "7 of 7 nodes answer, epoch 12; 6 processes; 1 of the plant are not asked.\n"
        "       6 leases are held; unless renewed, that of fog-1 (epoch 12, from cloud-1) ends first, at <time>\n"
        "Nothing is wrong."
    )


def test_a_stopped_fog(ward: Ward) -> None:
    ward.states["fogs-1"] = "stopped"
    ward.silence("fog-1", "tcp://… takes the connection and says nothing")
    for name, ms in (("cloud-1", 1400.0), ("edge-a", 1500.0), ("edge-b", 1450.0)):
        ward.link(name, "fog-1", suspect=1, silent_ms=ms)
    ward.change("edge-a", lease_left_ms=900.0)
    ward.change("edge-b", lease_left_ms=800.0)
    found = ward.ask()
    assert not found.healthy
    assert found.to_text() == (
        "6 of 7 nodes answer, epoch 12; 6 processes; 1 of the plant are not asked.\n"
        "WRONG  process fogs-1 (pid 101) is stopped; inside: fog-1. `kill -CONT 101` lets it go on\n"
        "WRONG  cloud-1, edge-a and edge-b wait for fog-1: session suspect, nothing heard since 22:13:18 UTC (1.5 s"
        " ago)\n"
        "WRONG  the lease that runs out first is that of edge-b (epoch 12, from fog-1), at 22:13:20 UTC (in 0.8 s);"
        " 1 more after it\n"
        "3 things are wrong."
    )
    facts = {finding.kind: finding.facts for finding in found.findings}
    assert facts["waits"]["waiting"] == ["cloud-1", "edge-a", "edge-b"]
    assert facts["next lease"] == {"node": "edge-b", "left_ms": 800.0, "epoch": 12, "at_risk": True}


def test_leases_that_ran_out(ward: Ward) -> None:
    ward.states["fogs-1"] = "gone"
    ward.silence("fog-1")
    for name in ("cloud-1", "edge-a", "edge-b"):
        ward.link(name, "fog-1", session=LOST, attached=0, silent_ms=9_000.0)
    ward.change("edge-a", lease_left_ms=-6_000.0, alone=1)
    ward.change("edge-b", lease_left_ms=-5_000.0, alone=1)
    text = masked(ward.ask().to_text())
    assert "process fogs-1 (pid 101) is gone; inside: fog-1. Its log says why" in text
    assert "cloud-1, edge-a and edge-b wait for fog-1: session lost, nothing heard since <time>" in text
    assert (
        "edge-a and edge-b decide alone; the first lease to run out was that of edge-a (epoch 12, from fog-1), at "
        "<time>"
    ) in text


def test_nodes_started_by_hand_in_place_of_a_process_that_is_gone(ward: Ward) -> None:
    ward.states["fogs-1"] = "gone"
    found = ward.ask()
    assert found.healthy
    assert (
        "process fogs-1 (pid 101) is gone; inside: fog-1. Its nodes answer: somebody started them again"
        in found.to_text()
    )


def test_a_tree_that_is_gone_as_a_whole(ward: Ward) -> None:
    for name in ward.reports:
        ward.silence(name)
    ward.states = dict.fromkeys(ward.states, "gone")
    assert ward.ask().to_text().splitlines()[1:] == [
        "WRONG  every process of this tree is gone; it did not end in order. `tiertwin inspect` shows what it left",
        "1 thing is wrong.",
    ]


def test_a_launcher_that_is_gone(ward: Ward) -> None:
    found = diagnose(TREE, ward.reports, [ProcessLook("launcher", 99, "gone")], NOW)
    assert [f.text for f in found.findings if f.wrong] == [
        "the launcher (pid 99) is gone: no solver pool, and nobody writes the run's history"
    ]


def test_a_node_that_hangs_in_a_process_that_runs(ward: Ward) -> None:
    ward.silence("edge-c", "tcp://127.0.0.1:5005 takes the connection and says nothing; is 'edge-c' stopped?")
    found = ward.ask()
    finding = next(f for f in found.findings if f.kind == "no answer")
    assert finding.text == (
        "edge-c does not answer, of process edges (pid 103), which runs: tcp://127.0.0.1:5005 takes the connection and "
        "says nothing; is 'edge-c' stopped?"
    )


def test_a_port_that_does_not_answer_and_a_host_elsewhere(ward: Ward) -> None:
    ward.silence("fog-2", "nothing answers at tcp://10.0.0.7:5002; is 'fog-2' running?")
    ward.states["fogs-2"] = "elsewhere"
    text = ward.ask().to_text()
    assert (
        "fog-2 does not answer, of process fogs-2, on another machine: nothing answers at tcp://10.0.0.7:5002" in text
    )
    assert "cloud-1 and edge-c wait for fog-2: session live, nothing heard since" in text


def test_many_of_one_process_get_one_line(ward: Ward) -> None:
    for name in ("edge-a", "edge-b", "edge-c"):
        ward.silence(name, f"nothing answers at tcp://127.0.0.1:{5000 + len(name)}; is {name!r} running?")
    texts = [f.text for f in ward.ask().findings if f.kind == "no answer"]
    assert texts == [
        "edge-a, edge-b and edge-c do not answer, of process edges (pid 103), which runs: nothing answers at "
        "tcp://127.0.0.1:5006; is 'edge-a' running?"
    ]


def test_many_silent_nodes_of_one_process_are_waited_for_in_one_line(ward: Ward, monkeypatch: Any) -> None:
    monkeypatch.setattr("tiertwin.runtime.diagnose.APART", 2)
    ward.states["edges"] = "gone"
    for name in ("edge-a", "edge-b", "edge-c"):
        ward.silence(name)
    waits = [f for f in ward.ask().findings if f.kind == "waits"]
    assert [f.facts["for"] for f in waits] == [["edge-a", "edge-b", "edge-c"]]
    assert waits[0].text.startswith("fog-1, fog-2 and device-a wait for edge-a, edge-b and edge-c: session live, ")


@pytest.mark.parametrize(
    ("reason", "words"), [(4, "another version of the frames"), (6, "another table of its status")]
)
def test_versions_and_schemas_that_differ(ward: Ward, reason: int, words: str) -> None:
    ward.silence("edge-c")
    ward.reports["edge-c"].refusal = (reason, "what it said")
    finding = next(f for f in ward.ask().findings if f.kind == "no answer")
    assert words in finding.text
    assert finding.text.endswith("(what it said)")
    assert finding.facts["refused"] == reason


def test_a_map_of_another_version(ward: Ward) -> None:
    assert "version" not in {f.kind for f in ward.ask(schema="ab").findings}  # the map does not say
    other = replace(TREE, schema="cd", tiertwin="9.9")
    found = diagnose(other, ward.reports, [], NOW, schema="ab")
    assert [f.text for f in found.findings if f.kind == "version"] == [
        "this tiertwin knows other attributes (schema ab) than the one that runs here (9.9, schema cd): look with the "
        "version that runs"
    ]


def test_long_waits_name_whom_and_since_when(ward: Ward) -> None:
    ward.change("cloud-1", waiting=float(Waiting.CHILDREN), waiting_since_ms=3_200.0)
    ward.link("cloud-1", "fog-2", awaited=1)
    ward.change("fog-1", waiting=float(Waiting.SOLVER), waiting_since_ms=2_100.0)
    ward.change("edge-a", waiting=float(Waiting.BUDGET), waiting_since_ms=300.0)  # as in any epoch
    texts = [f.text for f in ward.ask().findings if f.kind == "long wait"]
    assert texts == [
        "cloud-1 waits for what fog-2 say of this round since 22:13:16 UTC (3.2 s ago)",
        "fog-1 waits for answers of the solver pool since 22:13:17 UTC (2.1 s ago)",
    ]


def test_a_lost_session_between_two_that_answer(ward: Ward) -> None:
    ward.link("edge-c", "fog-2", session=LOST, attached=0, silent_ms=-1)
    text = ward.ask().to_text()
    assert "edge-c waits for fog-2 (which answers us): session lost, nothing ever heard" in text


def test_before_epoch_0_sessions_may_be_new(ward: Ward) -> None:
    for name in ward.reports:
        ward.change(name, epoch=-1, decided=-1, lease_epoch=-1, lease_left_ms=0, alone=float(name != "cloud-1"))
        for peer in TREE.neighbours(name):
            ward.link(name, peer, session=0, attached=0)
    assert ward.ask().healthy


def test_who_does_not_decide_and_who_never_had_a_lease(ward: Ward) -> None:
    ward.change("edge-a", decided=7)
    ward.change("edge-b", lease_epoch=-1, lease_left_ms=0, alone=1)
    ward.change("edge-c", epoch=5, decided=5)
    text = ward.ask().to_text()
    assert "edge-a has not decided since epoch 7; it is in epoch 12" in text
    assert "edge-b never had a lease; the tree is in epoch 12" in text
    assert "edge-c lag behind: in epoch 5, others in 12" in text


def test_keys_clocks_and_counters(ward: Ward) -> None:
    ward.reports["fog-1"].ahead_ms = 3_600_000.0
    ward.change("fog-1", refused=4)
    ward.change("fog-2", pool_asked=30, pool_late=2)
    keys = (KeyNote("observer", 3.0), KeyNote("edge-a", 0.0, "readable by others"), KeyNote("fog-1", -1.0))
    found = ward.ask(keys)
    assert {f.text: f.wrong for f in found.findings if f.kind in ("key", "clock", "refused", "late")} == {
        "key observer expires in 3.0 days": False,
        "key edge-a: readable by others": True,
        "key fog-1 has expired": True,
        "the clock of 127.0.0.1 is about 3600.0 s ahead of ours (leases do not depend on it)": False,
        "frames refused by their session: fog-1 4": False,
        "solver pool, asked by fogs-2: 2 of 30 answers came too late": False,
    }


def test_many_names_are_cut() -> None:
    assert names(["a"]) == "a"
    assert names(["a", "b", "c"]) == "a, b and c"
    assert names([f"n{k}" for k in range(9)]) == "n0, n1, n2, n3, n4 and 4 more"
    assert names([]) == "nobody"


# -- the map in the run directory --------------------------------------------------------------------------------------
def test_neighbours_are_in_roster_order() -> None:
    assert TREE.neighbours("cloud-1") == ["fog-1", "fog-2"]
    assert TREE.neighbours("fog-1") == ["cloud-1", "edge-a", "edge-b"]
    assert TREE.neighbours("device-a") == ["edge-a", "plant-a"]


def test_a_deployment_says_who_runs_where(tmp_path: Path) -> None:
    path = make_deployment(tmp_path, running=[RunningProcess(name="launcher", pid=7, began=8, machine="here")])
    tree = read_tree(tmp_path)
    assert [node.name for node in tree.nodes] == Roster(world_of("metro")).names
    assert tree.neighbours("edge-centre") == ["fog-1", "device-centre"]
    edge = next(node for node in tree.nodes if node.name == "edge-centre")
    place = place_of(path, "edge-centre")
    assert (edge.process, edge.host, edge.port, edge.public) == tuple(
        place[k] for k in ("process", "host", "port", "public")
    )
    assert [(process.name, process.pid) for process in tree.processes] == [("launcher", 7)]
    assert tree.periods_s == {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0}
    assert read_key(key_path(tree.keys, OBSERVERS[0]), NOW, OBSERVERS[0]).role == "observer"
    assert running_processes(tmp_path) == tree.processes


def test_without_a_launcher_the_processes_have_no_numbers(tmp_path: Path) -> None:
    path = make_deployment(tmp_path)
    looks = look_at_processes(read_tree(tmp_path))
    assert [look.name for look in looks] == list(dict.fromkeys(p.process for p in read_deployment(path).nodes))
    assert {look.state for look in looks} == {"unknown"}
    assert running_processes(tmp_path) == []


def test_a_node_of_no_process_keeps_its_row(tmp_path: Path) -> None:
    path = make_deployment(tmp_path)
    change(path, nodes=[place for place in json.loads(path.read_text())["nodes"] if place["name"] != "plant-centre"])
    tree = read_tree(tmp_path)
    assert tree.neighbours("device-centre") == ["edge-centre", "plant-centre"]
    assert next(node for node in tree.nodes if node.name == "plant-centre").process == "elsewhere"


def test_a_folder_without_a_deployment_or_with_a_malformed_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no running tree here"):
        read_tree(tmp_path)
    assert running_processes(tmp_path) == []
    (tmp_path / "deployment.json").write_text('{"nodes": 3}')
    with pytest.raises(InputError, match=r"deployment\.json.*this is no deployment"):
        read_tree(tmp_path)
    assert running_processes(tmp_path) == []


def test_a_deployment_of_another_version_is_looked_at_if_it_can_be_read(tmp_path: Path) -> None:
    path = make_deployment(tmp_path, tiertwin="1", schema="ab", settings={})
    tree = read_tree(tmp_path)
    assert (tree.tiertwin, tree.schema, tree.periods_s) == ("1", "ab", {})
    change(path, more=1)
    with pytest.raises(InputError, match=r"was written by version 1"):
        read_tree(tmp_path)


def test_a_process_of_another_time_is_gone(tmp_path: Path) -> None:
    import os

    from tiertwin.runtime.treefile import began, machine

    me = os.getpid()
    processes = [
        RunningProcess(name="me", pid=me, began=began(me), machine=machine()),
        RunningProcess(name="before", pid=me, began=1, machine=machine()),
        RunningProcess(name="far", pid=me, machine="another-host"),
        RunningProcess(name="by-hand"),
    ]
    looks = look_at_processes(RunningTree(nodes=[], processes=processes))
    assert [look.state for look in looks] == ["running", "gone", "elsewhere", "unknown"]
