"""Work in processes of their own, side by side: what studies of many runs are made of.

A worker is ``python -m MODULE``; the module ends with ``serve(work)``. It gets one JSON object a line and answers each
with one. Whoever is free takes the next job; answers come in the order of the jobs, so the result depends on no timing.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any

from tiertwin.errors import ProcessError

ANSWER_S = 3_600.0  # timeout `answer`: a worker that is silent so long over one job is given up
STOP_S = 5.0  # timeout `stop`


class SideBySide:
    """So many workers of a module; a context manager.

    Parameters
    ----------
    module
        What a worker runs.
    workers
        How many, ≥ 1; by default as many as there are cores.
    answer_s
        Timeout ``answer``, s.
    """

    def __init__(self, module: str, workers: int | None = None, answer_s: float = ANSWER_S) -> None:
        self._module, self._count, self._answer_s = module, max(1, workers or os.cpu_count() or 1), answer_s
        self._workers: list[subprocess.Popen[str]] = []

    def __enter__(self) -> SideBySide:
        return self

    def run(self, jobs: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the answer to each job, in order.

        Raises
        ------
        ProcessError
            A worker ended, or was silent for too long.
        """
        while len(self._workers) < min(self._count, len(jobs)):
            self._workers.append(self._start())
        at_work: dict[Any, tuple[subprocess.Popen[str], int]] = {}
        waiting = iter(range(len(jobs)))
        answers: dict[int, dict[str, Any]] = {}
        for worker, place in zip(self._workers, waiting):  # noqa: B905  as many as there are of the fewer
            self._send(worker, jobs[place])
            at_work[worker.stdout] = worker, place
        for wanted in range(len(jobs)):
            while wanted not in answers:
                for stream in self._ready(list(at_work)):
                    worker, place = at_work.pop(stream)
                    answers[place] = self._answer(worker)
                    following = next(waiting, None)
                    if following is not None:
                        self._send(worker, jobs[following])
                        at_work[stream] = worker, following
            yield answers.pop(wanted)

    def _start(self) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", self._module]
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)  # noqa: S603  our own module

    def _send(self, worker: subprocess.Popen[str], job: dict[str, Any]) -> None:
        assert worker.stdin is not None
        try:
            worker.stdin.write(json.dumps(job) + "\n")
        except BrokenPipeError:
            self._lost(worker)

    def _ready(self, streams: list[Any]) -> list[Any]:
        ready, _, _ = select.select(streams, [], [], self._answer_s)
        if not ready:
            raise ProcessError(f"{self._module}: all workers were silent for {self._answer_s:g} s (timeout `answer`)")
        return ready

    def _answer(self, worker: subprocess.Popen[str]) -> dict[str, Any]:
        """Read the one line that a worker owes."""
        assert worker.stdout is not None
        line = worker.stdout.readline()
        if not line:
            self._lost(worker)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _lost(self, worker: subprocess.Popen[str]) -> None:
        try:
            code: int | str = worker.wait(STOP_S)
        except subprocess.TimeoutExpired:  # its end of the pipe is gone, and it takes its time to go as well
            code = "unknown"
        raise ProcessError(f"{self._module}: a worker ended with status {code}; what it said stands above")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            if kind is not None:
                worker.terminate()
            if worker.stdin is not None:
                worker.stdin.close()
        for worker in self._workers:
            try:
                worker.wait(STOP_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            if worker.stdout is not None:
                worker.stdout.close()
        self._workers.clear()


def serve(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer jobs until there are no more: the end of a worker's module.

    What libraries print goes to standard error: a solver that says who it is would be taken for an answer.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            answers.write(json.dumps(work(json.loads(line))) + "\n")
            answers.flush()
