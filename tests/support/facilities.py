"""What this machine offers to fault injection: each facility is tried for real and undone, none skipped in silence.

A test says ``needs("netns")``: without it the test is skipped with the reason. What a machine of ours must offer is
listed in ``tests/facilities.json``; with ``TIERTWIN_REQUIRE_FACILITIES=1`` (set in CI) a listed one that is missing
fails the test instead.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from tiertwin.runtime.chaos.network import NOBODY, UnavailableError, ip, namespaces

LISTED = Path(__file__).parents[1] / "facilities.json"
SECONDS = 20


def _netns() -> str:
    """Network namespaces, joined by a pair of virtual interfaces."""
    with namespaces("probe") as pair:
        ip("-n", pair.near, "link", "show", pair.device)
    return "two namespaces and a pair of interfaces"


def _oneway() -> str:
    """Packets of one direction lost without a word: a hardware address that nobody has."""
    with namespaces("oneway") as pair:
        words = ("lladdr", NOBODY, "dev", pair.device, "nud", "permanent")
        ip("-n", pair.far, "neigh", "replace", pair.near_address, *words)
        ip("-n", pair.far, "neigh", "del", pair.near_address, "dev", pair.device)
    return "a neighbour's address set by hand"


def _pause() -> str:
    """SIGSTOP."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        child.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(child.pid, os.WUNTRACED)
    finally:
        child.kill()
        child.wait()
    if not os.WIFSTOPPED(status):
        raise UnavailableError("SIGSTOP did not stop a process")
    return "SIGSTOP, SIGCONT"


def _proc() -> str:
    """Processes, their descriptors and sockets, as Linux shows them."""
    if not Path("/proc/self/task").is_dir() or not Path("/proc/self/net/tcp").exists():
        raise UnavailableError("no /proc as Linux has it")
    return "/proc"


def _ioerror() -> str:
    """A system call of a process that fails as we wish."""
    tool = shutil.which("strace")
    if tool is None:
        raise UnavailableError("strace: not installed")
    words = [tool, "-f", "-qq", "-o", os.devnull, "-e", "inject=fdatasync:error=EIO:when=1", "/bin/true"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode != 0:
        raise UnavailableError(f"strace: {done.stderr.strip()[:120] or done.returncode}")
    return "strace, inject"


_PROBES: dict[str, Callable[[], str]] = {
    "netns": _netns,
    "oneway": _oneway,
    "pause": _pause,
    "proc": _proc,
    "ioerror": _ioerror,
}


@lru_cache
def probe(name: str) -> tuple[bool, str]:
    """Whether a facility works, and how or why not."""
    try:
        return True, _PROBES[name]()
    except (UnavailableError, OSError, subprocess.SubprocessError) as error:
        return False, str(error)


def needs(*names: str) -> None:
    """Skip this test, loudly, if a facility is missing; fail it where ours must have it."""
    for name in names:
        works, why = probe(name)
        if works:
            continue
        said = f"facility {name!r} is missing: {why}"
        if os.environ.get("TIERTWIN_REQUIRE_FACILITIES") and name in json.loads(LISTED.read_text()):
            pytest.fail(said)
        print(f"skipped: {said}", file=sys.stderr)
        pytest.skip(said)
