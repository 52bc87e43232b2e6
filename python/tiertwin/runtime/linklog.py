"""What the log of a process says of its links: each that breaks, and each session that goes live again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiertwin.runtime import logs
from tiertwin.runtime.roster import tier_word

if TYPE_CHECKING:
    from tiertwin.runtime.roster import Roster
    from tiertwin.twin.twin import Neighbour
    from tiertwin.wire.endpoint import LinkEvent

WATCHED_REPORTS = 20  # after a session went live again
_WORDS = {"down": "link down", "auth_failed": "auth failed", "unreachable": "unreachable"}


@dataclass(slots=True)
class _Watched:
    """A session after it went live: number → digest of the tables, on this end, in both directions."""

    lives: tuple[int, int]
    left: int
    seen_in: dict[int, str] = field(default_factory=dict)
    seen_out: dict[int, str] = field(default_factory=dict)


class LinkLog:
    """Links of the nodes of a process to nodes elsewhere.

    Parameters
    ----------
    roster
        Every node of the tree.
    """

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._broken: dict[tuple[str, str], str] = {}  # links that do not stand, and why
        self._met: set[tuple[str, str]] = set()  # sessions that were live once
        self._watched: dict[tuple[str, str], _Watched] = {}

    def happened(self, node: str, event: LinkEvent) -> None:
        """Log what happened to a link, each reason once until it stands again."""
        pair = (node, event.peer)
        if event.kind == "up":
            if self._broken.pop(pair, None) is not None:
                logs.info("link up", **self._place(node), peer=event.peer)
        elif self._broken.get(pair) != event.reason:
            self._broken[pair] = event.reason
            logs.warning(_WORDS[event.kind], **self._place(node), peer=event.peer, reason=event.reason)

    def look(self, node: str, neighbour: Neighbour) -> None:
        """Log a session that goes live again, and soon after where both ends stand: equal numbers, equal digests.

        Called at every report.
        """
        pair, peer = (node, neighbour.name), neighbour.peer
        if not neighbour.live:
            self._watched.pop(pair, None)
            return
        lives = peer.incarnation, peer.peer_incarnation
        watched = self._watched.get(pair)
        if watched is None or watched.lives != lives:
            again = pair in self._met or lives != (1, 1)
            self._met.add(pair)
            watched = self._watched[pair] = _Watched(lives, WATCHED_REPORTS if again else 0)
            if again:
                about = {"incarnation": lives[0], "of_peer": lives[1]}
                logs.info("session live", **self._place(node), peer=neighbour.name, **about)
        if watched.left == 0:
            return
        watched.left -= 1
        watched.seen_in[peer.cursor] = f"{peer.in_digest:016x}"
        watched.seen_out[peer.last] = f"{peer.out_digest:016x}"
        if watched.left == 0:
            seen = {"in": watched.seen_in, "out": watched.seen_out}
            alarms = peer.counters()["alarms.digest"]
            logs.info("session digests", **self._place(node), peer=neighbour.name, alarms=alarms, **seen)

    def _place(self, node: str) -> dict[str, str]:
        """What a line about one node begins with."""
        return {"tier": tier_word(self._roster.tier(node)), "node": node}
