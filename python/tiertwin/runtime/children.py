"""Child processes as the launcher holds them: started by `subprocess`, told by a pipe, ended for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiertwin.errors import InputError, OutputError, ProcessError, TiertwinError
from tiertwin.runtime.childconfig import encode_config
from tiertwin.runtime.control import Failed, Message, Reader, Stop, write
from tiertwin.runtime.environment import ONE_THREAD
from tiertwin.runtime.nodestate import PlaceTakenError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiertwin.runtime.childconfig import ChildConfig

LOG_LINES = 10
STOP_S, KILL_S = 2.0, 2.0  # timeouts `stop` (then SIGKILL) and `kill`
_FAULTS: dict[str, type[TiertwinError]] = {
    fault.__name__: fault for fault in (InputError, OutputError, PlaceTakenError)
}
COMMAND = (sys.executable, "-P", "-m", "tiertwin.runtime.child")


class Child:
    """One child process.

    Parameters
    ----------
    config
        What it shall do.
    log
        File for its standard error.
    command
        How it is started; None: :data:`COMMAND`.
    """

    def __init__(self, config: ChildConfig, log: Path, command: tuple[str, ...] | None = None) -> None:
        self.name = config.process
        self.log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                command or COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **ONE_THREAD},
                start_new_session=True,  # Ctrl-C is the launcher's to answer
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self.reader = Reader(self._out, self.name)
        self.messages: deque[Any] = deque()
        self.waiting_since: float | None = None
        with contextlib.suppress(BrokenPipeError):  # it ended already: told when it is read
            self._write(encode_config(config))

    @property
    def pid(self) -> int:
        """Process number."""
        return self._process.pid

    @property
    def fd(self) -> int:
        """Descriptor to watch for what it says."""
        return self._out

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    @property
    def code(self) -> int | None:
        """Exit code, minus the signal where one ended it; None: it runs."""
        return self._process.poll()

    def tell(self, message: Message) -> None:
        """Say something to the child.

        Raises
        ------
        ProcessError
            It is gone; with its reason.
        """
        try:
            write(self._in, message)
        except BrokenPipeError:
            self.read()
            raise self.failure() from None
        if self.waiting_since is None:
            self.waiting_since = time.monotonic()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._in, view) :]

    def read(self) -> None:
        """Take what the child has said; call when `fd` is readable.

        Raises
        ------
        ProcessError, InputError, OutputError
            It failed, or ended without being asked.
        """
        if not self.reader.fill():
            raise self.failure()
        while (message := self.reader.take()) is not None:
            if isinstance(message, Failed):
                raise self._fault(message)
            self.messages.append(message)
            self.waiting_since = None

    def failure(self) -> TiertwinError:
        """Say how it ended; waits until it has."""
        for message in iter(self.reader.take, None):
            if isinstance(message, Failed):
                return self._fault(message)
        try:
            code = self._process.wait(KILL_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._process.wait(KILL_S)
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return ProcessError(f"process {self.name} (pid {self.pid}) {how}{self._last_lines()}")

    def _fault(self, message: Failed) -> TiertwinError:
        kind = _FAULTS.get(message.kind)
        if kind is not None:
            return kind(message.reason)
        return ProcessError(f"process {self.name} (pid {self.pid}) failed: {message.reason}{self._last_lines()}")

    def _last_lines(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
            if lines:
                return f"\nlast lines of {self.log}:\n  " + "\n  ".join(lines)
        return f"; its log {self.log} is empty"

    # -- the end -------------------------------------------------------------------------------------------------------
    def stop(self) -> None:
        """Ask it to end; :func:`end_all` waits."""
        with contextlib.suppress(OSError):
            write(self._in, Stop())
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]

    def kill(self) -> None:
        """End it at once: it alone, for nobody else gets its number before it has been waited for."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def end(self) -> None:
        """Wait for the end of one that is ending; in time, or it is killed."""
        if not self.reap(time.monotonic() + STOP_S):
            self.kill()
            self.reap(time.monotonic() + KILL_S)

    def reap(self, until: float) -> bool:
        """Wait for its end till `until` (monotonic s); False when it still runs."""
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        return True


def end_all(children: Iterable[Child]) -> list[str]:
    """Stop every child, kill those that do not end in time; return the names of the killed.

    Interrupted (a second Ctrl-C, say), it kills them all before it lets the interruption go on.
    """
    left = list(children)
    try:
        return _end_in_order(left)
    except BaseException:
        for child in left:
            child.kill()
        raise


def _end_in_order(left: list[Child]) -> list[str]:
    for child in left:
        child.stop()
    until = time.monotonic() + STOP_S
    slow = [child for child in left if not child.reap(until)]
    for child in slow:
        child.kill()
    until = time.monotonic() + KILL_S
    for child in slow:
        child.reap(until)
    return [child.name for child in slow]
