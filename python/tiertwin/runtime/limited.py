"""Runs one module, or a program of somebody else's, in a child process with limits, and says how it ended.

Arguments go in as JSON on standard input, the answer comes back as the last line of standard output. No fork, no
multiprocessing: a fresh interpreter, started by ``subprocess``.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tiertwin.errors import ProcessError

if TYPE_CHECKING:
    from collections.abc import Sequence

ADDRESS_ROOM = 4 << 30  # libraries map far more than they touch; the limit counts on top of this


@dataclass(frozen=True)
class Ending:
    """How a limited child ended.

    Parameters
    ----------
    how
        ``finished``, ``time limit``, ``memory limit`` or ``failed``.
    seconds
        Wall time.
    answer
        Its last line, decoded; None unless finished.
    said
        Last line of standard error when it failed.
    """

    how: str
    seconds: float
    answer: dict[str, Any] | None
    said: str = ""


def run_limited(module: str, arguments: dict[str, Any], seconds: float, memory_bytes: int) -> Ending:
    """Run ``python -m module`` under both limits; see :class:`Ending`."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes + ADDRESS_ROOM, memory_bytes + ADDRESS_ROOM))

    began = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter and module
            [sys.executable, "-m", module],
            input=json.dumps(arguments),
            capture_output=True,
            text=True,
            timeout=seconds,
            preexec_fn=limit,
        )
    except subprocess.TimeoutExpired:
        return Ending("time limit", time.monotonic() - began, None)
    took = time.monotonic() - began
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return Ending("finished", took, json.loads(lines[-1]))
    said = (done.stderr.strip().splitlines() or [""])[-1]
    out_of_memory = "MemoryError" in done.stderr or "bad_alloc" in done.stderr or done.returncode in (-6, -9)
    return Ending("memory limit" if out_of_memory else "failed", took, None, said[:200])


def run_program(command: Sequence[str], seconds: float) -> str:
    """Run a program that is not ours (a compiler, another simulator); return its standard output.

    Raises
    ------
    ProcessError
        It is not there, takes longer than `seconds` (timeout `program`), or fails: with the end of what it said.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603
    except OSError as error:
        raise ProcessError(f"{command[0]}: cannot be run: {error}") from None
    except subprocess.TimeoutExpired:
        raise ProcessError(f"timeout 'program': {command[0]} took longer than {seconds:g} s") from None
    if done.returncode != 0:
        raise ProcessError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout
