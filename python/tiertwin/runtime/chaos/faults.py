"""How each kind of fault begins and ends. Each returns when it was over, ns since 1970; whatever comes between, what it
did to a process, a disk or the cable is undone.
"""

from __future__ import annotations

import random
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiertwin import _core
from tiertwin.runtime.chaos.tree import gone, wait_gone
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.keys import KeyPair
from tiertwin.wire.zeromq import NodeEndpoint, ParentAddress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tiertwin.runtime.chaos.plan import Fault
    from tiertwin.runtime.chaos.tree import ChaosTree

GONE_S, END_S, TOLD_S, SYNC_S = 10.0, 5.0, 20.0, 20.0  # timeouts `gone`, `end`, `degraded`, `sync`
CONNECTIONS = 20  # of garbage


@dataclass
class Hurt:
    """What a fault did: when it was over (ns since 1970), and promises that broke meanwhile, by number."""

    over: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)


def kill(tree: ChaosTree, fault: Fault) -> Hurt:
    """SIGKILL; over when it is gone."""
    pid = tree.signal(fault.process, signal.SIGKILL)
    found = Hurt()
    if not wait_gone(pid, GONE_S):
        found.broken.append((15, f"timeout 'gone': {fault.process} (pid {pid}) outlived SIGKILL by {GONE_S:g} s"))
    found.over = time.time_ns()
    return found


def pause(tree: ChaosTree, fault: Fault) -> Hurt:
    """SIGSTOP for some seconds."""
    pid = tree.signal(fault.process, signal.SIGSTOP)
    try:
        tree.run_for(fault.seconds)
    finally:
        if tree.pid(fault.process) == pid:
            tree.signal(fault.process, signal.SIGCONT)
    return Hurt(time.time_ns())


def stop(tree: ChaosTree, fault: Fault) -> Hurt:
    """SIGTERM; when it has ended, the launcher, which lets it stay away, is asked to bring it back."""
    found, child = Hurt(), tree.launcher.children[fault.process]
    tree.signal(fault.process, signal.SIGTERM)
    if not tree.until(lambda: fault.process not in tree.launcher.children, END_S):
        found.broken.append((15, f"timeout 'end': {fault.process} lives {END_S:g} s after SIGTERM"))
        tree.signal(fault.process, signal.SIGKILL)
        tree.until(lambda: fault.process not in tree.launcher.children, GONE_S)
    elif child.code != 0:
        found.broken.append((15, f"{fault.process} did not end in order after SIGTERM: exit code {child.code}"))
    tree.launcher.bring_back(fault.process)
    found.over = time.time_ns()
    return found


def disk_full(tree: ChaosTree, fault: Fault) -> Hurt:
    """No room for the log of a node, for some seconds from when it says so."""
    mark, found = tree.watched / f"{fault.node}.full", Hurt()
    mark.touch()
    try:
        if not tree.until(lambda: _said(tree, "degraded", fault.node), TOLD_S):
            found.broken.append((13, f"timeout 'degraded': {fault.node} did not say that its disk is full"))
        tree.run_for(fault.seconds)
    finally:
        mark.unlink(missing_ok=True)
    found.over = time.time_ns()
    return found


def sync_error(tree: ChaosTree, fault: Fault) -> Hurt:
    """The next sync of the log of a node fails; over when its process has ended."""
    mark, found, pid = tree.watched / f"{fault.node}.eio", Hurt(), tree.pid(fault.process)
    mark.touch()
    try:
        if not tree.until(lambda: gone(pid), SYNC_S):
            found.broken.append((13, f"timeout 'sync': {fault.process} goes on though a sync failed"))
    finally:
        mark.unlink(missing_ok=True)
    found.over = time.time_ns()
    return found


def torn_log(tree: ChaosTree, fault: Fault) -> Hurt:
    """Killed, and garbage behind the last record of a node's log, as a torn write leaves it."""
    found = kill(tree, fault)
    path = _fullest(tree, fault.node)
    content = bytearray(path.read_bytes())
    _, (_, end) = _core.log_records(content)
    content[end : end + 100] = b"\x55" * 100
    path.write_bytes(content)
    found.over = time.time_ns()
    return found


def damaged_log(tree: ChaosTree, fault: Fault) -> Hurt:
    """Killed, and a bit in the middle of a node's log flipped: what it had acknowledged is in no log any more."""
    found = kill(tree, fault)
    tree.ledger.read()
    tree.ledger.forget(fault.node)
    path = _fullest(tree, fault.node)
    content = bytearray(path.read_bytes())
    _, (_, end) = _core.log_records(content)
    content[end // 2] ^= 4
    path.write_bytes(content)
    found.over = time.time_ns()
    return found


def _fullest(tree: ChaosTree, node: str) -> Path:
    """Return the newest segment of a node's log."""
    return sorted((tree.folder / "state" / f"{node}.log").glob("*.log"))[-1]


def _said(tree: ChaosTree, event: str, node: str) -> bool:
    return any(line["event"] == event and line.get("node") == node for line in tree.ledger.said)


def stranger(tree: ChaosTree, fault: Fault) -> Hurt:
    """Garbage on many connections to a node's port, and a peer with a key that nobody lists, for some seconds."""
    there, public = tree.launcher.addresses[fault.node], tree.launcher.keys.keys[fault.node].public
    noise, found = random.Random(fault.number), Hurt()  # noqa: S311  garbage
    parent = ParentAddress(fault.node, f"tcp://{there.host}:{there.port}", public.encode())
    held: list[socket.socket] = []
    with WireContext(Access(()), now_ns=time.monotonic_ns(), now_s=time.time()) as wire:
        peer = NodeEndpoint(wire, "stranger", KeyPair.fresh(), parent=parent)
        peer.open(time.monotonic_ns())
        end = time.monotonic() + fault.seconds
        try:
            while time.monotonic() < end:
                if len(held) < CONNECTIONS:
                    held += _babbling((there.host, there.port), noise.randbytes(noise.randint(1, 2000)))
                tree.turn()
                now = time.monotonic_ns()
                wire.tick(now, time.time())
                peer.tick(now)
                wire.wait(0)
                if any(event.kind == "up" for event in peer.link_events()) or peer.receive():
                    found.broken.append((9, f"{fault.node} let a stranger in"))
                    break
        finally:
            for sock in held:
                sock.close()
    found.over = time.time_ns()
    return found


def _babbling(address: tuple[str, int], noise: bytes) -> list[socket.socket]:
    """The connection on which garbage was sent; none if it was refused, and one that is cut is fine."""
    try:
        sock = socket.create_connection(address, timeout=1.0)
    except OSError:
        return []
    with suppress(OSError):
        sock.sendall(noise)
    return [sock]


def partition(tree: ChaosTree, fault: Fault) -> Hurt:
    """The cable cut, both ways or one way, for some seconds."""
    assert tree.cable is not None
    way = fault.kind.name.partition("-")[2] or "both"
    tree.cable.cut(way)
    try:
        tree.run_for(fault.seconds)
    finally:
        tree.cable.heal(way)
    return Hurt(time.time_ns())


PLAYS: dict[str, Callable[[ChaosTree, Fault], Hurt]] = {
    "kill": kill,
    "pause": pause,
    "stop": stop,
    "solver-kill": kill,
    "solver-pause": pause,
    "disk-full": disk_full,
    "sync-error": sync_error,
    "torn-log": torn_log,
    "damaged-log": damaged_log,
    "stranger": stranger,
    "partition": partition,
    "partition-up": partition,
    "partition-down": partition,
}
