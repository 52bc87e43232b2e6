"""A deployment: one file that says where every node of a tree lives, so that any can be looked at or started by hand.

    RUN/deployment.json     this file: no secrets in it
    RUN/world.npy           the resolved world, the same on every host
    RUN/keys/               secret keys of the nodes of this host, and access.json
    RUN/state/              what the nodes of this host must not forget

Paths in the file are relative to its own folder. `tiertwin run --clock real` writes one; `tiertwin node` reads it, and
`tiertwin doctor` (treefile.py).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec

from tiertwin import __version__
from tiertwin.errors import InputError, OutputError, UnknownNameError, suggest
from tiertwin.model.tiers import Tier
from tiertwin.runtime.poolclient import POOL
from tiertwin.twin.attributes import registry
from tiertwin.wire.keys import Member, members_of, write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tiertwin.world.world import TwinSpec

DEPLOYMENT_FILE, WORLD_FILE, KEY_FOLDER, STATE_FOLDER = "deployment.json", "world.npy", "keys", "state"
LARGEST = 64 << 20  # bytes of the file: a trace of arrivals may be in it
ROLES = tuple(tier.label for tier in Tier)

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Host = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
_T = TypeVar("_T")
PublicKey = Annotated[str, msgspec.Meta(min_length=40, max_length=40)]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a node lives: the process that hosts it, where it listens, and its public key.

    Parameters
    ----------
    port
        0: nobody connects to it (the plant's side of a site).
    """

    name: Name
    process: Name
    host: Host
    port: Port
    public: PublicKey


class RunningProcess(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A process of the tree as the operating system knows it.

    Parameters
    ----------
    pid
        Its number on `machine`; 0: unknown.
    began
        Start time in the kernel's ticks, so that a later process with the same number is told apart; 0: unknown.
    machine
        Name of its host; empty: unknown.
    degraded
        Why it is not started again; empty: it runs, or is started again.
    """

    name: Text
    pid: Annotated[int, msgspec.Meta(ge=0)] = 0
    began: Annotated[int, msgspec.Meta(ge=0)] = 0
    machine: Annotated[str, msgspec.Meta(max_length=255)] = ""
    degraded: Annotated[str, msgspec.Meta(max_length=4096)] = ""


class PoolPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the solver pool listens; without it fogs and cloud plan without an optimiser."""

    host: Host
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    public: PublicKey


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file's content.

    Parameters
    ----------
    tiertwin, schema
        Version that wrote it, and fingerprint of the attributes (16 hex digits): both ends of a link must agree.
    world, keys, state
        The world's file, the folder of keys, the folder of state files; relative to the file's own folder.
    settings
        What nodes need besides the world, as :func:`tiertwin.runtime.childconfig.settings_to_plain` gives it; the
        length of a base epoch is ``rhythm.base_epoch_s`` in it.
    origin
        When base epoch 0 begins, ns since 1970.
    durable
        Twins keep logs beside their state.
    running
        Processes of the tree while its launcher runs, also those that are lost; empty when they ended in order.
    """

    format: Literal["tiertwin-deployment-1"] = "tiertwin-deployment-1"
    tiertwin: Text
    schema: Text
    world: Text = WORLD_FILE
    keys: Text = KEY_FOLDER
    state: Text = STATE_FOLDER
    origin: Annotated[int, msgspec.Meta(ge=1)]
    pool: PoolPlace | None = None
    nodes: Annotated[list[Place], msgspec.Meta(min_length=1, max_length=200_000)]
    settings: dict[str, Any]
    durable: bool = False
    running: list[RunningProcess] = []

    def nodes_of(self, process: str) -> list[str]:
        """Return the nodes that a process hosts.

        Raises
        ------
        UnknownNameError
            There is no such process.
        """
        found = [place.name for place in self.nodes if place.process == process]
        if not found:
            known = list(dict.fromkeys(place.process for place in self.nodes))
            raise UnknownNameError(
                f"--process: expected a process of the deployment, got {process!r}{suggest(process, known)}"
            )
        return found


class _Head(msgspec.Struct):
    """What is looked at first: of another version the rest may look different."""

    format: str = ""
    tiertwin: str = ""
    schema: str = ""


def schema_fingerprint() -> str:
    """Fingerprint of the attributes of this version, 16 hex digits."""
    return f"{registry().fingerprint():016x}"


def tree_members(twins: Iterable[TwinSpec], solvers: int) -> list[Member]:
    """Return who needs a key in a tree of processes: each node may connect to its parent, orchestrators to the pool."""
    members = []
    for member in members_of([(t.name, ROLES[t.tier], t.parent) for t in twins], solvers):
        pool = (POOL,) if member.role in ROLES[Tier.FOG :] else ()
        members.append(Member(member.name, member.role, member.parents + pool))
    return [*members, Member(POOL, "solver")]


# ---------------------------------------------------------------------------------------------------------------- file
def write_deployment(path: Path, deployment: Deployment) -> None:
    """Write the file, whole or not at all.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(deployment)) + b"\n", mode=0o644)
    except OSError as error:
        raise OutputError(f"deployment: {path} cannot be written: {error.strerror}") from error


