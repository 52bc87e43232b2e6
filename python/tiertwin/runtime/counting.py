"""Reads the places where things are counted, by row of the registry in `counters`."""

from __future__ import annotations

from collections import Counter as Counts
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.runtime.counters import COUNTERS, LAUNCHER, TRAVELLING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tiertwin.twin.twin import Twin

    F64 = npt.NDArray[np.float64]

_OWN_REASONS = {-1: "unknown_peer", -2: "unit"}  # of `Twin.counters`, beside the codec's
_REASONS = {code: name for name, code in _core.REASONS.items()} | _OWN_REASONS


def node_counts(
    twin: Twin, notes: Mapping[str, int], endpoint: Mapping[str, int], log: Mapping[str, int] | None = None
) -> F64:
    """Return what a node counts, by row of `TRAVELLING`; rows of other scopes are 0."""
    controller = controller_counts(twin.controller)
    sources: dict[str, Mapping[str, int]] = {
        "refused": {_REASONS.get(code, str(code)): count for code, count in twin.counters.refused.items()},
        "peer": _peer_counts(twin),
        "note": notes,
        "twin": controller,
        "endpoint": endpoint,
        "log": log or {},
    }
    return _row(sources)


def process_counts(
    door: Mapping[str, int], pool: Mapping[str, int], observers: Mapping[str, int], host: Mapping[str, int]
) -> F64:
    """Return what a process counts, by row of `TRAVELLING`; rows of other scopes are 0."""
    return _row({"door": door, "pool": pool, "observers": observers, "host": host})


def launcher_counts(counted: Mapping[str, int]) -> dict[str, int]:
    """Return what the launcher counts, by name."""
    return {c.name: int(counted.get(c.source[1], 0)) for c in COUNTERS if c.scope == LAUNCHER}


def _row(sources: Mapping[str, Mapping[str, int]]) -> F64:
    empty: dict[str, int] = {}
    return np.array([sources.get(c.source[0], empty).get(c.source[1], 0) for c in TRAVELLING], dtype=np.float64)


def _peer_counts(twin: Twin) -> Counts[str]:
    total: Counts[str] = Counts()
    for neighbour in twin.neighbours.values():
        for key, count in neighbour.peer.counters().items():
            total["unlisted" if key.startswith("unlisted.") else key] += count
    return total


def controller_counts(controller: Any) -> dict[str, int]:
    """Return what a controller counts: its ladder, its guard, its local policy, what it clipped."""
    tally = getattr(controller, "tally", controller)
    found = {f"step.{int(step)}": count for step, count in getattr(tally, "steps", {}).items()}
    for owner in (tally, controller):
        found |= {
            key: int(getattr(owner, key))
            for key in ("guarded", "local_epochs", "queries", "clipped", "refused")
            if hasattr(owner, key)
        }
    return found
