"""What a deployment says of a tree to those who look at it: who is in it, who runs where, and whether it runs."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tiertwin.errors import InputError
from tiertwin.model.tiers import Tier
from tiertwin.runtime.childconfig import settings_from_plain
from tiertwin.runtime.deployment import DEPLOYMENT_FILE, RunningProcess, read_deployment
from tiertwin.runtime.roster import Roster
from tiertwin.wire.endpoint import LOCALHOST
from tiertwin.world.stored import stored_world

if TYPE_CHECKING:
    from tiertwin.runtime.deployment import Deployment

ELSEWHERE = "elsewhere"  # process of nodes that come by themselves


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node of the tree; port 0: it does not listen."""

    name: str
    tier: int
    parent: str | None
    process: str
    host: str = LOCALHOST
    port: int = 0
    public: str = ""


@dataclass(frozen=True, slots=True)
class RunningTree:
    """The tree as it runs.

    Parameters
    ----------
    nodes
        In roster order.
    processes
        Those that a launcher runs with number and start time; where nodes were started by hand, names alone.
    periods_s
        Control period of each tier, s; empty: unknown.
    keys
        The folder of keys.
    tiertwin, schema
        Version that wrote the deployment, and fingerprint of its attributes (16 hex digits).
    """

    nodes: list[RunningNode]
    processes: list[RunningProcess]
    periods_s: dict[int, float] = field(default_factory=dict)
    keys: Path = Path("keys")
    tiertwin: str = ""
    schema: str = ""

    def neighbours(self, node: str) -> list[str]:
        """Neighbours of a node in roster order: the rows of its status table after the first."""
        parent = next((n.parent for n in self.nodes if n.name == node), None)
        return [n.name for n in self.nodes if n.parent == node or n.name == parent]


def read_tree(folder: Path) -> RunningTree:
    """Return the tree of a deployment.

    Raises
    ------
    InputError
        None is there (the folder is of a run that was no tree under the real clock), or it or its world is malformed.
    """
    path = folder / DEPLOYMENT_FILE
    if not path.is_file():
        raise InputError(
            f"no running tree here: there is no {DEPLOYMENT_FILE}. A run leaves it that runs with `--clock real`. "
            "`tiertwin inspect` shows what a run left.",
            str(folder),
        )
    held = read_deployment(path, any_version=True)
    places = {place.name: place for place in held.nodes}
    nodes = []
    for node in Roster(stored_world(folder / held.world)).nodes.values():
        if (place := places.get(node.name)) is None:
            nodes.append(RunningNode(node.name, node.tier, node.parent, ELSEWHERE))
        else:
            where = (place.process, place.host, place.port, place.public)
            nodes.append(RunningNode(node.name, node.tier, node.parent, *where))
    by_hand = [RunningProcess(name=name) for name in dict.fromkeys(place.process for place in held.nodes)]
    return RunningTree(nodes, held.running or by_hand, _periods(held), folder / held.keys, held.tiertwin, held.schema)


def running_processes(folder: Path) -> list[RunningProcess]:
    """Return the processes that a launcher runs here, or ran when it was killed; none when it ended in order."""
    path = folder / DEPLOYMENT_FILE
    try:
        return read_deployment(path, any_version=True).running if path.is_file() else []
    except InputError:  # that of a run that is over may have been changed by hand
        return []


def _periods(held: Deployment) -> dict[int, float]:
    try:
        rhythm = settings_from_plain(held.settings).rhythm
        return {int(tier): rhythm.period_s(tier) for tier in Tier}
    except (KeyError, TypeError, ValueError, AttributeError):  # of another version
        return {}


# -- processes of this machine -----------------------------------------------------------------------------------------
def machine() -> str:
    """Name of this machine."""
    return socket.gethostname()


def began(pid: int) -> int:
    """Start time of a process in the kernel's ticks; 0 when there is no such process or no /proc."""
    return stat_of(pid)[1]


def stat_of(pid: int) -> tuple[str, int]:
    """State letter (``T``: stopped, ``Z``: ended and not yet collected) and start time; ("", 0): no such process."""
    try:
        rest = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return rest[0], int(rest[19])
    except (OSError, IndexError, ValueError):
        return "", 0
