"""What every test gets: helpers on the path, hypothesis profiles, and a look for what a test left behind."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a shell's background job: what tests start could not be interrupted
    signal.signal(signal.SIGINT, signal.default_int_handler)

# `from reference.graph import …`, `from support.… import …`: the naive references and shared builders.
sys.path.insert(0, str(Path(__file__).parent))

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=_SLOW_IS_FINE)
# The same examples on every run, so that a red build can be repeated at home; nothing is written beside the sources.
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what may not run side by side: tests with real processes go one after the other, the rest beside them."""
    for item in items:
        if item.get_closest_marker("processes") is not None:
            item.add_marker(pytest.mark.xdist_group("processes"))
        elif item.get_closest_marker("system") is not None or "examples" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group(item.path.name))  # share what a file's fixtures made


def _children() -> set[int]:
    """Process ids of our direct children (Linux; elsewhere empty)."""
    pids: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            pids |= {int(pid) for pid in path.read_text().split()}
        except OSError:  # the thread ended while we looked
            continue
    return pids


def _channels() -> set[str]:
    """Open sockets, pipes and event descriptors (for files pytest already turns the ResourceWarning into an error)."""
    found: set[str] = set()
    for path in Path("/proc/self/fd").glob("*"):
        try:
            target = os.readlink(path)
        except OSError:
            continue
        if target.startswith(("socket:", "pipe:", "anon_inode:")):
            found.add(f"{path.name} {target}")
    return found


def _open_things() -> tuple[set[threading.Thread], set[int], set[str]]:
    return set(threading.enumerate()), _children(), _channels()


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail a test that leaves a thread, a child process, a socket or a pipe behind.

    What outlives one test on purpose (a solver process, say) belongs to a module or session fixture: those are set up
    before this one looks.
    """
    before = _open_things()
    yield
    for attempt in range(20):
        left = [after - known for after, known in zip(_open_things(), before, strict=True)]
        if not any(left):
            return
        if attempt == 0:
            gc.collect()  # only when something is open: a full collection costs tens of milliseconds
        time.sleep(0.05)
    threads, children, channels = left
    pytest.fail(
        f"left open: threads {sorted(t.name for t in threads)}, children {children}, channels {sorted(channels)}"
    )
