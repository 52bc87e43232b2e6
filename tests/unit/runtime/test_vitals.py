"""Whether a process is well and ready: what the loop says, what probes hear, what systemd is told."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tiertwin.errors import InputError
from tiertwin.runtime.healthserver import HealthServer
from tiertwin.runtime.vitals import BEAT_S, STALLED_S, Health, Systemd, Vitals


def vitals(*waiting: str, at: float = 10.0) -> Vitals:
    made = Vitals("edges-1", 4)
    made.beat(at, 7, waiting)
    return made


def test_a_process_is_not_well_before_its_loop_came_round():
    health = Vitals("edges-1", 4).health(10.0)
    assert not health.well
    assert not health.ready


def test_a_loop_that_hangs_is_not_well_and_one_without_parents_is_not_ready():
    assert vitals().health(10.0 + STALLED_S).ready
    assert not vitals().health(10.0 + STALLED_S + 0.01).well
    orphan = vitals("edge-a").health(10.1)
    assert orphan.well
    assert not orphan.ready


def test_the_line_for_people_says_what_is_wrong():
    assert vitals().health(10.5).text == "edges-1: 4 nodes, epoch 7, ready"
    assert vitals("a", "b").health(10.5).text == "edges-1: 4 nodes, epoch 7, no parent yet: a, b"
    assert vitals(*"abcdefg").health(10.5).text.endswith("a, b, c, d, e and others")
    assert vitals().health(15.0).text.endswith("stalled for 5.0 s")


def test_it_beats_twice_a_second_and_no_more():
    made = vitals()
    assert not made.due(10.0 + BEAT_S / 2)
    assert made.due(10.0 + BEAT_S)


@pytest.fixture
def told(tmp_path: Path):
    """What comes to a socket as systemd has one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind(str(tmp_path / "notify"))
        link.setblocking(False)

        def take() -> list[str]:
            try:
                return link.recv(4096).decode().split("\n")
            except BlockingIOError:
                return []

        yield str(tmp_path / "notify"), take


def test_systemd_hears_ready_once_and_alive_at_each_beat(told):
    path, take = told
    unit = Systemd({"NOTIFY_SOCKET": path})
    unit.look(vitals("edge-a").health(10.0))
    assert take() == ["WATCHDOG=1", "STATUS=edges-1: 4 nodes, epoch 7, no parent yet: edge-a"]
    unit.look(vitals().health(10.0))
    assert take() == ["WATCHDOG=1", "READY=1", "STATUS=edges-1: 4 nodes, epoch 7, ready"]
    unit.look(vitals().health(10.0))
    assert take() == ["WATCHDOG=1"]
    unit.look(vitals().health(20.0))  # a stalled loop could not say it; if somebody else does, it is not alive
    assert "WATCHDOG=1" not in take()
    unit.ending()
    assert take() == ["STOPPING=1"]


def test_what_systemd_did_not_take_is_said_again(told, tmp_path: Path):
    path, take = told
    unit = Systemd({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    unit.look(vitals().health(10.0))
    unit._path = path
    unit.look(vitals().health(10.0))
    assert "READY=1" in take()


def test_without_systemd_nothing_is_told():
    unit = Systemd({})
    unit.look(vitals().health(10.0))
    unit.ending()


def ask(port: int, path: str) -> tuple[int, dict[str, object]]:
    link = HTTPConnection("127.0.0.1", port, timeout=10)
    link.request("GET", path)
    answer = link.getresponse()
    said = json.loads(answer.read())
    link.close()
    return answer.status, said


def test_probes_hear_what_the_loop_said():
    found = [vitals("edge-a").health(10.0)]
    with HealthServer(0, lambda: found[0]) as server:
        assert ask(server.port, "/healthz")[0] == 200
        status, said = ask(server.port, "/readyz")
        assert (status, said["waiting"], said["ready"]) == (503, ["edge-a"], False)
        found[0] = vitals().health(10.0)
        assert ask(server.port, "/readyz")[0] == 200
        found[0] = Health("edges-1", 4, -1, (), float("inf"))
        status, said = ask(server.port, "/healthz")
        assert (status, said["well"]) == (503, False)
        assert ask(server.port, "/metrics")[0] == 404


def test_a_taken_port_is_told():
    with (
        HealthServer(0, vitals().health(10.0).__class__) as server,
        pytest.raises(InputError, match=f"--health: cannot listen on 127.0.0.1:{server.port}"),
    ):
        HealthServer(server.port, lambda: vitals().health(10.0))
