"""Nodes by hand that cannot serve or are not let in: real processes, one or two of them."""

from __future__ import annotations

import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from support.command import tiertwin
from support.deployments import change_place, make_deployment, place_of
from support.nodes import events, started, wait_for
from tiertwin.wire.access import Access

pytestmark = pytest.mark.system


def words(path: Path, *names: str) -> tuple[str, ...]:
    return ("node", "--deployment", str(path), *(word for name in names for word in ("--name", name)))


def test_a_port_that_somebody_else_has(tmp_path: Path) -> None:
    path = make_deployment(tmp_path / "run")
    port = place_of(path, "fog-1")["port"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        done = tiertwin(*words(path, "fog-1"), cwd=tmp_path)
    assert done.returncode == 2
    assert f"Node 'fog-1' could not listen on tcp://127.0.0.1:{port}: the port is in use" in done.stderr
    assert f"`ss -ltnp 'sport = :{port}'`" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_of_another_host(tmp_path: Path) -> None:
    path = make_deployment(tmp_path / "run")
    change_place(path, "fog-1", host="192.0.2.1")  # a documentation address: nobody's
    done = tiertwin(*words(path, "fog-1"), cwd=tmp_path)
    assert done.returncode == 2
    assert "this host has no such address. `ip -brief address` lists those it has." in done.stderr


def know(table: Path, node: str, public: str) -> None:
    """Put another key in the place of a node's in an access table."""
    grants = [replace(g, public=public) if g.node == node else g for g in Access.read(table).grants]
    table.write_bytes(Access(grants).to_json())


def test_a_key_that_the_parent_does_not_know(tmp_path: Path) -> None:
    """The node says that it was refused, the parent's log counts it; both go on and end in order when asked."""
    path = make_deployment(tmp_path / "run")
    stranger = make_deployment(tmp_path / "stranger")  # its own keys, but the parent's place and key
    fog = place_of(path, "fog-1")
    change_place(stranger, "fog-1", port=fog["port"], public=fog["public"])
    know(stranger.parent / "keys" / "access.json", "fog-1", fog["public"])
    parent_log, log = tmp_path / "parent.log", tmp_path / "node.log"
    with (
        started(*words(path, "fog-1"), log=parent_log, cwd=tmp_path) as parent,
        started(*words(stranger, "edge-centre"), log=log, cwd=tmp_path) as node,
    ):
        parent.wait_event("live")
        told = node.wait_event("auth failed")[0]
        assert (told["node"], told["peer"]) == ("edge-centre", "fog-1")
        assert f"tcp://127.0.0.1:{fog['port']} refused the key of 'edge-centre'" in told["reason"]
        assert "not in the access table there, expired, banned" in told["reason"]
        refused = parent.wait_event("refused")[0]
        assert refused["reason"] == "R29 unknown key"
        assert refused["who"] == f"key {place_of(stranger, 'edge-centre')['public'][:8]}…"
        wait_for(lambda: events(parent_log, "refused")[-1]["counted"]["R29 unknown key"] >= 2, "a second refusal")
        assert len(events(log, "auth failed")) == 1  # said once, not at each attempt
        for process, number in ((node, signal.SIGINT), (parent, signal.SIGTERM)):
            process.send(number)
            assert process.code() == 0
    for text in (parent_log.read_text(), log.read_text()):
        assert "Traceback" not in text
        assert '"stopped"' in text


def test_a_parent_that_does_not_run_is_named_once(tmp_path: Path) -> None:
    path = make_deployment(tmp_path / "run")
    with started(*words(path, "edge-centre"), log=tmp_path / "node.log", cwd=tmp_path) as node:
        told = node.wait_event("unreachable")[0]
        assert told["peer"] == "fog-1"
        assert "is 'fog-1' running?" in told["reason"]
        second = tiertwin(*words(path, "edge-centre"), cwd=tmp_path)
        assert second.returncode == 2
        assert f"node 'edge-centre' runs already, in the process with pid {node.pid}" in second.stderr
        node.send(signal.SIGTERM)
        assert node.code() == 0


def test_all_interfaces_only_when_asked_for(tmp_path: Path) -> None:
    path = make_deployment(tmp_path / "run")
    port = place_of(path, "fog-1")["port"]
    for options, reached in (((), False), (("--listen-public",), True)):
        with started(*words(path, "fog-1"), *options, log=tmp_path / "node.log", cwd=tmp_path) as node:
            node.wait_event("live", 1 + int(reached))
            with socket.socket() as other:
                assert (other.connect_ex(("127.0.0.2", port)) == 0) is reached
            node.send(signal.SIGTERM)
            assert node.code() == 0