def read_deployment(path: Path, *, any_version: bool = False) -> Deployment:
    """Return a deployment from its file, checked in itself.

    Parameters
    ----------
    any_version
        One of another version or schema will do, if it can be read at all: it is only looked at.

    Raises
    ------
    InputError
        It is missing, no JSON, of another version or schema, or its nodes do not go together; says all of it.
    """
    where = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(
            f"no deployment to read: {error.strerror}. `tiertwin run --clock real` writes {DEPLOYMENT_FILE} into its "
            "run directory.",
            where,
        ) from None
    if len(content) > LARGEST:
        raise InputError(f"expected a deployment of at most {LARGEST} bytes, got more", where)
    head = _decode(content, _Head, where)
    try:
        if not any_version:
            _check_head(head, where)
        deployment = _decode(content, Deployment, where)
    except InputError:
        _check_head(head, where)  # which says more, if that is why
        raise
    if problems := _problems(deployment.nodes):
        raise InputError(problems, where)
    return deployment


def _decode(content: bytes, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.json.decode(content, type=kind, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"is no deployment: {error}. Take the one of the run directory, or mend what you changed.", where
        ) from None


def _check_head(head: _Head, where: str) -> None:
    expected = Deployment.__struct_defaults__[0]
    if head.format != expected:
        raise InputError(f"format: expected {expected!r}, got {head.format!r}: this is no deployment", where)
    if head.tiertwin != __version__:
        raise InputError(
            f"tiertwin: was written by version {head.tiertwin or '?'}, this is {__version__}; the nodes of a tree "
            f"are of one version. Install tiertwin=={head.tiertwin or '…'} here, or start the tree anew "
            f"with {__version__}.",
            where,
        )
    if head.schema != (ours := schema_fingerprint()):
        raise InputError(
            f"schema: was written for attributes {head.schema or '?'}, those here are {ours}; tables would not fit. "
            "Install the same build of tiertwin on every host, or start the tree anew with this one.",
            where,
        )


def _problems(nodes: Sequence[Place]) -> list[str]:
    """Return what is wrong between the nodes of a deployment."""
    found = []
    seats: dict[tuple[str, int], str] = {}
    for name, count in Counter(place.name for place in nodes).items():
        if count > 1:
            found.append(
                f"nodes: {name!r} stands there {count} times; a name is one node. Remove or rename the others."
            )
    for k, place in enumerate(nodes):
        seat = (place.host, place.port)
        if place.port and (other := seats.setdefault(seat, place.name)) != place.name:
            found.append(f"nodes[{k}]: {place.name!r} and {other!r} both listen on {place.host}:{place.port}")
    for public, count in Counter(place.public for place in nodes).items():
        names = list(dict.fromkeys(place.name for place in nodes if place.public == public)) if count > 1 else []
        if len(names) > 1:
            found.append(f"nodes: {' and '.join(map(repr, names))} have one key; each node has its own")
    return found
