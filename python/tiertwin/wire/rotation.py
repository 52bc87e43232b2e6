"""Changing keys of a folder while the tree runs: a second key, taking the old one out, taking a node out.

    rotate   the new key stands in `access.json` beside the old one, then in the node's file: both are let in
    retire   only the key in the node's file is left in `access.json`
    revoke   no key of the node is left; its file stays, and lets nobody in

Each step leaves a folder that is good, whenever it is interrupted: a key is listed before its node has it. Nodes under
the real clock look at their files once a second (`tiertwin.runtime.keywatch`), so nobody is restarted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.wire.access import KEYS_A_NODE, Access, Grant
from tiertwin.wire.keys import ACCESS_FILE, DAY_S, KeyPair, NodeKey, key_path, read_key, write_private


def rotate(folder: Path, nodes: Sequence[str], now_s: float, days: float) -> list[NodeKey]:
    """Give each of `nodes` a fresh key, valid for `days` from `now_s`; the old one stays valid until `retire`.

    Raises
    ------
    InputError
        A node has two keys already, or its file cannot be read.
    UnknownNameError
        No such node in the table.
    """
    access = _table(folder, nodes)
    until = datetime.fromtimestamp(int(now_s + days * DAY_S), UTC)
    made, grants, problems = [], list(access.grants), []
    for node in nodes:
        held = _held(access, node)
        if len(held) >= KEYS_A_NODE:
            problems.append(
                f"{node!r} has {len(held)} keys already; `tiertwin keys --retire {node}` removes the old one"
            )
            continue
        read_key(key_path(folder, node), 0.0, node)
        pair = KeyPair.fresh()
        public = pair.public.decode()
        of = held[0]
        made.append(NodeKey(node=node, role=of.role, public=public, secret=pair.secret.decode(), not_after=until))
        grants.append(Grant(public, node, of.role, of.parents, int(until.timestamp()), of.narrowed))
    if problems:
        raise InputError(problems, str(folder))
    _write_table(folder, Access(grants))
    for key in made:
        write_private(key_path(folder, key.node), msgspec.json.format(msgspec.json.encode(key)) + b"\n")
    return made


def retire(folder: Path, nodes: Sequence[str]) -> list[str]:
    """Leave each of `nodes` the key that its file has; return the public keys that were taken out.

    Raises
    ------
    InputError
        The key in a node's file is not in the table: nothing would be left of the node.
    UnknownNameError
        No such node in the table.
    """
    access = _table(folder, nodes)
    keep = {}
    for node in nodes:
        key = read_key(key_path(folder, node), 0.0, node)
        if access.grant(key.public) is None:
            raise InputError(
                f"does not list the key in the file of {node!r}; nothing is taken out", str(folder / ACCESS_FILE)
            )
        keep[node] = key.public
    return _without(folder, access, [g for g in access.grants if g.node in keep and g.public != keep[g.node]])


def revoke(folder: Path, nodes: Sequence[str]) -> list[str]:
    """Take every key of `nodes` out of the table; return them.

    Raises
    ------
    UnknownNameError
        No such node in the table.
    """
    access = _table(folder, nodes)
    return _without(folder, access, [g for g in access.grants if g.node in nodes])


def _without(folder: Path, access: Access, gone: Sequence[Grant]) -> list[str]:
    removed = {grant.public for grant in gone}
    if removed:
        _write_table(folder, Access(grant for grant in access.grants if grant.public not in removed))
    return sorted(removed)


def _table(folder: Path, nodes: Sequence[str]) -> Access:
    access = Access.read(folder / ACCESS_FILE)
    known = sorted({grant.node for grant in access.grants})
    for node in nodes:
        if node not in access:
            raise UnknownNameError(f"{folder / ACCESS_FILE}: lists no node {node!r}{suggest(node, known)}")
    return access


def _held(access: Access, node: str) -> list[Grant]:
    return [grant for grant in access.grants if grant.node == node]


def _write_table(folder: Path, access: Access) -> None:
    write_private(folder / ACCESS_FILE, access.to_json(), mode=0o644)
