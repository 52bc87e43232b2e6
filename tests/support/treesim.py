"""A chain of real twins with real logs over models of disks: device, edge and root, any of which may die at any moment.

What runs is the product's own: `Twin`, `Peer`, `DurableNode`, `DurableLog`, `FileDisk`; what is modelled is below and
beside it: disks (`modeldisk`), links that lose everything in flight when they break, and time. The device numbers
records for ever: number k puts k into row k mod ROWS. Every choice is drawn from the seed; ``history(seed)`` returns
what went wrong, or None. `planted` names a bug that is put in, so that it can be shown that the checks see it.

Checked after every event: nobody has acknowledged as durable what it has not on disk, nobody has of a stream what its
writer could forget, what the root is said to have it has. After every death: the tables are what the records up to the
recovered cursor make of them. At the end, faults over: all tables are equal, and nobody ever raised an alarm.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from random import Random
from typing import Any

import numpy as np

from support.modeldisk import Killed, ModelCalls
from support.treelives import CHAIN, LOAD, MS, QUERY, ROWS, Life, Place, cells_of
from tiertwin import _core
from tiertwin.runtime.disk import DiskFullError, DiskLostError
from tiertwin.runtime.diskwork import carry_out
from tiertwin.twin.effects import Keep, Persist, Reconnect, Send
from tiertwin.twin.events import FrameReceived, LinkDown, LinkUp, Reported, Started, Synced

LIVELY = 1600  # periods of 25 ms after the last fault: bans and snapshots take their time
PLANTED = (
    "ack_before_sync",
    "forward_unsynced",
    "cursor_alone",
    "no_stream_check",
    "root_by_hearsay",
)
FLIPPED = ("no_stream_check",)  # show only where logs are damaged, so that streams begin anew


class History:
    """All that happens of one seed."""

    def __init__(self, seed: int, planted: str = "", flips: bool = False) -> None:
        self.random = Random(seed)
        self.planted = planted
        self.options = {
            "power": self.random.random() < 0.7,
            "sync": self.random.random() < 0.3,
            "full": self.random.random() < 0.3,
            "calls": self.random.random() < 0.4,
            "drop": self.random.choice([0.0, 0.0, 0.02]),
            "slow": self.random.choice([0, 3, 12, 60]),
            "flips": flips,
        }
        self.options["whole"] = not flips and not self.options["drop"]
        self.now = 10**9
        self.places = [Place() for _ in CHAIN]
        self.flying: dict[tuple[int, int], deque[bytes]] = {}
        self.said = 0  # records of the device
        self.at_root = 0  # of those, said to be applied at the root
        self.asked = 0.0
        self.faulty = True
        self.wrong: str | None = None
        self.told: Counter[str] = Counter()
        self.lives: list[Life | None] = [None, None, None]
        for k in range(3):
            self.start(k)

    # -- running -------------------------------------------------------------------------------------------------------
    def run(self) -> str | None:
        """Return what went wrong, or None."""
        for _ in range(self.random.randrange(60, 400)):
            self.step()
            if self.wrong:
                return self.wrong
        self.faulty = False
        for k, place in enumerate(self.places):
            place.calls.room = 1 << 22
            place.calls.fail_sync_once = False
            if self.lives[k] is None:
                self.start(k)
        for _ in range(LIVELY):
            self._calm()
            if self.wrong:
                return self.wrong
            if self._settled():
                return self._at_the_end()
        return f"not settled: {[self._state(k) for k in range(3)]}"

    def step(self) -> None:
        """Something happens, or 25 ms go by."""
        choice = self.random.randrange(20)
        if choice < 4 and self.lives[0] is not None and (self.faulty or self.said == 0):
            self._sample()
        elif choice < 8:
            self._pass()
        elif self.faulty and choice == 8 and self.random.random() < 0.25:
            self._fault()
        else:
            for _ in range(self.random.randrange(1, 8)):
                self._deliver()
        for k in range(3):
            self._disk(k)
        self._look()

    def _calm(self) -> None:
        """25 ms in which nothing goes wrong."""
        while any(self.flying.values()):
            self._deliver()
        for k in range(3):
            self._disk(k)
        self._pass()
        self._look()

    def _pass(self) -> None:
        self.now += 25 * MS
        if self.faulty and self.random.random() < 0.1 and self.lives[2] is not None:
            self.asked += 1.0
            twin = self.lives[2].twin
            self._guard(2, lambda: twin.send_unit("edge", QUERY, cells_of(self.asked), self.now))  # type: ignore[arg-type]
        for k in range(3):
            if self.lives[k] is not None:
                self._feed(k, Reported())
            else:
                self.start(k) if self.random.random() < 0.3 else None

    def _sample(self) -> None:
        life = self.lives[0]
        assert life is not None
        assert life.twin.parent is not None
        table = life.twin.parent.table_out
        assert table is not None
        for _ in range(self.random.randrange(1, 4)):
            self.said += 1
            row = np.array([self.said % ROWS], np.uint32)
            table.set(LOAD, row, np.array([float(self.said)]), 1000 * self.said)

    def _feed(self, k: int, event: Any) -> None:
        life = self.lives[k]
        if life is not None:
            self._guard(k, lambda: life.twin.handle(event, self.now))

    def _guard(self, k: int, act: Any) -> None:
        life = self.lives[k]
        assert life is not None
        for effect in act():
            if isinstance(effect, Keep):
                self._keep(life, effect)
            elif isinstance(effect, Send):
                self._send(k, effect)
            elif isinstance(effect, Persist):
                self.places[k].terms[effect.peer] = effect.term
            elif isinstance(effect, Reconnect):
                self._link(k)
        if life.twin.parent is not None:
            peer = life.twin.parent.peer
            self.places[k].digests[peer.stream_id, peer.last] = peer.out_digest

    def _keep(self, life: Life, effect: Keep) -> None:
        if self.planted == "cursor_alone" and effect.peer and effect.frame[3] == 3 and self.random.random() < 0.05:
            return
        try:
            life.node.keep(effect, self.now)
        except ValueError as error:
            self.wrong = self.wrong or f"{life.name}: {error}"
        if self.planted == "ack_before_sync":
            child = life.twin.children[0] if life.twin.children else None
            if child is not None and effect.peer:
                self._feed(life.k, Synced({child.name: (child.peer.peer_stream_id, life.log.cursor(1))}, 0))
        if self.planted == "forward_unsynced" and not effect.peer:
            self._feed(life.k, Synced({}, life.log.cursor(0)))

    def _send(self, k: int, effect: Send) -> None:
        to = CHAIN.index(effect.peer)
        if self.faulty and self.random.random() < self.options["drop"]:
            return
        self.flying.setdefault((k, to), deque()).append(effect.frame)

    def _deliver(self) -> None:
        ways = [way for way, frames in self.flying.items() if frames]
        if not ways:
            return
        way = self.random.choice(ways)
        frame = self.flying[way].popleft()
        self._feed(way[1], FrameReceived(CHAIN[way[0]], frame))

    def _link(self, k: int) -> None:
        """The child k and its parent have a connection anew."""
        self.flying.pop((k, k + 1), None)
        self.flying.pop((k + 1, k), None)
        self._feed(k + 1, LinkDown(CHAIN[k]))
        self._feed(k, LinkUp(CHAIN[k + 1]))

    # -- the disks -----------------------------------------------------------------------------------------------------
    def _disk(self, k: int) -> None:
        life = self.lives[k]
        if life is None:
            return
        try:
            self._work(life)
        except Killed:
            self._die(k)
        except DiskLostError as error:
            if "put aside" in str(error) and not self.options["flips"]:
                self.wrong = self.wrong or str(error)
            self._die(k)

    def _work(self, life: Life) -> None:
        if life.pending is None:
            life.node.note_settled()
            if self.random.random() < 0.1:
                life.node.snapshot(self.now)
            life.pending = life.node.work(self.now)
            life.pause = self.random.randrange(1 + self.options["slow"])
        life.pause -= 1
        if life.pending is None or (self.faulty and life.pause > 0):
            return
        if self.faulty and self.options["calls"] and self.random.random() < 0.02:
            self._die_in_call(life, self.random.randrange(8))
        if self.faulty and self.options["sync"] and self.random.random() < 0.02:
            life.calls.fail_sync_once = True
        try:
            carry_out(life.disk, life.pending)
        except DiskFullError:
            life.node.without_room()
            return
        work, life.pending = life.pending, None
        synced = life.node.done(work, self.now)
        if synced is not None and self.planted == "no_stream_check":
            peers = {n.name: n.peer for n in life.twin.children}
            synced = Synced({n: (peers[n].peer_stream_id, c) for n, (_, c) in synced.streams.items()}, synced.own)
        if synced is not None:
            self._feed(life.k, synced)
        if self.planted == "root_by_hearsay" and life.k == 1:  # what is durable here is called applied at the root
            child = life.twin.children[0].peer
            self.flying.setdefault((1, 0), deque()).extend(
                child.logged(child.peer_stream_id, child.durable_in, child.durable_in, self.now)
            )

    def _die_in_call(self, life: Life, calls: int) -> None:
        left = calls

        def before(_call: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                life.calls.before = lambda _call: None  # type: ignore[method-assign]
                raise Killed

        life.calls.before = before  # type: ignore[method-assign]

    # -- lives ---------------------------------------------------------------------------------------------------------
    def start(self, k: int) -> None:
        """A next life; it may die while it looks at its log."""
        place = self.places[k]
        try:
            life = Life(self, k)
            recovered = life.node.recover()
        except (Killed, DiskLostError):
            self._die(k)
            return
        except DiskFullError:
            return
        self.lives[k] = life
        if recovered is not None:
            self._check_recovered(life, place, recovered.streams.get(CHAIN[k - 1], (0, 0)), recovered.last)
            self._feed(k, recovered)
        elif any("put aside" in line for line in life.log.found.news):
            if not self.options["flips"]:
                self.wrong = f"{life.name}: a healthy log was refused: {life.log.found.news}"
            self._forget(k)
        elif self.options["flips"]:
            self._forget(k)  # another disk, perhaps
        elif place.promised != (0, 0) or place.given != (0, 0):
            self.wrong = f"{life.name}: its log is gone"
        self.told["lives"] += 1
        self.told["resumed"] += recovered is not None
        self._feed(k, Started())
        if k < 2 and self.lives[k + 1] is not None:
            self._link(k)
        if k > 0 and self.lives[k - 1] is not None:
            self._link(k - 1)

    def _check_recovered(self, life: Life, place: Place, child: tuple[int, int], last: int) -> None:
        if place.promised[0] == child[0] and child[1] < place.promised[1] and not self.options["flips"]:
            self.wrong = f"{life.name}: acknowledged {place.promised[1]}, recovered {child[1]}"
        if place.given[0] == life.log.stream and last < place.given[1] and not self.options["flips"]:
            self.wrong = f"{life.name}: its parent has {place.given[1]}, it goes on behind {last}"
        if life.k > 0:
            tables = life.twin.children[0].peer.in_tables
            expected = self.places[life.k - 1].digests.get(child)
            if child[1] and expected is not None:
                self.told["digests"] += 1
                if _core.stream_digest(tables) != expected:
                    self.wrong = f"{life.name}: its tables are not what {child[1]} records make of them"

    def _forget(self, k: int) -> None:
        """A damaged log was put aside in so many words: of what it promised nothing holds any more."""
        self.places[k].promised = self.places[k].given = (0, 0)
        self.at_root = 0

    def _fault(self) -> None:
        k = self.random.randrange(3)
        choice = self.random.randrange(5)
        if choice < 3:
            self._die(k)
        elif choice == 3 and k < 2 and self.lives[k] is not None and self.lives[k + 1] is not None:
            self._link(k)
        elif choice == 4 and self.options["full"]:
            calls = self.places[k].calls
            used = calls.room - calls.free_bytes(0)
            calls.room = used if calls.room > used else 1 << 22

    def _die(self, k: int) -> None:
        calls = self.places[k].calls
        calls.before = lambda _call: None  # type: ignore[method-assign]
        calls.fail_sync_once = False
        if self.options["power"] and self.random.random() < 0.7:
            calls.power_cut(self.random)
        else:
            calls.kill()
        if self.options["flips"] and self.random.random() < 0.3:
            calls.flip(self.random)
        elif self.options["flips"] and self.random.random() < 0.2:
            self.places[k].calls = ModelCalls(room=1 << 22)  # another disk
            self._forget(k)
        self.lives[k] = None
        self.told["deaths"] += 1
        for other in (k - 1, k + 1):
            if 0 <= other < 3:
                self.flying.pop((k, other), None)
                self.flying.pop((other, k), None)
                self._feed(other, LinkDown(CHAIN[k]))

    # -- what must hold ------------------------------------------------------------------------------------------------
    def _look(self) -> None:
        for k in range(2):
            below, above = self.lives[k], self.lives[k + 1]
            if below is not None:
                self._look_below(k, below)
            if above is not None:
                peer = above.twin.children[0].peer
                place = self.places[k]
                stream, durable = above.log.durable_streams().get(1, (0, 0))
                if peer.durable_in > (durable if stream == peer.peer_stream_id else 0):
                    self.wrong = self.wrong or f"{above.name} calls {peer.durable_in} durable, on its disk is {durable}"
                if peer.peer_stream_id == place.given[0]:
                    place.given = place.given[0], max(place.given[1], peer.cursor)
                else:
                    place.given = peer.peer_stream_id, peer.cursor

    def _look_below(self, k: int, below: Life) -> None:
        assert below.twin.parent is not None
        peer = below.twin.parent.peer
        promised = self.places[k + 1].promised
        if peer.durable_out:
            most = max(promised[1], peer.durable_out) if promised[0] == peer.stream_id else peer.durable_out
            self.places[k + 1].promised = peer.stream_id, most
        sent = peer.counters()["snapshots"]
        if sent > below.snapshots and promised == (peer.stream_id, max(promised[1], 1)) and self.options["whole"]:
            self.wrong = self.wrong or f"{below.name} sends all its tables, though {promised[1]} were durable"
        below.snapshots = sent
        if k == 0:
            self.at_root = max(self.at_root, peer.at_root_out)
            self._look_at_root(below)

    def _look_at_root(self, device: Life) -> None:
        """What the root is said to have applied, it has, also after a death."""
        top = self.lives[2]
        if top is None or self.options["flips"] or not self.at_root:
            return
        assert device.twin.parent is not None
        said, heard = device.twin.parent.table_out, top.twin.children[0].table_in
        assert said is not None
        assert heard is not None
        if said.dirty_count:
            return  # what waits has the number of the record before
        told = (said.numbers(LOAD) > 0) & (said.numbers(LOAD) <= self.at_root)
        self.told["at root"] += int(told.sum())
        if (~(heard.column(LOAD)[told] >= said.column(LOAD)[told])).any():
            self.wrong = self.wrong or f"the root is said to have applied {self.at_root} of the device, and has not"

    def _state(self, k: int) -> str:
        life = self.lives[k]
        if life is None:
            return f"{CHAIN[k]} gone"
        return ", ".join(
            f"{k} {CHAIN[k]}>{n.name} state {n.peer.state} cursor {n.peer.cursor} last {n.peer.last} acked "
            f"{n.peer.acked} durable {n.peer.durable_out} held {n.peer.held_units}"
            for n in life.twin.neighbours.values()
        )

    def _settled(self) -> bool:
        for life in self.lives:
            if life is None or life.pending is not None or life.node.full:
                return False
            for neighbour in life.twin.neighbours.values():
                peer = neighbour.peer
                if peer.state != 1 or peer.acked != peer.last or peer.held_units:
                    return False
                if not neighbour.spec.is_parent:
                    continue
                if peer.durable_out != peer.last or any(table.dirty_count for table in peer.out_tables):
                    return False
        return self._same_at_both_ends()

    def _same_at_both_ends(self) -> bool:
        """The root has what the device has, and nothing else."""
        bottom, top = self.lives[0], self.lives[2]
        assert bottom is not None
        assert top is not None
        assert bottom.twin.parent is not None
        said, heard = bottom.twin.parent.table_out, top.twin.children[0].table_in
        assert said is not None
        assert heard is not None
        told = np.isfinite(said.column(LOAD))  # what a device lost with its log, it does not say again
        same = np.array_equal(said.column(LOAD)[told], heard.column(LOAD)[told])
        return bool(same and (self.options["flips"] or not np.isfinite(heard.column(LOAD)[~told]).any()))

    def _at_the_end(self) -> str | None:
        lives = [life for life in self.lives if life is not None]
        for below, above in itertools.pairwise(lives):
            assert below.twin.parent is not None
            up, down = below.twin.parent.peer, above.twin.children[0].peer
            if up.out_digest != down.in_digest:
                return f"{below.name} and {above.name} differ"
        for life in lives:
            for neighbour in life.twin.neighbours.values():
                if (alarms := neighbour.peer.counters()["alarms.digest"]) and not self.options["flips"]:
                    return f"{life.name}: {alarms} digests differed from those of {neighbour.name}"
                self.told["snapshots"] += neighbour.peer.counters()["snapshots"]
        return None


def history(seed: int, planted: str = "", flips: bool = False) -> str | None:
    """Return what went wrong in the history of a seed, or None."""
    return History(seed, planted, flips).run()
