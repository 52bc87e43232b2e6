"""The configuration of a process that hosts nodes of a deployment and has no launcher."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.runtime.childconfig import ChildConfig, LiveConfig, Peer, settings_from_plain, twins_config
from tiertwin.runtime.control import Address
from tiertwin.runtime.deployment import read_deployment
from tiertwin.runtime.poolclient import POOL
from tiertwin.runtime.roster import Roster
from tiertwin.wire.access import Access
from tiertwin.wire.keys import ACCESS_FILE, key_path, read_key
from tiertwin.world.stored import stored_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin.runtime.deployment import Deployment, Place
    from tiertwin.wire.keys import NodeKey

_ALL_INTERFACES = {False: "0.0.0.0", True: "::"}  # noqa: S104  by IPv6; taken only where it is asked for in words
_LISTED = 10  # problems of one kind


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
    access = Access.read(folder / deployment.keys / ACCESS_FILE)
    keys = _read_keys(folder / deployment.keys, [places[name] for name in names], access, now_s, path)
    addresses = {place.name: Address(place.host, place.port) for place in deployment.nodes if place.port}
    if deployment.pool is not None:
        addresses[POOL] = Address(deployment.pool.host, deployment.pool.port)
    twins = twins_config(
        roster,
        names,
        world,
        deployment.settings,
        keys,
        {place.name: _public(place, access) for place in deployment.nodes},
        access.grants,
        _ALL_INTERFACES[":" in hosts[0]] if public else hosts[0],
        None if deployment.pool is None else Peer(POOL, deployment.pool.public),
        LiveConfig(
            str(folder / deployment.state),
            deployment.origin,
            {name: places[name].port for name in names if roster.tier(name) >= 0},
            public,
            addresses,
            str(folder / deployment.keys),
            deployment.durable,
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


def _check_settings(deployment: Deployment, path: Path) -> None:
    try:
        settings_from_plain(deployment.settings)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"settings: {type(error).__name__}: {error}. They are written by the run; take its own.", str(path)
        ) from None


def _public(place: Place, access: Access) -> str:
    """Return the public key of a node: the newest in the table, for keys may have been changed since the run began."""
    newest = access.public_of(place.name)
    return place.public if newest is None else newest.decode()


def _read_keys(folder: Path, places: Sequence[Place], access: Access, now_s: float, path: Path) -> list[NodeKey]:
    """Return the keys of `places`; InputError with all that is wrong with them."""
    keys, problems = [], []
    for place in places:
        file = key_path(folder, place.name)
        try:
            key = read_key(file, now_s, place.name)
        except InputError as error:
            problems.append(f"{file}: {error.problems[0]}")
            continue
        grant = access.grant(key.public)
        if key.public != place.public and (grant is None or grant.node != place.name):
            problems.append(
                f"{file}: is another key ({key.public[:8]}…) than {path.name} has for {place.name!r} "
                f"({place.public[:8]}…), and {ACCESS_FILE} does not list it. Copy the key that belongs to it, or start "
                "the tree anew with new keys."
            )
        keys.append(key)
    if problems:
        raise InputError(problems)
    return keys
