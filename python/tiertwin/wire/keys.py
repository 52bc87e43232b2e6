"""Keys of nodes: a pair for CURVE, the file it lives in, and sets of them for a whole tree.

A key folder holds one secret file a node (mode 0600, read by nobody else) and `access.json`, which says whose public
key is whose (`access.py`). A node needs its own secret file and `access.json`, nothing else.

Secrets appear in no repr, no log line and no error.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal, cast

import msgspec
import zmq

from tiertwin.errors import InputError
from tiertwin.wire.access import ANY, Access, Grant, Role

NODE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
ACCESS_FILE = "access.json"
OBSERVER: Final = "observer"  # a role
OBSERVERS: Final = ("observer", "observer-2", "observer-3", "observer-4")  # so many may look at a tree at once
METRICS: Final = "metrics"  # an observer, too, with a key of its own: two with one key take the link from each other
KEY_BYTES = 4096  # of a key file; a real one has 300
DAY_S = 86_400
THROW_AWAY_DAYS = 30  # keys of one run: longer than any run


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair, Z85 (40 characters each)."""

    public: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> KeyPair:
        """Return a new pair from the entropy of the system."""
        public, secret = zmq.curve_keypair()
        return cls(public, secret)

    @classmethod
    def of(cls, public: str, secret: str) -> KeyPair:
        """Return a pair from text; ValueError when the two are none (the message repeats neither)."""
        try:
            good = zmq.curve_public(secret.encode()) == public.encode()
        except (ValueError, zmq.ZMQError):
            good = False
        if not good:
            raise ValueError("`public` and `secret` are no CURVE key pair")
        return cls(public.encode(), secret.encode())


Z85 = Annotated[str, msgspec.Meta(min_length=40, max_length=40)]


class NodeKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a node's secret file holds; also how a launcher hands a key over on standard input."""

    format: Literal["tiertwin-key-1"] = "tiertwin-key-1"
    node: Annotated[str, msgspec.Meta(max_length=63)]
    role: Role
    public: Z85
    secret: Z85
    not_after: Annotated[datetime, msgspec.Meta(tz=True)]

    def __repr__(self) -> str:
        return f"NodeKey({self.node!r}, {self.role}, public {self.public[:8]}…)"

    @property
    def pair(self) -> KeyPair:
        """The CURVE pair."""
        return KeyPair.of(self.public, self.secret)

    @property
    def not_after_s(self) -> int:
        """End of validity in seconds since 1970."""
        return int(self.not_after.timestamp())


@dataclass(frozen=True, slots=True)
class Member:
    """One node that gets a key: its name, its role, and the nodes that it may connect to."""

    name: str
    role: Role
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys of all members, and the table that lets them in."""

    keys: dict[str, NodeKey]
    access: Access


def members_of(twins: Iterable[tuple[str, str, str | None]], solvers: int = 2) -> list[Member]:
    """Return who needs a key in a tree: the twins, a plant for each device twin, solvers and observers.

    Parameters
    ----------
    twins
        (name, role, parent) in roster order, as the world has them; a role is a tier's label.
    """
    rows = [(name, cast(Role, role), parent) for name, role, parent in twins]
    made = [Member(name, role, (parent,) if parent else ()) for name, role, parent in rows]
    devices = [name for name, role, _ in rows if role == "device"]
    made += [Member("plant-" + name.removeprefix("device-"), "plant", (name,)) for name in devices]
    made += [Member(f"solver-{k + 1}", "solver", (ANY,)) for k in range(solvers)]
    return [*made, *(Member(name, OBSERVER, (ANY,)) for name in (*OBSERVERS, METRICS))]


def make_keys(members: Iterable[Member], now_s: float, days: float = THROW_AWAY_DAYS) -> KeySet:
    """Return fresh keys for `members`, valid for `days` from `now_s` (seconds since 1970)."""
    until = datetime.fromtimestamp(int(now_s + days * DAY_S), UTC)
    keys: dict[str, NodeKey] = {}
    grants = []
    for member in members:
        check_name(member.name)
        if member.name in keys:
            raise InputError(f"two nodes are named {member.name!r}; a name has one key")
        pair = KeyPair.fresh()
        public = pair.public.decode()
        keys[member.name] = NodeKey(
            node=member.name, role=member.role, public=public, secret=pair.secret.decode(), not_after=until
        )
        grants.append(Grant(public, member.name, member.role, member.parents, int(until.timestamp())))
    return KeySet(keys, Access(grants))


def check_name(name: str) -> str:
    """Return a node's name, or say what is wrong with it (R40): names become files."""
    if not NODE_NAME.fullmatch(name):
        raise InputError(f"expected a node name of a-z, 0-9 and '-' (at most 63, no '-' first), got {name!r}")
    return name


# ---------------------------------------------------------------------------------------------------------------- files
def key_path(folder: Path, node: str) -> Path:
    """Return where the secret key of `node` lies."""
    return folder / f"{check_name(node)}.key.json"


