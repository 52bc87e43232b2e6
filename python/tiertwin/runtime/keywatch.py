"""A process looks at its key folder: who may come in by now, and whether its own keys are other ones.

Files are looked at once a second and read when they have changed. What cannot be read changes nothing: the last good
table and keys stay in force, and the log says why, once for each state of the files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tiertwin.errors import InputError
from tiertwin.runtime import logs
from tiertwin.wire.access import Access
from tiertwin.wire.keys import ACCESS_FILE, KeyPair, key_path, read_key

LOOK_NS = 1_000_000_000

_Signature = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Changed:
    """What is other than before.

    Parameters
    ----------
    access
        Who may come in at the nodes here.
    servers
        Public keys of the nodes that those here connect to, newest first.
    keys
        Of the nodes here that have another key now.
    """

    access: Access | None = None
    servers: dict[str, list[bytes]] = field(default_factory=dict)
    keys: dict[str, KeyPair] = field(default_factory=dict)


class KeyWatch:
    """Looks at a key folder.

    Parameters
    ----------
    folder
        Of the keys.
    keys
        Of the nodes of this process, as it was started with.
    guests
        Nodes that may connect to one here; others of the table are none of this process's business.
    parents
        Nodes elsewhere that those here connect to.
    """

    def __init__(
        self, folder: Path, keys: Mapping[str, KeyPair], guests: Iterable[str], parents: Iterable[str]
    ) -> None:
        self._folder, self._guests, self._parents = folder, frozenset(guests), sorted(set(parents))
        self._keys = dict(keys)
        self._paths = {node: key_path(folder, node) for node in keys}
        self._next = 0
        self._seen: dict[Path, _Signature | None] = {}  # nothing: who starts again may have been told old keys

    @property
    def _table(self) -> Path:
        return self._folder / ACCESS_FILE

    def look(self, now_ns: int, now_s: float) -> Changed | None:
        """Return what has changed since the last look; None: nothing, or it is no second ago."""
        if now_ns < self._next:
            return None
        self._next = now_ns + LOOK_NS
        table = self._read_table() if self._moved(self._table) else None
        keys = self._other_keys(now_s)
        if table is None:
            return Changed(keys=keys) if keys else None
        servers = {name: held for name in self._parents if (held := table.publics_of(name))}
        return Changed(Access(grant for grant in table.grants if grant.node in self._guests), servers, keys)

    def _other_keys(self, now_s: float) -> dict[str, KeyPair]:
        other = {}
        for node, path in self._paths.items():
            pair = _read_pair(path, node, now_s) if self._moved(path) else None
            if pair is not None and pair != self._keys[node]:
                other[node] = self._keys[node] = pair
        return other

    def _moved(self, path: Path) -> bool:
        now, before = _signature(path), self._seen.get(path)
        self._seen[path] = now
        return now != before

    def _read_table(self) -> Access | None:
        try:
            return Access.read(self._table)
        except InputError as error:
            logs.warning("access table not taken", path=str(self._table), reason="; ".join(error.problems))
            return None


def _read_pair(path: Path, node: str, now_s: float) -> KeyPair | None:
    try:
        return read_key(path, now_s, node).pair
    except InputError as error:
        logs.warning("key not taken", node=node, path=str(path), reason="; ".join(error.problems))
        return None


def _signature(path: Path) -> _Signature | None:
    """Return what a file that is replaced has another of; None: no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
