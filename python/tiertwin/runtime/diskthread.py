"""The one thread of a process that touches its logs (R4): work goes in, what became of it comes back.

Every system call releases the interpreter, so the loop goes on while a group is synced, and what comes meanwhile is the
next group: group commit without a timer. The loop waits for :attr:`DiskThread.fd` beside its sockets.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from queue import SimpleQueue

from tiertwin.runtime.disk import Disk, DiskFullError, DiskLostError
from tiertwin.runtime.diskwork import Work, carry_out
from tiertwin.runtime.durablelog import DurableLog

_Job = tuple[DurableLog, Disk, Work]
Outcome = tuple[DurableLog, Work, DiskFullError | DiskLostError | None]


class DiskThread:
    """Carries out one work after the other, of any number of logs. The thread that made it submits and collects.

    A context manager; leaving it waits for what was submitted.
    """

    def __init__(self, name: str = "disk") -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def fd(self) -> int:
        """A descriptor that is readable while outcomes wait."""
        return self._event

    def submit(self, log: DurableLog, disk: Disk, work: Work) -> None:
        """Have `work` of `log` carried out; `disk` is used by nobody else meanwhile."""
        self._jobs.put((log, disk, work))

    def collect(self) -> list[Outcome]:
        """Return what is finished, in its order, and do not wait.

        ``(log, work, None)``: done, tell the log. With a :class:`DiskFullError`: submit the same work again later.
        With a :class:`DiskLostError`: end the process.
        """
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            return []
        return [self._outcomes.popleft() for _ in range(len(self._outcomes))]

    def close(self) -> None:
        """Wait for what was submitted, and end."""
        if self._event < 0:
            return
        self._jobs.put(None)
        self._thread.join()
        os.close(self._event)
        self._event = -1

    def __enter__(self) -> DiskThread:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            log, disk, work = job
            try:
                carry_out(disk, work)
                fault: DiskFullError | DiskLostError | None = None
            except (DiskFullError, DiskLostError) as error:
                fault = error
            except Exception as error:  # a fault of ours must not leave the loop waiting for ever
                fault = DiskLostError(
                    f"log: {type(error).__name__}: {error}. The process ends and recovers from its log."
                )
            self._outcomes.append((log, work, fault))
            os.eventfd_write(self._event, 1)