def write_keys(folder: Path, keys: KeySet, *, durable: bool = True) -> list[Path]:
    """Write a key folder, secrets first; never over files that are there.

    Parameters
    ----------
    durable
        Synced to disk, about 10 ms a key; keys of one run need not outlive a power cut.

    Raises
    ------
    InputError
        The folder holds keys already.
    """
    there = sorted(folder.glob("*.key.json")) + sorted(folder.glob(ACCESS_FILE)) if folder.is_dir() else []
    if there:
        raise InputError(f"holds keys already ({there[0].name}, …). Choose another folder.", str(folder))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = [key_path(folder, name) for name in keys.keys]
    for path, key in zip(written, keys.keys.values(), strict=True):
        write_private(path, msgspec.json.format(msgspec.json.encode(key)) + b"\n", durable=durable)
    access = folder / ACCESS_FILE
    write_private(access, keys.access.to_json(), mode=0o644, durable=durable)
    return [*written, access]


def write_private(path: Path, content: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
    """Write a file that appears whole or not at all, and that never was readable by others.

    Parameters
    ----------
    mode
        Permissions, from its first byte on.
    durable
        Synced to disk before it has its name.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_key(path: Path, now_s: float, node: str | None = None) -> NodeKey:
    """Return the key in a file.

    Raises
    ------
    InputError
        It is missing, readable by others, malformed, expired at `now_s`, or of another node than `node`.
    """
    key = _decode_key(path, _read_secret(path))
    if node is not None and key.node != node:
        raise InputError(f"is the key of {key.node!r}, expected that of {node!r}", str(path))
    if now_s >= key.not_after_s:
        raise InputError(
            f"the key of {key.node!r} expired at {key.not_after:%Y-%m-%d %H:%M} UTC. Make new ones: `tiertwin keys`.",
            str(path),
        )
    return key


@contextmanager
def free_observer_key(folder: Path) -> Iterator[NodeKey]:
    """Hold the first observer's key that nobody else on this host looks with; an expired one is yielded all the same.

    Raises
    ------
    InputError
        There is none, it cannot be read, or all are in use.
    """
    paths = [path for name in OBSERVERS if (path := key_path(folder, name)).exists()]
    if not paths:
        read_key(key_path(folder, OBSERVERS[0]), 0.0)  # says what is missing
    for path in paths:
        key = read_key(path, 0.0)
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield key
            return
    raise InputError(f"{len(paths)} observers look at this tree already; wait for one of them to end", str(folder))


def _read_secret(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise InputError(
                    f"is readable by others (mode {mode & 0o777:04o}); a secret key must be 0600. If nobody read it: "
                    f"`chmod 600 {path}`; else make new keys.",
                    str(path),
                )
            content = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"no key to read: {error.strerror}. `tiertwin keys` makes a folder of keys.", str(path)
        ) from None
    if len(content) > KEY_BYTES:
        raise InputError(f"is no key file: longer than {KEY_BYTES} bytes", str(path))
    return content


def _decode_key(path: Path, content: bytes) -> NodeKey:
    try:
        key = msgspec.json.decode(content, type=NodeKey, strict=True)
        check_name(key.node)
        key.pair  # noqa: B018  raises when the two do not belong together
    except (msgspec.DecodeError, ValueError) as error:
        raise InputError(f"is no key file: {error}", str(path)) from None
    return key


# ---------------------------------------------------------------------------------------------------------------- state
@dataclass(frozen=True, slots=True)
class KeyState:
    """What `tiertwin keys --check` says of one file."""

    name: str
    role: str
    days_left: float
    problem: str = ""


def check_folder(folder: Path, now_s: float) -> list[KeyState]:
    """Return the state of every key in a folder, `access.json` last; InputError when there is none."""
    paths = sorted(folder.glob("*.key.json"))
    if not paths:
        raise InputError("no keys here. `tiertwin keys` makes a folder of keys.", str(folder))
    access, problem = None, ""
    try:
        access = Access.read(folder / ACCESS_FILE)
    except InputError as error:
        problem = "; ".join(error.problems)
    states = [_state(path, now_s, access) for path in paths]
    ends = [grant.not_after_s for grant in access.grants] if access is not None else []
    return [*states, KeyState(ACCESS_FILE, "", (min(ends) - now_s) / DAY_S if ends else 0.0, problem)]


def _state(path: Path, now_s: float, access: Access | None) -> KeyState:
    node = path.name.removesuffix(".key.json")
    try:
        key = read_key(path, now_s, node)
    except InputError as error:
        return KeyState(node, "", 0.0, "; ".join(error.problems))
    left = (key.not_after_s - now_s) / DAY_S
    grant = access.grant(key.public) if access is not None else None
    if access is not None and (grant is None or grant.node != node):
        return KeyState(node, key.role, left, f"{ACCESS_FILE} does not list this key for {node!r}")
    return KeyState(node, key.role, left)


def publics(keys: Sequence[NodeKey]) -> dict[str, bytes]:
    """Return node → public key, as pinned by children."""
    return {key.node: key.public.encode() for key in keys}
