"""Who may come in: public key → node, role, parents, rights, end of validity (R29).

One immutable table, from one strict JSON file or made in memory; a new one replaces it in one step
(`WireContext.swap`). The key decides who a peer is; nothing that the peer says about itself does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from tiertwin.errors import InputError

Role: TypeAlias = Literal["device", "edge", "fog", "cloud", "plant", "solver", "observer"]
Right: TypeAlias = Literal["report", "obey", "observe", "solve"]

ANY = "*"  # as a parent: every node of the table
KEYS_A_NODE = 2  # the old one and the new one, while keys are changed
ACCESS_BYTES = 16 << 20  # of the file: 50 000 nodes

# report: write tables upwards; obey: get leased budgets; observe: read the parent's tables; solve: SOLVE and SOLVED
RIGHTS: dict[Role, tuple[Right, ...]] = {
    "device": ("report", "obey"),
    "edge": ("report", "obey"),
    "fog": ("report", "obey"),
    "cloud": (),
    "plant": ("report", "obey"),
    "solver": ("solve",),
    "observer": ("observe",),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder of a key may do. `not_after_s` is in seconds since 1970."""

    public: str
    node: str
    role: Role
    parents: tuple[str, ...]
    not_after_s: int
    narrowed: tuple[Right, ...] | None = None  # None: all that the role may

    @property
    def rights(self) -> tuple[Right, ...]:
        """What it may do at a parent."""
        return RIGHTS[self.role] if self.narrowed is None else self.narrowed

    def may_attach_to(self, node: str) -> bool:
        """Whether `node` is among its parents."""
        return node in self.parents or ANY in self.parents


_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    public: Annotated[str, msgspec.Meta(min_length=40, max_length=40)]
    node: _Name
    role: Role
    parents: Annotated[list[Annotated[str, msgspec.Meta(max_length=63)]], msgspec.Meta(max_length=64)]
    not_after: Annotated[datetime, msgspec.Meta(tz=True)]
    rights: Annotated[list[Right], msgspec.Meta(max_length=4)] | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["tiertwin-access-1"]
    keys: Annotated[list[_Row], msgspec.Meta(max_length=100_000)]


class Access:
    """The table. Immutable.

    Parameters
    ----------
    grants
        One a key; at most two keys a node, which then agree in role and parents.

    Raises
    ------
    InputError
        A key listed twice, a node with more than two keys or two roles, a right that its role has not.
    """

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        self.grants = tuple(grants)
        self._by_key: dict[str, Grant] = {}
        self._by_node: dict[str, list[Grant]] = {}
        problems = []
        for k, grant in enumerate(self.grants):
            held = self._by_node.setdefault(grant.node, [])
            if grant.public in self._by_key:
                problems.append(f"keys[{k}]: the key of {grant.node!r} is listed twice")
            elif len(held) == KEYS_A_NODE:
                problems.append(f"keys[{k}]: more than {KEYS_A_NODE} keys for {grant.node!r}; remove the oldest")
            elif held and (held[0].role, held[0].parents) != (grant.role, grant.parents):
                problems.append(f"keys[{k}]: the two keys of {grant.node!r} differ in role or parents")
            if beyond := set(grant.rights) - set(RIGHTS[grant.role]):
                problems.append(f"keys[{k}].rights: role {grant.role!r} may not {', '.join(sorted(beyond))}")
            held.append(grant)
            self._by_key[grant.public] = grant
        if problems:
            raise InputError(problems)

    def grant(self, public: str) -> Grant | None:
        """Return the grant of a key, valid or not any more; None: not listed."""
        return self._by_key.get(public)

    def public_of(self, node: str) -> bytes | None:
        """Return the newest key of a node, as its children pin it."""
        return next(iter(self.publics_of(node)), None)

    def publics_of(self, node: str) -> list[bytes]:
        """Return the keys of a node, newest first: two while they are changed."""
        held = sorted(self._by_node.get(node, ()), key=lambda grant: -grant.not_after_s)
        return [grant.public.encode() for grant in held]

    def __contains__(self, node: str) -> bool:
        return node in self._by_node

    def __len__(self) -> int:
        return len(self.grants)

    @classmethod
    def read(cls, path: Path) -> Access:
        """Return the table in a file.

        Raises
        ------
        InputError
            It is missing, writable by others, or malformed; all mistakes at once.
        """
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                content = file.read(ACCESS_BYTES + 1)
        except OSError as error:
            raise InputError(f"no access table to read: {error.strerror}", str(path)) from None
        if mode & 0o022:
            raise InputError(
                f"is writable by others (mode {mode & 0o777:04o}); whoever writes it decides who comes in. "
                f"`chmod 644 {path}` after looking through it.",
                str(path),
            )
        if len(content) > ACCESS_BYTES:
            raise InputError(f"is longer than {ACCESS_BYTES} bytes", str(path))
        try:
            return cls.from_json(content)
        except InputError as error:
            raise InputError(error.problems, str(path)) from None

    @classmethod
    def from_json(cls, content: bytes) -> Access:
        """Return the table of a JSON text; InputError when it is malformed."""
        try:
            rows = msgspec.json.decode(content, type=_File, strict=True).keys
        except (msgspec.DecodeError, ValueError) as error:
            raise InputError(f"is no access table: {error}") from None
        return cls(
            Grant(
                row.public,
                row.node,
                row.role,
                tuple(row.parents),
                int(row.not_after.timestamp()),
                None if row.rights is None else tuple(row.rights),
            )
            for row in rows
        )

    def to_json(self) -> bytes:
        """Return the table as the text of a file."""
        rows = [
            _Row(
                public=grant.public,
                node=grant.node,
                role=grant.role,
                parents=list(grant.parents),
                not_after=datetime.fromtimestamp(grant.not_after_s, UTC),
                rights=None if grant.narrowed is None else list(grant.narrowed),
            )
            for grant in self.grants
        ]
        encoded = msgspec.json.encode(_File(format="tiertwin-access-1", keys=rows))
        return msgspec.json.format(encoded) + b"\n"
