"""A child process: ``python -m tiertwin.runtime.child``, configured by one line of JSON on standard input.

Standard output carries control messages to the launcher, standard error is the log. A child that cannot go on says why
(:class:`Failed`) and ends; it never waits for somebody to ask.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from tiertwin.errors import TiertwinError
from tiertwin.runtime import logs
from tiertwin.runtime.childconfig import ChildConfig, decode_config
from tiertwin.runtime.control import Failed, Message, Reader, write

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
BAD_INPUT, BROKEN = 2, 1  # exit codes


def main() -> int:
    """Run what standard input asks for."""
    line = sys.stdin.buffer.raw.readline() if hasattr(sys.stdin.buffer, "raw") else sys.stdin.buffer.readline()
    pipe = Pipe()
    try:
        config = decode_config(line)
    except msgspec.DecodeError as error:
        pipe.tell(Failed(f"configuration on standard input: {error}", "InputError"))
        return BAD_INPUT
    logs.start(config.process, [] if config.twins is None else config.twins.nodes)
    faulthandler.register(signal.SIGUSR1)  # where it stands, into the log: for whoever looks at one that hangs
    if config.dies_with_parent:
        die_with_parent()
    try:
        role_of(config)(config, pipe)
    except BrokenPipeError:
        return 0  # the launcher is gone
    except TiertwinError as error:
        logs.error("failed", reason=str(error))
        pipe.tell(Failed(str(error), type(error).__name__))
        return BAD_INPUT
    except Exception as error:
        logs.broke(error)
        pipe.tell(Failed(f"{type(error).__name__}: {error}", type(error).__name__))
        return BROKEN
    return 0


class Pipe:
    """Both directions to the launcher."""

    def __init__(self) -> None:
        self.reader = Reader(0, "launcher")
        self.out = os.dup(1)
        os.dup2(2, 1)  # whatever prints, prints into the log

    def tell(self, message: Message) -> None:
        """Say something to the launcher."""
        write(self.out, message)


def role_of(config: ChildConfig) -> Callable[[ChildConfig, Pipe], None]:
    """Return what runs this configuration; only the wanted role is imported."""
    if config.twins is not None and config.twins.live is not None:
        from tiertwin.runtime.liveprocess import run_live  # noqa: PLC0415

        return run_live
    if config.twins is not None:
        from tiertwin.runtime.twinsprocess import run_twins  # noqa: PLC0415

        return run_twins
    if config.solver is not None:
        from tiertwin.runtime.solverprocess import run_solver  # noqa: PLC0415

        return run_solver
    if config.policy is not None:
        from tiertwin.runtime.policyprocess import run_policy  # noqa: PLC0415

        return run_policy
    from tiertwin.runtime.storeprocess import run_store  # noqa: PLC0415

    return run_store


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies; end at once if it is dead already."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent or parent == 1:
        os._exit(BROKEN)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # no interpreter teardown: sockets are closed, nothing else is held
