"""Bugs that are planted in a simulated tree, so that it can be shown that its checks see them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tiertwin.twin.events import Synced

if TYPE_CHECKING:
    from support.treelives import Life
    from support.treesim import History
    from tiertwin.twin.effects import Keep

PLANTED = (
    "ack_before_sync",
    "forward_unsynced",
    "cursor_alone",
    "no_stream_check",
    "root_by_hearsay",
    "let_go_when_received",
)
FLIPPED = ("no_stream_check",)  # show only where logs are damaged, so that streams begin anew


def left_out(history: History, effect: Keep) -> bool:
    """Whether a child's records take effect and are not kept."""
    return (
        history.planted == "cursor_alone"
        and bool(effect.peer)
        and effect.frame[3] == 3
        and (history.random.random() < 0.05)
    )


def after_keep(history: History, life: Life, effect: Keep) -> None:
    """What was put into the log is called durable at once."""
    if history.planted == "ack_before_sync" and effect.peer:
        peer, slot = life.peers[effect.peer], life.slots[effect.peer]
        history.feed(life.k, Synced({effect.peer: (peer.peer_stream_id, life.log.cursor(slot))}, 0))
    if history.planted == "forward_unsynced" and not effect.peer:
        history.feed(life.k, Synced({}, life.log.cursor(0)))


def before_work(history: History, life: Life) -> None:
    """What the parent has received, the log lets go."""
    if history.planted == "let_go_when_received" and life.up is not None:
        life.log.acknowledged(life.up.acked)


def of_any_stream(history: History, life: Life, synced: Synced | None) -> Synced | None:
    """A sync of an earlier stream is taken for one of the present stream."""
    if synced is None or history.planted != "no_stream_check":
        return synced
    streams = {name: (life.peers[name].peer_stream_id, cursor) for name, (_, cursor) in synced.streams.items()}
    return Synced(streams, synced.own)


def after_work(history: History, life: Life) -> None:
    """What is durable here is called applied at the root."""
    if history.planted != "root_by_hearsay" or life.up is None:
        return
    for child in life.twin.children:
        peer, way = child.peer, (life.k, history.number[child.name])
        told = peer.logged(peer.peer_stream_id, peer.durable_in, peer.durable_in, history.faults.clock(life.k))
        history.flying.setdefault(way, deque()).extend(told)
