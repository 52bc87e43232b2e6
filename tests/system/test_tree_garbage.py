"""Strangers and garbage on every bound port of a running tree (short form of T22): nobody who belongs there notices."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support import raw_peer
from support.facilities import needs
from support.processes import Known, listening_ports
from support.raw_peer import CurvePeer
from support.trees import disagreements, links, live_tree
from tiertwin.wire.keys import KeyPair

pytestmark = [pytest.mark.system, pytest.mark.processes]
CONNECTIONS = 20


def attack(ports: dict[str, set[int]], public: dict[str, bytes], seen: list[Any]) -> None:
    """Everything on every port; what came of it goes into `seen`, an exception too.

    Of the processes in `public` the attacker knows the server's key, and gets as far as the door.
    """
    try:
        for name, key in public.items():
            for port in ports[name]:
                stranger(port, key)
        for k, port in enumerate(sorted(port for group in ports.values() for port in group)):
            raw_peer.garbage(port, CONNECTIONS, seed=k)
            held = [raw_peer.connected(port) for _ in range(3)]  # half open
            stranger(port, KeyPair.fresh().public)
            if k % 8 == 0:
                seen += [(name, raw_peer.opening_is_cut(port, said)) for name, said in raw_peer.OPENINGS.items()]
                taken, cut = raw_peer.huge_frame(port, 24)
                seen.append((f"8 GiB, {taken} MiB taken", cut and taken < 24))
            for sock in held:
                sock.close()
    except BaseException as error:  # a thread: told by the test
        seen.append((repr(error), False))


def stranger(port: int, server: bytes) -> None:
    """A handshake by somebody with keys of his own."""
    try:
        CurvePeer(port, KeyPair.fresh(), server).close()
    except (PermissionError, OSError):
        return
    raise AssertionError(f"port {port} let a stranger in")


@pytest.mark.timeout(200)
def test_nobody_who_belongs_there_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("proc")
    with live_tree(monkeypatch, tmp_path, {"device": 1, "edge": 1, "fog": 3, "cloud": 1}) as live:
        ports = {name: listening_ports(process) for name, process in live.known.items()}
        ports["pool"] = {port for port in listening_ports(Known.of(os.getpid())) if port}
        assert len(ports["pool"]) >= 1
        assert sum(map(len, ports.values())) >= 33  # each twin and the pool
        keys = live.run.launcher._keys.keys
        public = {f"fogs-{k}": keys[f"fog-{k}"].pair.public for k in (1, 2, 3)}
        began, since, seen = live.epoch, time.time_ns(), list[Any]()
        attacker = threading.Thread(target=attack, args=(ports, public, seen))
        attacker.start()
        live.until(lambda: not attacker.is_alive(), "the attack is over", 60)
        attacker.join()
        live.epochs(2)
        assert [text for text, good in seen if not good] == []
        assert len(seen) >= 9
        lost = [line for line in live.records if line["what"] in ("lost", "local_policy") and line["heard"] >= began]
        assert lost == []
        wrong, compared = disagreements(live.folder, since)
        assert wrong == []
        assert compared >= len(links(live.folder))
    assert live.news == []
    lines = [msgspec.json.decode(line) for line in live.logs().splitlines() if line]
    counted = {line["process"]: line["wire"] for line in lines if line["event"] == "stopped"}
    assert counted.keys() == live.known.keys() - {"solver-1", "solver-2"}
    for name, wire in counted.items():
        assert wire.get("R29 unknown key", 0) == (1 if name.startswith("fogs-") else 0), name
        assert not any(reason.startswith(("R32", "R36")) for reason in wire), name  # nothing of it came as far as a frame
