"""A deployment: one file that says where every node of a tree lives, so that any of them can be started by hand.

    RUN/deployment.json     this file: no secrets in it
    RUN/world.npz           the resolved world, the same on every host
    RUN/keys/               secret keys of the nodes of this host, and access.json
    RUN/state/              what the nodes of this host must not forget

Paths in the file are relative to its own folder. `tiertwin run --clock real` writes one, `tiertwin node` reads it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from tiertwin import __version__
from tiertwin.errors import InputError, OutputError, UnknownNameError, suggest
from tiertwin.model.tiers import Tier
from tiertwin.runtime.childconfig import ChildConfig, LiveConfig, Peer, TwinsConfig, settings_from_plain
from tiertwin.runtime.control import Address
from tiertwin.runtime.poolclient import POOL
from tiertwin.runtime.roster import Roster
from tiertwin.twin.attributes import registry
from tiertwin.wire.access import Access
from tiertwin.wire.keys import ACCESS_FILE, Member, key_path, members_of, read_key, write_private
from tiertwin.world.stored import stored_world

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tiertwin.wire.keys import NodeKey
    from tiertwin.world.world import TwinSpec

DEPLOYMENT_FILE, WORLD_FILE, KEY_FOLDER, STATE_FOLDER = "deployment.json", "world.npz", "keys", "state"
LARGEST = 64 << 20  # bytes of the file: a trace of arrivals may be in it
OBSERVER, METRICS = "observer", "metrics"  # a key each: of two with one key, the later takes the link over
ROLES = tuple(tier.label for tier in Tier)
_ALL_INTERFACES = {False: "0.0.0.0", True: "::"}  # noqa: S104  by IPv6; taken only where it is asked for in words

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Host = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
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


def read_deployment(path: Path) -> Deployment:
    """Return a deployment from its file, checked in itself.

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
    try:
        _check_head(msgspec.json.decode(content, type=_Head), where)
        deployment = msgspec.json.decode(content, type=Deployment, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"is no deployment: {error}. Take the one of the run directory, or mend what you changed.", where
        ) from None
    if problems := _problems(deployment.nodes):
        raise InputError(problems, where)
    return deployment


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


# ------------------------------------------------------------------------------------------------------------- process
def node_config(path: Path, process: str, names: Sequence[str], now_s: float, *, public: bool = False) -> ChildConfig:
    """Return the configuration of a process that hosts `names`, without a launcher.

    Parameters
    ----------
    path
        The deployment.
    process
        What the process is called in its log; where `names` is empty, the process whose nodes are meant.
    names
        Nodes of the deployment.
    now_s
        Wall time: keys must be valid then.
    public
        Listen on all interfaces instead of the address in the deployment.

    Raises
    ------
    InputError, UnknownNameError
        What is wrong in the deployment, the world, the keys or the names; all of it where that is possible.
    """
    deployment, folder = read_deployment(path), path.absolute().parent
    names = list(names) or deployment.nodes_of(process)
    places = {place.name: place for place in deployment.nodes}
    _check_names(names, list(places))
    world = folder / deployment.world
    roster = _roster(world, places, path)
    _check_settings(deployment, path)
    hosts = sorted({places[name].host for name in names})
    if len(hosts) > 1:
        raise InputError(f"one process has one host, but {', '.join(names)} are on {' and '.join(hosts)}", str(path))
    here = set(names)
    keys = _read_keys(folder / deployment.keys, [places[name] for name in names], now_s, path)
    children = {child.name for name in names for child in roster.children(name) if child.name not in here}
    table = Access.read(folder / deployment.keys / ACCESS_FILE)
    access = Access(grant for grant in table.grants if grant.node in children | {OBSERVER, METRICS})
    parents = {name: roster.parent(name) for name in names}
    solving = [name for name in names if roster.tier(name) >= Tier.FOG and deployment.pool is not None]
    addresses = {place.name: Address(place.host, place.port) for place in deployment.nodes if place.port}
    if deployment.pool is not None:
        addresses[POOL] = Address(deployment.pool.host, deployment.pool.port)
    listening = [name for name in names if roster.tier(name) >= 0]
    twins = TwinsConfig(
        world=str(world),
        settings=deployment.settings,
        nodes=list(names),
        keys=keys,
        access=access.to_json().decode(),
        parents={n: Peer(p, places[p].public) for n, p in parents.items() if p is not None and p not in here},
        listening=listening,
        bind=_ALL_INTERFACES[":" in hosts[0]] if public else hosts[0],
        pool=Peer(POOL, deployment.pool.public) if solving and deployment.pool is not None else None,
        solving=solving,
        live=LiveConfig(
            str(folder / deployment.state),
            deployment.origin,
            {name: places[name].port for name in listening},
            public,
            addresses,
        ),
    )
    return ChildConfig(process, dies_with_parent=False, twins=twins)


def _check_names(names: Sequence[str], known: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if name not in known:
            raise UnknownNameError(f"--name: expected a node of the deployment, got {name!r}{suggest(name, known)}")
        if count > 1:
            raise InputError(f"--name: {name!r} is named {count} times; a name is one node")


def _roster(world: Path, places: dict[str, Place], path: Path) -> Roster:
    """Return the roster of the world, which must be that of the deployment."""
    if not world.is_file():
        raise InputError(
            f"no world to read: {path} names it as its world. Copy it from the run directory, where both were written.",
            str(world),
        )
    roster = Roster(stored_world(world))
    unknown = [name for name in places if name not in roster.nodes]
    problems = [f"nodes: {name!r} is no node of the world{suggest(name, roster.names)}" for name in unknown]
    problems += [f"nodes: {name!r} of the world is missing" for name in roster.names if name not in places]
    problems += [
        f"nodes: {name!r} has children and no port" for name, place in places.items()
        if place.port == 0 and name in roster.nodes and not roster.is_plant(name)
    ]  # fmt: skip
    if problems:
        more = len(problems) - _LISTED
        rest = [f"and {more} more"] if more > 0 else []
        raise InputError([*problems[:_LISTED], *rest, f"{world} and this file must be of one run"], str(path))
    return roster


_LISTED = 10  # problems of one kind


def _check_settings(deployment: Deployment, path: Path) -> None:
    try:
        settings_from_plain(deployment.settings)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"settings: {type(error).__name__}: {error}. They are written by the run; take its own.", str(path)
        ) from None


def _read_keys(folder: Path, places: Sequence[Place], now_s: float, path: Path) -> list[NodeKey]:
    """Return the keys of `places`; InputError with all that is wrong with them."""
    keys, problems = [], []
    for place in places:
        file = key_path(folder, place.name)
        try:
            key = read_key(file, now_s, place.name)
        except InputError as error:
            problems.append(f"{file}: {error.problems[0]}")
            continue
        if key.public != place.public:
            problems.append(
                f"{file}: is another key ({key.public[:8]}…) than {path.name} has for {place.name!r} "
                f"({place.public[:8]}…). Copy the key that belongs to it, or start the tree anew with new keys."
            )
        keys.append(key)
    if problems:
        raise InputError(problems)
    return keys
