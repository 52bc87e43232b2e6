"""What must hold of a simulated tree: after every event, after every death, and once faults are over.

Looked at is who had something happen to it since the last look; of the others nothing has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from support.treelives import LOAD, ROWS, Life
from tiertwin import _core

if TYPE_CHECKING:
    from support.treesim import History
    from tiertwin.twin.events import Recovered


class Checks:
    """The checks of one history; what fails goes to its `fail`."""

    def __init__(self, history: History) -> None:
        self.history, self.shape = history, history.shape
        self.devices = [k for k, below in enumerate(self.shape.down) if not below]

    # -- after every event ---------------------------------------------------------------------------------------------
    def look(self) -> None:
        """Look at all that something happened to."""
        touched, shape, lives = self.history.touched, self.shape, self.history.lives
        for k in sorted(touched) if len(touched) > 1 else tuple(touched):
            life = lives[k]
            if life is None:
                continue
            if life.up is not None:
                self._below(k, life)
            if shape.down[k]:
                self._above(k, life)
        root = shape.root in touched
        for k in self.devices:
            device = lives[k]
            if device is not None and self.history.places[k].at_root and (root or k in touched):
                self._look_at_root(k, device)
        touched.clear()

    def _above(self, k: int, above: Life) -> None:
        """What a twin calls durable of its children is on its disk, and what it has of them is noted."""
        disk = above.log.durable_streams()
        for slot, child in enumerate(self.shape.down[k], 1):
            peer = above.peers[self.shape.names[child]]
            stream, durable = disk.get(slot, (0, 0))
            its, told = peer.peer_stream_id, peer.durable_in
            if told > (durable if stream == its else 0):
                self.history.fail(f"{above.name} calls {told} durable, on its disk is {durable}")
            place, cursor = self.history.places[child], peer.cursor
            if its != place.given[0] or cursor > place.given[1]:
                place.given = its, cursor

    def _below(self, k: int, below: Life) -> None:
        """Nobody sends its tables whose parent has them on disk and has said so, but once where a WELCOME wants them.

        That WELCOME must have come when nothing was on disk: what it wants may wait, at most one is sent in five
        seconds, and records may be on disk by then.
        """
        peer, place = below.up, self.history.places[k]
        assert peer is not None
        stream, durable, promised = peer.stream_id, peer.durable_out, place.acknowledged
        if durable and (stream != promised[0] or durable > promised[1]):
            place.acknowledged = stream, durable
        if (sent := peer.snapshots) > below.snapshots:
            wanted = below.asked and sent == below.snapshots + 1 and below.welcomed[0] != stream
            below.snapshots, below.asked = sent, False
            if promised == (stream, max(promised[1], 1)) and not wanted and self.history.whole:
                self.history.fail(f"{below.name} sends all its tables, though {promised[1]} were durable")
        if not self.shape.down[k]:
            place.at_root = max(place.at_root, peer.at_root_out)

    def _look_at_root(self, k: int, device: Life) -> None:
        """What the root is said to have applied, it has, also after a death."""
        top = self.history.lives[self.shape.root]
        if top is None or self.history.flips:
            return
        said, heard = self._ends(k, device, top)
        if device.twin.parent.table_out.dirty_count:  # type: ignore[union-attr]
            return  # what waits has the number of the record before
        numbers, at_root = device.twin.parent.table_out.numbers(LOAD), self.history.places[k].at_root  # type: ignore[union-attr]
        told = (numbers > 0) & (numbers <= at_root)
        self.history.told["at root"] += int(np.count_nonzero(told))
        if (~(heard[told] >= said[told])).any():
            self.history.fail(f"the root is said to have applied {at_root} of {device.name}, and has not")

    def _ends(self, k: int, device: Life, top: Life) -> tuple[np.ndarray, np.ndarray]:
        """A device's values as it says them, and as the root has them."""
        said = device.twin.parent.table_out.column(LOAD)  # type: ignore[union-attr]
        at = k
        while self.shape.up[at] != self.shape.root:
            at = self.shape.up[at]
        heard = top.twin.neighbours[self.shape.names[at]].table_in.column(LOAD)  # type: ignore[union-attr]
        first = self.shape.first[k] - self.shape.first[at]
        return said, heard[first : first + ROWS]

    # -- after every death ---------------------------------------------------------------------------------------------
    def recovered(self, life: Life, found: Recovered) -> None:
        """What was acknowledged is there, numbers go on, and tables are what the records make of them."""
        history, flips = self.history, self.history.flips
        place = history.places[life.k]
        if place.given[0] == life.log.stream and found.last < place.given[1] and not flips:
            history.fail(f"{life.name}: its parent has {place.given[1]}, it goes on behind {found.last}")
        for k in self.shape.down[life.k]:
            name, child = self.shape.names[k], history.places[k]
            stream, cursor = found.streams.get(name, (0, 0))
            if child.acknowledged[0] == stream and cursor < child.acknowledged[1] and not flips:
                history.fail(f"{life.name}: acknowledged {child.acknowledged[1]} of {name}, recovered {cursor}")
            expected = child.digests.get((stream, cursor))
            if cursor and expected is not None:
                history.told["digests"] += 1
                if _core.stream_digest(life.peers[name].in_tables) != expected:
                    history.fail(f"{life.name}: its tables are not what {cursor} records of {name} make of them")

    def lost(self, life: Life) -> None:
        """A twin begins anew, though nothing was wrong with its disk: then nobody had anything of it."""
        children = [self.history.places[k] for k in self.shape.down[life.k]]
        if self.history.places[life.k].given != (0, 0) or any(child.acknowledged != (0, 0) for child in children):
            self.history.fail(f"{life.name}: its log is gone")

    # -- at the end ----------------------------------------------------------------------------------------------------
    def settled(self) -> bool:
        """Whether every twin is attached, every queue empty and every record durable at every tier."""
        history = self.history
        if any(history.flying.values()):
            return False
        for life in history.lives:
            if life is None or life.pending is not None or life.node.full:
                return False
            for peer in life.peers.values():
                if peer.state != 1 or peer.acked != peer.last or peer.held_units:
                    return False
            up = life.up
            if up is not None and (up.durable_out != up.last or any(table.dirty_count for table in up.out_tables)):
                return False
        return all(self._same_at_both_ends(k) for k in self.devices)

    def _same_at_both_ends(self, k: int) -> bool:
        """The root has what the device has, and nothing else."""
        device, top = self.history.lives[k], self.history.lives[self.shape.root]
        assert device is not None
        assert top is not None
        said, heard = self._ends(k, device, top)
        told = np.isfinite(said)  # what a device lost with its log, it does not say again
        same = np.array_equal(said[told], heard[told])
        return bool(same and (self.history.flips or not np.isfinite(heard[~told]).any()))

    def at_the_end(self) -> str | None:
        """Both ends of every link agree, and nobody raised an alarm before; else what is wrong."""
        lives = self.history.lives
        for below in lives:
            assert below is not None
            if below.up is None:
                continue
            above = lives[self.shape.up[below.k]]
            assert above is not None
            if below.up.out_digest != above.peers[below.name].in_digest:
                return f"{below.name} and {above.name} differ"
        for life in lives:
            assert life is not None
            for name, peer in life.peers.items():
                counted = peer.counters()
                if (alarms := counted["alarms.digest"]) and not self.history.flips:
                    return f"{life.name}: {alarms} digests differed from those of {name}"
                self.history.told["snapshots"] += counted["snapshots"]
        return None

    def state(self) -> list[str]:
        """One line a twin and neighbour, for who has to find out why it does not settle."""
        lines = []
        for k, life in enumerate(self.history.lives):
            if life is None:
                lines.append(f"{self.shape.names[k]} gone")
                continue
            lines += [
                f"{life.name}>{name} state {peer.state} cursor {peer.cursor} last {peer.last} acked {peer.acked} "
                f"durable {peer.durable_out} held {peer.held_units}"
                for name, peer in life.peers.items()
            ]
        return lines
