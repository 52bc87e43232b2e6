"""A run in a process of its own that ends after a limit: solvers cannot be asked to stop in the middle.

The child is a fork, so what was prepared is there; the answer comes back pickled. Its figure is its own: seconds of the
run alone, CPU seconds, and what it added to the memory.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from contest import Timed

LIMIT = 300.0  # seconds


def limited(run: Callable[[], Any], seconds: float = LIMIT) -> Callable[[], Timed]:
    """Make `run` one that is ended after so many seconds (TimeoutError says so)."""

    def within() -> Timed:
        context = multiprocessing.get_context("fork")
        here, there = context.Pipe(duplex=False)
        child = context.Process(target=_answer, args=(run, there))
        child.start()
        there.close()
        try:
            if not here.poll(seconds):
                raise TimeoutError(f"no answer in {seconds:.0f} s")
            found = here.recv()
        except EOFError as error:
            raise RuntimeError(f"the process ended without an answer (code {child.exitcode})") from error
        finally:
            assert child.pid is not None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # it leads a group of what it started
            child.kill()
            child.join()
        if isinstance(found, Exception):
            raise found
        answer: Timed = found
        return answer

    return within


def peak_gigabytes() -> float:
    """Largest memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _answer(run: Callable[[], Any], there: Connection) -> None:
    os.setsid()
    try:
        begin, spent = time.perf_counter(), time.process_time()
        answer = run()
        if not isinstance(answer, Timed):
            answer = Timed(answer, time.perf_counter() - begin, time.process_time() - spent)
        there.send(answer)
    except Exception as error:  # what a peer raises is its result
        there.send(RuntimeError(f"{type(error).__name__}: {error}"))
