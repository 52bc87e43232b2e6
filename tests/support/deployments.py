"""Deployments of a small world without anything that runs."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from support.inprocess import plan_of, world_of
from tiertwin import __version__
from tiertwin.runtime.childconfig import settings_to_plain
from tiertwin.runtime.deployment import Deployment, Place, schema_fingerprint, tree_members, write_deployment
from tiertwin.runtime.plan import settings_of
from tiertwin.runtime.processes import lay_out
from tiertwin.runtime.roster import Roster
from tiertwin.wire.endpoint import LOCALHOST
from tiertwin.wire.keys import make_keys, write_keys
from tiertwin.world.stored import store_world


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind((LOCALHOST, 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def free_range(count: int) -> int:
    """First of `count` ports in a row that nobody listens on, below those that the system hands out."""
    for first in range(20_000 + os.getpid() % 50 * 200, 32_000, count):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + count):
                held.enter_context(socket.socket()).bind((LOCALHOST, port))
            return first
    raise AssertionError(f"no {count} free ports in a row")


def make_deployment(folder: Path, days: float = 1.0, **changes: Any) -> Path:
    """Write a deployment of `metro` with its world and keys; return the path of the file."""
    folder.mkdir(exist_ok=True)
    world = world_of("metro")
    roster = Roster(world)
    keys = make_keys(tree_members(world.twins, 1), time.time(), days)
    store_world(world, folder / "world.npy")
    write_keys(folder / "keys", keys)
    ports = iter(free_ports(len(roster.names)))
    places = [
        Place(name, process.name, LOCALHOST, next(ports) if roster.tier(name) >= 0 else 0, keys.keys[name].public)
        for process in lay_out(roster)
        for name in process.nodes
    ]
    settings = settings_to_plain(settings_of(plan_of("metro", 3, 7), world, "hierarchical"))
    fields: dict[str, Any] = {"tiertwin": __version__, "schema": schema_fingerprint(), "origin": time.time_ns()}
    path = folder / "deployment.json"
    write_deployment(path, Deployment(**(fields | {"nodes": places, "settings": settings} | changes)))
    return path


def change(path: Path, **fields: Any) -> None:
    """Change fields of a deployment as an editor would."""
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def place_of(path: Path, name: str) -> dict[str, Any]:
    """A node of a deployment."""
    return next(place for place in json.loads(path.read_text())["nodes"] if place["name"] == name)


def change_place(path: Path, name: str, /, **fields: Any) -> None:
    """Change a node of a deployment."""
    nodes = json.loads(path.read_text())["nodes"]
    change(path, nodes=[place | fields if place["name"] == name else place for place in nodes])
