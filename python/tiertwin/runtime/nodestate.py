"""What a node must not forget: its incarnation, the highest authority of each neighbour, the highest epoch (R18, R50).

One small JSON file a node, replaced as a whole and synced: whoever reads it finds the old one or the new one.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from tiertwin.errors import InputError, OutputError
from tiertwin.wire.keys import write_private

Count = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class PlaceTakenError(InputError):
    """Another process of this host hosts the node."""


def boot_id() -> str:
    """Return what names this boot of the host, so that a pid from before it is not taken for one of now (R50)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "?"


class NodeState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file's content."""

    format: Literal["tiertwin-node-1"] = "tiertwin-node-1"
    node: Annotated[str, msgspec.Meta(max_length=63)]
    incarnation: Count
    epoch: Count = 0
    terms: dict[Annotated[str, msgspec.Meta(max_length=63)], Count] = {}
    slots: dict[Annotated[str, msgspec.Meta(max_length=63)], Annotated[int, msgspec.Meta(ge=1, le=65535)]] = {}


class NodeLock:
    """Held as long as this process hosts a node: two of one name on a host would share a state file and a port.

    The file holds pid and boot id (R50); the lock itself ends with the process. Raises what :class:`StateFile` does,
    and PlaceTakenError while another process holds it.
    """

    def __init__(self, folder: Path, node: str) -> None:
        path = folder / f"{node}.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise OutputError(f"lock of node {node!r}: {path} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = (os.read(self._descriptor, 64).decode(errors="replace").split() or ["?"])[0]
            os.close(self._descriptor)
            raise PlaceTakenError(
                f"node {node!r} runs already, in the process with pid {holder}. End that one first "
                f"(`kill {holder}`), or start another node.",
                str(path),
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()} {boot_id()}\n".encode())

    def close(self) -> None:
        """Let another process host the node; the end of the process does it too."""
        os.close(self._descriptor)


class StateFile:
    """The file of one node, held by the process that hosts it.

    Opening it begins a new life: the incarnation is raised and on disk before anything is sent (R7).

    Parameters
    ----------
    folder
        Where the files of this host's nodes are.
    node
        Name of the node.

    Raises
    ------
    InputError
        The file is not one of ours, or another node's.
    OutputError
        It cannot be written.
    """

    def __init__(self, folder: Path, node: str) -> None:
        self._path = folder / f"{node}.state"
        found = self._read(node)
        self.state = NodeState(
            node=node,
            incarnation=1 if found is None else found.incarnation + 1,
            epoch=0 if found is None else found.epoch,
            terms={} if found is None else found.terms,
            slots={} if found is None else found.slots,
        )
        self._write()

    def raise_term(self, peer: str, term: int) -> None:
        """Put the authority of a neighbour on disk; lower ones change nothing."""
        if term > self.state.terms.get(peer, 0):
            self.state = msgspec.structs.replace(self.state, terms={**self.state.terms, peer: term})
            self._write()

    def slot(self, peer: str) -> int:
        """Return the number of a neighbour in the log, from 1; a new one is on disk when this returns (R45)."""
        known = self.state.slots
        if peer not in known:
            self.state = msgspec.structs.replace(self.state, slots={**known, peer: 1 + max(known.values(), default=0)})
            self._write()
        return self.state.slots[peer]

    def note_epoch(self, epoch: int) -> None:
        """Remember the highest epoch; written with the next change or by :meth:`close`."""
        if epoch > self.state.epoch:
            self.state = msgspec.structs.replace(self.state, epoch=epoch)

    def close(self) -> None:
        """Write what was only remembered."""
        self._write()

    def _read(self, node: str) -> NodeState | None:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"no state to read: {error.strerror}", str(self._path)) from None
        try:
            state = msgspec.json.decode(content, type=NodeState, strict=True)
        except (msgspec.DecodeError, ValueError) as error:
            raise InputError(
                f"is no state of a node ({error}). Move it away to start node {node!r} as a new one.", str(self._path)
            ) from None
        if state.node != node:
            raise InputError(f"belongs to node {state.node!r}, not to {node!r}", str(self._path))
        return state

    def _write(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_private(self._path, msgspec.json.encode(self.state), mode=0o644)
        except OSError as error:
            raise OutputError(
                f"state of node {self.state.node!r}: {self._path} cannot be written: {error.strerror}"
            ) from error
