"""Two network namespaces of one host, and the cable between them that is cut both ways or one way.

Needs root and ``ip`` (iproute2). What is made is removed; nothing outside the two namespaces is touched.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tiertwin.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 20  # timeout `ip`
NOBODY = "02:00:00:00:00:01"  # a hardware address that nobody has
CLONE_NEWNET = 0x40000000


class UnavailableError(ProcessError):
    """The machine does not offer it; the text says why."""


def ip(*words: str) -> None:
    """Run ``ip``; UnavailableError when it is missing, says no, or nothing for `SECONDS`."""
    tool = shutil.which("ip")
    if tool is None:
        raise UnavailableError("ip: not installed (iproute2)")
    try:
        done = subprocess.run([tool, *words], capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"timeout 'ip': ip {' '.join(words[:4])} said nothing for {SECONDS} s") from None
    if done.returncode != 0:
        raise UnavailableError(f"ip {' '.join(words[:4])}: {done.stderr.strip()[:120] or done.returncode}")


class Namespaces:
    """Two network namespaces, `near` and `far`, joined by one pair of interfaces and by nothing else.

    Both have a loopback of their own and one address of 198.18.0.0/15 (RFC 2544, routed nowhere).

    Parameters
    ----------
    tag
        Part of their names, besides the number of this process.
    """

    near_address, far_address = "198.18.0.1", "198.18.0.2"

    def __init__(self, tag: str) -> None:
        stem = f"tt-{tag}-{os.getpid()}"
        self.near, self.far = f"{stem}-a", f"{stem}-b"
        self.device = "link0"

    def make(self) -> None:
        """Make and join them; UnavailableError where that cannot be."""
        for name in (self.near, self.far):
            ip("netns", "add", name)  # fails, rather than reuses, if the name is taken
            ip("-n", name, "link", "set", "lo", "up")
        there = ("peer", "name", self.device, "netns", self.far)
        ip("-n", self.near, "link", "add", self.device, "type", "veth", *there)
        for name, address in ((self.near, self.near_address), (self.far, self.far_address)):
            ip("-n", name, "addr", "add", f"{address}/30", "dev", self.device)
            ip("-n", name, "link", "set", self.device, "up")

    def remove(self) -> None:
        """Take both away, as far as they are there."""
        tool = shutil.which("ip")
        for name in (self.near, self.far) if tool else ():
            subprocess.run([tool or "ip", "netns", "del", name], capture_output=True, timeout=SECONDS, check=False)  # noqa: S603


@contextmanager
def namespaces(tag: str) -> Iterator[Namespaces]:
    """Make two joined namespaces; what was made is removed."""
    made = Namespaces(tag)
    try:
        made.make()
        yield made
    finally:
        made.remove()


class Cable:
    """What joins the namespaces, seen from inside the near one.

    One way is cut without a word to anybody: the sender's side is told a hardware address that nobody has, so frames
    leave and the other side passes over them. The answers to ARP go to whoever asks, so nothing else changes.

    Parameters
    ----------
    far, device
        The other namespace, and the interface in both.
    near_address
        Of this one.
    """

    def __init__(self, far: str, device: str, near_address: str) -> None:
        self._far, self._device = far, device
        self._wrong = {  # where to say it, about whom
            "up": (("-n", far), near_address),
            "down": ((), Namespaces.far_address),
        }

    def cut(self, way: str) -> None:
        """Cut ``both`` ways, or ``up`` (what the far side sends is lost), or ``down``."""
        if way == "both":
            ip("-n", self._far, "link", "set", self._device, "down")
            return
        where, whom = self._wrong[way]
        ip(*where, "neigh", "replace", whom, "lladdr", NOBODY, "dev", self._device, "nud", "permanent")

    def heal(self, way: str) -> None:
        """Undo the cut."""
        if way == "both":
            ip("-n", self._far, "link", "set", self._device, "up")
            return
        where, whom = self._wrong[way]
        ip(*where, "neigh", "del", whom, "dev", self._device)


def enter(namespace: Path) -> None:
    """Move this thread, and those that it starts from now on, into a network namespace, given as a file; OSError."""
    with namespace.open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def file_of(name: str) -> Path:
    """Where ``ip netns`` keeps a namespace."""
    return Path("/run/netns", name)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """While this is open, this thread and those that it starts are in a namespace."""
    with Path("/proc/thread-self/ns/net").open() as home:
        enter(file_of(namespace))
        try:
            yield
        finally:
            ctypes.CDLL(None, use_errno=True).setns(home.fileno(), CLONE_NEWNET)


def missing() -> str:
    """Return why a partition cannot be played here; empty: it can. Tried for real, and undone."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with namespaces("probe") as pair, inside(pair.near):
            cable = Cable(pair.far, pair.device, pair.near_address)
            for way in ("up", "down", "both"):
                cable.cut(way)
                cable.heal(way)
    except (UnavailableError, OSError) as error:
        return str(error)
    return ""
