"""The gate for snapshots that leave a parent: at most so many at once (R16).

A parent that comes back without its log owes a snapshot to every child. Sent all at once they would stand before the
heartbeats and budgets of everybody; so those that have not begun wait until one that has is acknowledged.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiertwin import _core

AT_ONCE = 4
SLOT_NS = 10_000_000_000  # who has not acknowledged the end by then no longer keeps others waiting


class SnapshotGate:
    """Who of the children is being sent a snapshot. Between `before` and `after` a session's peer may begin one."""

    def __init__(self, children: Mapping[str, _core.Peer], at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._peers = dict(children)
        self._since: dict[str, int] = {}  # of those that count; in the order in which they began
        self._waiting: dict[str, None] = {}  # in the order in which they came
        for peer in self._peers.values():
            peer.snapshots_open = False

    def before(self, name: str, now: int) -> None:
        """Let the session with `name` begin a snapshot if there is room."""
        peer = self._peers.get(name)
        if peer is not None:
            room = self._room(now) > 0 and not peer.snapshot_leaving  # late ones do not count again
            peer.snapshots_open = name in self._since or room

    def after(self, name: str, now: int) -> None:
        """Note whether one is leaving; none may begin until `before` says so."""
        peer = self._peers.get(name)
        if peer is None:
            return
        if not peer.snapshot_leaving:
            self._since.pop(name, None)
        elif peer.snapshots_open:
            self._since.setdefault(name, now)
        if peer.snapshot_waiting:
            self._waiting.setdefault(name)
        else:
            self._waiting.pop(name, None)
        peer.snapshots_open = False

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._waiting)

    def next_in_line(self, now: int) -> list[str]:
        """Return those whose turn it is; they go to the end of the line, as one in 5 s may not begin yet."""
        names = list(islice(self._waiting, self._room(now)))
        for name in names:
            self._waiting[name] = self._waiting.pop(name)
        return names

    def _room(self, now: int) -> int:
        while self._since and now - next(iter(self._since.values())) >= SLOT_NS:
            self._since.pop(next(iter(self._since)))
        return self._at_once - len(self._since)
