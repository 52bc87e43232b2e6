"""The run's writer in a process of its own, called as if it were here."""

from __future__ import annotations

import select
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tiertwin.errors import ProcessError
from tiertwin.runtime.childconfig import ChildConfig, StoreConfig
from tiertwin.runtime.children import Child, end_all
from tiertwin.runtime.control import Call, Ready, Returned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

OPEN_S, WRITE_S = 20.0, 60.0  # timeouts `open` and `write`


class StoreProxy:
    """What :class:`tiertwin.store.RunWriter` does, done by a child; a context manager.

    Rows are gathered there; :meth:`commit`, :meth:`finish` and :meth:`close` wait until they are written.

    Parameters
    ----------
    folder, scenario, seed, policies, settings
        As of `RunWriter`.

    Raises
    ------
    OutputError
        Nothing can be written there; from any method: the disk is full or gone.
    """

    def __init__(
        self,
        folder: Path,
        scenario: Mapping[str, Any],
        seed: int,
        policies: Sequence[str],
        settings: Mapping[str, Any],
    ) -> None:
        self.folder = folder
        config = StoreConfig(str(folder.absolute()), dict(scenario), seed, list(policies), dict(settings))
        self._scratch = tempfile.TemporaryDirectory(prefix="tiertwin-store-")
        self._child = Child(ChildConfig("store", store=config), Path(self._scratch.name) / "store.log")
        try:
            self._wait(Ready, "open", OPEN_S)
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        end_all([self._child])
        self._scratch.cleanup()

    def event(self, event: Mapping[str, Any]) -> None:
        """Append one event to the log."""
        self._call("event", dict(event))

    def kpis(self, policy: str, epoch: int, values: Mapping[str, float], **options: str) -> None:
        """Gather KPIs of one epoch."""
        self._call("kpis", policy, epoch, dict(values), **options)

    def twin_kpis(self, *args: Any) -> None:
        """Gather one KPI of one epoch over many twins of a tier."""
        self._call("twin_kpis", *args)

    def belief(self, *args: Any) -> None:
        """Gather what a twin believed."""
        self._call("belief", *args)

    def decision(self, *args: Any, **options: str) -> None:
        """Gather what a twin decided."""
        self._call("decision", *args, **options)

    def links(self, *args: Any) -> None:
        """Gather loads of links."""
        self._call("links", *args)

    def commit(self) -> None:
        """Write what was gathered."""
        self._call("commit")
        self._wait(Returned, "write", WRITE_S)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write the result: the run is complete."""
        self._call("finish", dict(result))
        self._wait(Returned, "write", WRITE_S)

    def _call(self, method: str, *args: Any, **options: Any) -> None:
        self._child.tell(Call(method, list(args), options))

    def _wait(self, kind: type[Any], timeout: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._child.messages:
            left = until - time.monotonic()
            if left <= 0:
                raise ProcessError(f"timeout {timeout!r}: the store said nothing for {seconds:g} s")
            if select.select([self._child.fd], [], [], left)[0]:
                self._child.read()
        message = self._child.messages.popleft()
        assert isinstance(message, kind), f"the store answered {message!r}"
