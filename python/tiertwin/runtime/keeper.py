"""What a launcher does about children that end by themselves under the real clock: told, started again, greeted.

supervisor.py decides when; here it is done. The plant is not kept: a run without it ends.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

from tiertwin.errors import OutputError
from tiertwin.runtime.control import Linked, Ready
from tiertwin.runtime.nodestate import PlaceTakenError
from tiertwin.runtime.supervisor import Supervisor
from tiertwin.runtime.treefile import stat_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tiertwin.errors import TiertwinError
    from tiertwin.runtime.children import Child
    from tiertwin.runtime.control import Connect
    from tiertwin.runtime.logs import LogFile
    from tiertwin.runtime.register import Register

ASKED = (0, 128 + signal.SIGTERM, 128 + signal.SIGALRM, -signal.SIGTERM)  # exit codes of twins that were asked to end


class Keeper:
    """Keeps processes of twins and solvers running.

    Parameters
    ----------
    twins, solvers
        Who is kept.
    children
        The launcher's; who is lost is not in it any more.
    start
        Starts a process under its name, with the keys, ports and state that it had.
    connect
        What a process of twins is told when it is ready.
    register, log
        Where it is noted besides the news.
    """

    def __init__(
        self,
        twins: Collection[str],
        solvers: Collection[str],
        children: Mapping[str, Child],
        start: Callable[[str], Child],
        connect: Connect,
        register: Register,
        log: LogFile,
    ) -> None:
        self._twins, self._children, self._start, self._connect = twins, children, start, connect
        self._register, self._log = register, log
        self._supervisor = Supervisor([*twins, *solvers], random.SystemRandom().random)
        self._since: dict[str, int] = {}  # when those that were started again were there, ns since 1970
        self.news: list[str] = []
        self.counters: Counter[str] = Counter()

    def lost(self, child: Child, error: TiertwinError) -> None:
        """A child ended without being told to, and nobody waits for it any more."""
        name = child.name
        why = str(error) if name in str(error) else f"process {name} (pid {child.pid}) failed: {error}"
        self.counters["processes lost"] += 1
        self._tell("warning", "lost", name, why, pid=child.pid, code=child.code)
        if name not in self._supervisor:
            return
        if isinstance(error, PlaceTakenError):
            self._supervisor.give_up(name, f"its place is taken ({error})")
            self._given_up(name)
        elif name in self._twins and child.code in ASKED:
            self._supervisor.give_up(name, "somebody asked it to end (SIGTERM)")
            self._given_up(name)
        else:
            self._again(name)

    def _again(self, name: str) -> None:
        pause = self._supervisor.ended(name, time.monotonic())
        if pause is None:
            self._given_up(name)
        else:
            self._tell("info", "restart", name, f"process {name} is started again in {pause:.1f} s", after_s=pause)

    def _given_up(self, name: str) -> None:
        why = self._supervisor.degraded[name]
        self.counters["processes degraded"] += 1
        self._register.give_up(name, why)
        self._note()
        self._tell("error", "degraded", name, f"process {name} is degraded, and not started again: {why}", reason=why)

    def bring_back(self, name: str) -> None:
        """Start one again that was given up, at the next turn."""
        self._supervisor.bring_back(name, time.monotonic())

    def turn(self) -> None:
        """Start who is due, and welcome who is ready."""
        for name in self._supervisor.due(time.monotonic()):
            try:
                child = self._start(name)
            except OSError as error:  # no memory, no descriptors, no more processes
                self._tell("warning", "not started", name, f"process {name} could not be started: {error}")
                self._again(name)
                continue
            if name in self._twins:
                self.counters["processes started again"] += 1
            else:
                self.counters["solvers started again"] += 1
            self._register.enter(name, child.pid)
            self._note()

    def greet(self, child: Child) -> None:
        """Take what a child says that was started again, until it is there.

        Raises
        ------
        ProcessError
            It is gone meanwhile.
        """
        while child.name in self._supervisor.starting and child.messages:
            message = child.messages.popleft()
            if isinstance(message, Ready) and child.name in self._twins:
                child.tell(self._connect)
            elif isinstance(message, Linked):
                self._welcome(child)

    def _welcome(self, child: Child) -> None:
        count = self._supervisor.here(child.name)
        self._since[child.name] = time.time_ns()
        text = f"process {child.name} is back (pid {child.pid}, restart {count})"
        self._tell("info", "back", child.name, text, pid=child.pid, restart=count)

    def overdue(self, limit_s: float) -> list[str]:
        """Return who was started again and is not there within `limit_s`; a paused process of twins is no dead one."""
        late = self._supervisor.overdue(time.monotonic(), limit_s)
        return [name for name in late if name not in self._twins or not self._paused(name)]

    def _paused(self, name: str) -> bool:
        return stat_of(self._children[name].pid)[0] in ("T", "t")

    def was_there(self, name: str, at: int) -> bool:
        """Whether a process has been there since `at`, ns since 1970, or before."""
        return name not in self._supervisor.starting and self._since.get(name, 0) <= at

    def _note(self) -> None:
        try:
            self._register.write()
        except OutputError as error:  # the tree goes on; who looks at it sees old numbers
            self.news.append(str(error))

    def _tell(self, level: str, event: str, child: str, text: str, **fields: object) -> None:
        self.news.append(text)
        self._log.write(level, event, child=child, **fields)
