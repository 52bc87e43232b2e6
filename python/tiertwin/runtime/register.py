"""The register of a running tree: who runs where, in the run directory, for `tiertwin node` and for observers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from tiertwin.errors import OutputError
from tiertwin.runtime.deployment import RunningProcess, write_deployment
from tiertwin.runtime.treefile import began, machine

if TYPE_CHECKING:
    from pathlib import Path

    from tiertwin.runtime.deployment import Deployment


class Register:
    """Every process that a launcher ever ran under a name, by its newest number; those that ended stay listed.

    Parameters
    ----------
    path
        File of the deployment.
    deployment
        Its content but for the processes.
    """

    def __init__(self, path: Path, deployment: Deployment) -> None:
        self._path, self._deployment = path, deployment
        self._running: dict[str, RunningProcess] = {}

    def enter(self, name: str, pid: int) -> None:
        """Note a process that was started, with its start time; while nobody has waited for it."""
        self._running[name] = RunningProcess(name=name, pid=pid, began=began(pid), machine=machine())

    def give_up(self, name: str, why: str) -> None:
        """Note that a process is not started again."""
        self._running[name] = msgspec.structs.replace(self._running[name], degraded=why)

    def write(self) -> None:
        """Put it on disk.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        running = list(self._running.values())
        write_deployment(self._path, msgspec.structs.replace(self._deployment, running=running))

    def close(self) -> None:
        """Leave the deployment without numbers of processes: the tree ended in order."""
        with suppress(OutputError):  # else they stay; nothing runs under them
            write_deployment(self._path, self._deployment)
