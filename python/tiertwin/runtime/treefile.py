"""What a running tree leaves in its run directory so that others can look at it: who runs where, and an observer's key.

    run/tree.json            nodes with address and public key, processes with number and start time
    run/observer.key.json    0600

Both go with the tree's orderly end. Nodes started by hand leave neither: then `deployment.json` and `keys/` tell the
same but for the processes' numbers.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec

from tiertwin import __version__
from tiertwin.errors import InputError
from tiertwin.runtime.roster import Roster
from tiertwin.twin.attributes import registry
from tiertwin.wire.keys import key_path, write_private
from tiertwin.world.stored import stored_world

if TYPE_CHECKING:
    from tiertwin.wire.keys import NodeKey

TREE_FILE, OBSERVER_FILE, DEPLOYMENT_FILE = "tree.json", "observer.key.json", "deployment.json"
OBSERVER = "observer"
TREE_BYTES = 64 << 20  # of the file: far more than 50 000 nodes
Text = Annotated[str, msgspec.Meta(max_length=255)]
_T = TypeVar("_T")
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class RunningProcess(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A process of the tree.

    Parameters
    ----------
    pid
        Its number on `machine`; 0: unknown.
    began
        Start time in the kernel's ticks, so that a later process with the same number is told apart; 0: unknown.
    machine
        Name of its host; empty: unknown.
    """

    name: Text
    pid: Annotated[int, msgspec.Meta(ge=0)] = 0
    began: Annotated[int, msgspec.Meta(ge=0)] = 0
    machine: Text = ""


class RunningNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A node of the tree, in roster order; port 0: it does not listen."""

    name: Text
    tier: Annotated[int, msgspec.Meta(ge=-1, le=8)]
    parent: Text | None
    process: Text
    host: Text = "127.0.0.1"
    port: Port = 0
    public: Text = ""


class RunningTree(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tree as it runs.

    Parameters
    ----------
    periods_s
        Control period of each tier, by tier number as text, s.
    tiertwin, schema
        Version that wrote this, and fingerprint of its attributes (16 hex digits).
    """

    format: Literal["tiertwin-tree-1"] = "tiertwin-tree-1"
    nodes: list[RunningNode]
    processes: list[RunningProcess]
    periods_s: dict[Text, float] = {}
    tiertwin: Text = ""
    schema: Text = ""

    def neighbours(self, node: str) -> list[str]:
        """Neighbours of a node in roster order: the rows of its status table after the first."""
        parent = next((n.parent for n in self.nodes if n.name == node), None)
        return [n.name for n in self.nodes if n.parent == node or n.name == parent]


def write_tree(folder: Path, tree: RunningTree, key: NodeKey) -> None:
    """Leave the files; again when a process was replaced."""
    tree = msgspec.structs.replace(tree, tiertwin=__version__, schema=schema_fingerprint())
    key_file = folder / OBSERVER_FILE
    if not key_file.exists():
        write_private(key_file, msgspec.json.format(msgspec.json.encode(key)) + b"\n")
    write_private(folder / TREE_FILE, msgspec.json.format(msgspec.json.encode(tree)) + b"\n")


def remove_tree(folder: Path) -> None:
    """Take the files away."""
    for name in (TREE_FILE, OBSERVER_FILE):
        (folder / name).unlink(missing_ok=True)


def is_running(folder: Path) -> bool:
    """Whether a tree left its files here."""
    return (folder / TREE_FILE).is_file()


def schema_fingerprint() -> str:
    """Fingerprint of the attributes of this version, 16 hex digits."""
    return f"{registry().fingerprint():016x}"


def read_tree(folder: Path) -> RunningTree:
    """Return what a tree left.

    Raises
    ------
    InputError
        Nothing is there (it ended, or never ran as a tree under the real clock), or the file is malformed.
    """
    if is_running(folder):
        return _decode(folder / TREE_FILE, RunningTree)
    if (folder / DEPLOYMENT_FILE).is_file():
        return _of_deployment(folder)
    raise InputError(
        f"no running tree here: there is no {TREE_FILE}. It ended, or it never ran with `--clock real`. "
        "`tiertwin inspect` shows what a run left.",
        str(folder),
    )


def observer_key(folder: Path) -> Path:
    """Return where the observer's key lies."""
    own = folder / OBSERVER_FILE
    return own if own.is_file() else key_path(key_folder(folder), OBSERVER)


def key_folder(folder: Path) -> Path:
    """Return the folder of keys of a deployment."""
    return folder / "keys"


class _Place(msgspec.Struct, frozen=True):
    name: Text
    process: Text
    host: Text
    port: Port
    public: Text


class _Deployment(msgspec.Struct, frozen=True):
    """What matters here of a deployment."""

    nodes: list[_Place]
    world: Text = "world.npz"
    tiertwin: Text = ""
    schema: Text = ""


def _of_deployment(folder: Path) -> RunningTree:
    held = _decode(folder / DEPLOYMENT_FILE, _Deployment)
    places = {place.name: place for place in held.nodes}
    roster = Roster(stored_world(folder / held.world))
    nodes = [
        RunningNode(
            name=node.name,
            tier=node.tier,
            parent=node.parent,
            process=places[node.name].process,
            host=places[node.name].host,
            port=places[node.name].port,
            public=places[node.name].public,
        )
        for node in roster.nodes.values()
        if node.name in places
    ]
    processes = [RunningProcess(name=name) for name in dict.fromkeys(node.process for node in nodes)]
    return RunningTree(nodes=nodes, processes=processes, tiertwin=held.tiertwin, schema=held.schema)


def _decode(path: Path, kind: type[_T]) -> _T:
    try:
        with path.open("rb") as file:
            content = file.read(TREE_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", str(path)) from None
    if len(content) > TREE_BYTES:
        raise InputError(f"is longer than {TREE_BYTES} bytes", str(path))
    try:
        return msgspec.json.decode(content, type=kind, strict=True)
    except (msgspec.DecodeError, ValueError) as error:
        raise InputError(f"describes no running tree: {error}", str(path)) from None


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
