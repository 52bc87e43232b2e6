"""The process that owns a run's files: it does what a :class:`~tiertwin.store.RunWriter` can, as the launcher calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiertwin.errors import ProcessError
from tiertwin.runtime.control import Call, Ready, Returned, Stop

if TYPE_CHECKING:
    from tiertwin.runtime.child import Pipe
    from tiertwin.runtime.childconfig import ChildConfig

METHODS = frozenset({"event", "kpis", "twin_kpis", "belief", "decision", "links", "commit", "finish", "close"})


def run_store(config: ChildConfig, pipe: Pipe) -> None:
    """Open the run directory and write what comes."""
    store = config.store
    assert store is not None
    from tiertwin.store import RunWriter  # noqa: PLC0415  duckdb

    with RunWriter(store.folder, store.scenario, store.seed, store.policies, settings=store.settings) as writer:
        pipe.tell(Ready({}))
        while (message := pipe.reader.wait()) is not None:
            if isinstance(message, Stop):
                return
            if not isinstance(message, Call) or message.method not in METHODS:
                raise ProcessError(f"expected a call of {', '.join(sorted(METHODS))}, got {message!r}")
            value: Any = getattr(writer, message.method)(*message.args, **message.options)
            if message.method in ("commit", "finish", "close"):
                pipe.tell(Returned(value))
