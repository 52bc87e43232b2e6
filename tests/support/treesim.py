"""Trees of real twins with real logs over models of disks, any of which may die at any moment.

What runs is the product's own: `Twin`, `Peer`, `DurableNode`, `DurableLog`, `FileDisk`; what is modelled is below and
beside it: disks (`modeldisk`), links that lose what is in flight when they break, clocks, and time (`treefaults`). A
device numbers its records for ever: number k puts k into row k mod ROWS. Every choice is drawn from the seed;
``history(seed)`` returns what went wrong, or None; `treetell.explain` tells more. `planted` names a bug that is put in,
so that it can be shown that the checks (`treechecks`) see it.

Shapes are drawn (`treefaults.SHAPES`). After the faults, within LIVELY periods all must be attached, equal and durable.
"""

from __future__ import annotations

from collections import Counter, deque
from random import Random
from typing import Any

import numpy as np

from support import treebugs
from support.modeldisk import Killed, ModelCalls
from support.treechecks import Checks
from support.treefaults import Faults, draw_options, switch_off
from support.treelives import CHAIN, LOAD, QUERY, ROWS, Life, Place, cells_of, told
from tiertwin.runtime.disk import DiskFullError, DiskLostError
from tiertwin.runtime.diskwork import carry_out
from tiertwin.twin.effects import Keep, Persist, Reconnect, Send
from tiertwin.twin.events import FrameReceived, LinkDown, LinkUp, Reported, Started

LIVELY = 1600  # periods of 25 ms after the last fault: bans and snapshots take their time
WELCOME = 2  # kind of a frame
MODE_UP, SNAPSHOT = 42, 2  # where a WELCOME says how its child is to go on, and that it wants its tables
REPORTED = Reported()


class History:
    """All that happens of one seed.

    Parameters
    ----------
    planted
        Name of a bug that is put in.
    flips
        Disks turn bits over and are replaced.
    plain
        A chain of three without the classes that came later: seeds kept from before replay as they were.
    without
        Fault classes that are switched off.
    traced
        Keep the last events in `events`.
    """

    def __init__(
        self,
        seed: int,
        planted: str = "",
        flips: bool = False,
        plain: bool = False,
        without: frozenset[str] = frozenset(),
        traced: bool = False,
    ) -> None:
        self.random = Random(seed)
        self.more = Random(seed + (1 << 64))
        self.planted = planted
        self.options = draw_options(self.random, self.more, flips, plain)
        switch_off(self.options, without)
        self.drawn = dict(self.options)
        self.flips = bool(self.options["flips"])
        self.whole = not self.flips and not self.options["drop"]
        self.shape = self.options["shape"]
        self.now = 10**9
        self.steps = 0
        self.events: deque[str] | None = deque(maxlen=200) if traced else None
        self.places = [Place() for _ in self.shape.names]
        self.number = {name: k for k, name in enumerate(self.shape.names)}
        self.flying: dict[tuple[int, int], deque[bytes]] = {}
        self.asked = 0.0
        self.faulty = True
        self.wrong: str | None = None
        self.told: Counter[str] = Counter()
        self.touched: set[int] = set()
        self.lives: list[Life | None] = [None] * len(self.shape.names)
        self.few = range(len(self.shape.names)) if len(self.shape.names) <= 5 else None
        self.faults = Faults(self)
        self.checks = Checks(self)
        for k in reversed(range(len(self.lives))) if self.shape is not CHAIN else range(3):
            self.start(k)

    def fail(self, what: str) -> None:
        """Note the first thing that went wrong."""
        self.wrong = self.wrong or what

    def note(self, what: str, k: int, more: str = "") -> None:
        """Note an event, if anybody wants to know."""
        if self.events is not None:
            at = f"{self.steps:5} {(self.now - 10**9) / 1e9:8.3f} s"
            self.events.append(f"{at}  {self.shape.names[k]:9} {what} {more}".rstrip())

    # -- running -------------------------------------------------------------------------------------------------------
    def run(self) -> str | None:
        """Return what went wrong, or None."""
        for _ in range(self.random.randrange(60, 400) * self.options["long"]):
            self.step()
            if self.wrong:
                return self.wrong
        self.faulty = False
        self.faults.over()
        for k, place in enumerate(self.places):
            place.calls.room = 1 << 22
            place.calls.fail_sync_once = False
            if self.lives[k] is None:
                self.start(k)
        for period in range(LIVELY):
            self._calm()
            if self.wrong:
                return self.wrong
            if self.checks.settled():
                self.told["periods"] = period + 1
                return self.checks.at_the_end()
        return f"not settled: {self.checks.state()}"

    def step(self) -> None:
        """Something happens, or 25 ms go by."""
        random = self.random
        self.steps += 1
        choice = int(random.random() * 20) if self.few is None else random.randrange(20)
        if choice < 4 and self._sample():
            pass
        elif choice < 8:
            self._pass()
        elif choice == 8 and random.random() < 0.25:
            self.faults.strike()
        else:
            for _ in range(random.randrange(1, 8)):
                self._deliver()
        if self.faults.any:
            self.faults.step()
        for k in self.few or self.more.sample(range(len(self.lives)), 4):
            self._disk(k)
        self.checks.look()

    def _calm(self) -> None:
        """25 ms in which nothing goes wrong."""
        self._pass()
        self._deliver_all()
        for k in range(len(self.lives)):
            self._disk(k)
        self._deliver_all()

    def _deliver_all(self) -> None:
        self.checks.look()
        while any(self.flying.values()):
            self._deliver()
        self.checks.look()

    def _pass(self) -> None:
        self.now += self.faults.period
        top = self.lives[-1]
        if self.faulty and self.random.random() < 0.1 and top is not None and not self.faults.paused[-1]:
            self.asked += 1.0
            children = top.twin.children
            child = children[0] if len(children) == 1 else self.more.choice(children)
            now = self.faults.clock(self.shape.root)
            self._carry_out(top, top.twin.send_unit(child.name, QUERY, cells_of(self.asked), now))  # type: ignore[arg-type]
        for k, life in enumerate(self.lives):
            if life is None:
                self.start(k) if self.random.random() < 0.3 else None
            elif not self.faults.paused[k]:
                self.feed(k, REPORTED)

    def _sample(self) -> bool:
        devices = self.checks.devices
        k = devices[0] if len(devices) == 1 else self.more.choice(devices)
        life, place = self.lives[k], self.places[k]
        if life is None:
            return False
        if self.faults.paused[k]:
            return True
        table = life.twin.parent.table_out  # type: ignore[union-attr]
        assert table is not None
        for _ in range(self.random.randrange(1, 4)):
            place.said += 1
            row = np.array([place.said % ROWS], np.uint32)
            table.set(LOAD, row, np.array([float(place.said)]), 1000 * place.said)
        self.note("samples", k, f"up to {place.said}")
        return True

    def feed(self, k: int, event: Any) -> None:
        """Have a twin hear of an event; one that is paused hears of it later, one that is gone never."""
        life = self.lives[k]
        if life is None:
            return
        if self.faults.paused[k]:
            self.faults.late[k].append((event, self.places[k].incarnation))
            return
        if self.events is not None:
            self.note(type(event).__name__, k, told(event))
        self._carry_out(life, life.twin.handle(event, self.faults.clock(k)))

    def _carry_out(self, life: Life, effects: list[Any]) -> None:
        k = life.k
        self.touched.add(k)
        for effect in effects:
            kind = type(effect)
            if kind is Send:
                self._send(life, effect)
            elif kind is Keep:
                self._keep(life, effect)
            elif kind is Persist:
                self.places[k].terms[effect.peer] = effect.term
            elif kind is Reconnect:
                self.link(k)
        if (peer := life.up) is not None and peer.last != life.noted:
            life.noted = peer.last
            self.places[k].digests[peer.stream_id, life.noted] = peer.out_digest

    def _keep(self, life: Life, effect: Keep) -> None:
        if treebugs.left_out(self, effect):
            return
        try:
            life.node.keep(effect, self.faults.clock(life.k))
        except ValueError as error:
            self.fail(f"{life.name}: {error}")
        if self.planted:
            treebugs.after_keep(self, life, effect)

    def _send(self, life: Life, effect: Send) -> None:
        k, to, frame = life.k, self.number[effect.peer], effect.frame
        if self.faulty and self.random.random() < self.options["drop"]:
            return
        way = (k, to)
        self.flying.setdefault(way, deque()).append(frame)

    def _deliver(self) -> None:
        ways = [way for way, frames in self.flying.items() if frames]
        if self.faults.any:
            ways = [way for way in ways if self.faults.passes(way)]
        if not ways:
            return
        way = self.random.choice(ways)
        frame, life = self.flying[way].popleft(), self.lives[way[1]]
        if frame[3] == WELCOME and life is not None and not self.faults.paused[way[1]]:
            life.welcomed, life.asked = self.places[way[1]].acknowledged, frame[MODE_UP] == SNAPSHOT
        self.feed(way[1], FrameReceived(self.shape.names[way[0]], frame))

    def link(self, k: int) -> None:
        """The child k and its parent have a connection anew."""
        parent = self.shape.up[k]
        self.faults.reset((k, parent))
        self.flying.pop((parent, k), None)
        self.feed(parent, LinkDown(self.shape.names[k]))
        self.feed(k, LinkUp(self.shape.names[parent]))

    # -- the disks -----------------------------------------------------------------------------------------------------
    def _disk(self, k: int) -> None:
        life = self.lives[k]
        if life is None or self.faults.paused[k]:
            return
        try:
            self._work(life)
        except Killed:
            self.die(k)
        except DiskLostError as error:
            if "put aside" in str(error) and not self.flips:
                self.fail(str(error))
            self.die(k)

    def _work(self, life: Life) -> None:
        k, random, node = life.k, self.random, life.node
        if life.pending is None:
            self._next_work(life)
        life.pause -= 1
        if life.pending is None or (self.faulty and (life.pause > 0 or self.faults.stall(k))):
            return
        if self.faulty and self.options["calls"] and random.random() < 0.02:
            life.calls.die_in(random.randrange(8))
        if self.faulty and self.options["sync"] and random.random() < 0.02:
            life.calls.fail_sync_once = True
        try:
            carry_out(life.disk, life.pending)
        except DiskFullError:
            node.without_room()
            return
        work, life.pending = life.pending, None
        if self.events is not None:
            self.note("wrote", k, type(work).__name__)
        synced = treebugs.of_any_stream(self, life, node.done(work, self.faults.clock(k)))
        self.touched.add(k)
        if synced is not None:
            self.feed(k, synced)
        if self.planted:
            treebugs.after_work(self, life)

    def _next_work(self, life: Life) -> None:
        """Ask the log what is to be done next; what was acknowledged may go."""
        now, node = self.faults.clock(life.k), life.node
        node.note_settled()
        if self.planted:
            treebugs.before_work(self, life)
        if self.random.random() < 0.1:
            node.snapshot(now)
        life.pending = node.work(now)
        life.pause = self.random.randrange(1 + self.options["slow"])
        self.faults.stalled[life.k] = -1

    # -- lives ---------------------------------------------------------------------------------------------------------
    def start(self, k: int) -> None:
        """A next life; it may die while it looks at its log."""
        self.faults.set_clock(k)
        try:
            life = Life(self, k)
            recovered = life.node.recover()
        except (Killed, DiskLostError):
            self.die(k)
            return
        except DiskFullError:
            return
        self.lives[k] = life
        self.note("starts", k, "with its log" if recovered is not None else "anew")
        if recovered is not None:
            self.checks.recovered(life, recovered)
            self.feed(k, recovered)
        elif any("put aside" in line for line in life.log.found.news):
            if not self.flips:
                self.fail(f"{life.name}: a healthy log was refused: {life.log.found.news}")
            self._forget(k)
        elif self.flips:
            self._forget(k)  # another disk, perhaps
        else:
            self.checks.lost(life)
        self.told["lives"] += 1
        self.told["resumed"] += recovered is not None
        self.feed(k, Started())
        if self.shape.up[k] >= 0 and self.lives[self.shape.up[k]] is not None:
            self.link(k)
        for child in self.shape.down[k]:
            if self.lives[child] is not None:
                self.link(child)

    def _forget(self, k: int) -> None:
        """A damaged log was put aside in so many words: of what it promised nothing holds any more."""
        self.places[k].given = (0, 0)
        for child in self.shape.down[k]:
            self.places[child].acknowledged = (0, 0)
        for place in self.places:
            place.at_root = 0

    def die(self, k: int) -> None:
        calls = self.places[k].calls
        calls.before = lambda _call: None  # type: ignore[method-assign]
        calls.fail_sync_once = False
        cut = self.random.random() < 0.7 if self.options["power"] else False
        self.note("dies", k, "without power" if cut else "")
        if cut:
            calls.power_cut(self.random)
        else:
            calls.kill()
        if self.flips and self.random.random() < 0.3:
            self.note("bit turned", k, str(calls.flip(self.random)))
        elif self.flips and self.random.random() < 0.2:
            self.places[k].calls = ModelCalls(room=1 << 22)  # another disk
            self._forget(k)
            self.note("another disk", k)
        self.lives[k] = None
        self.faults.died(k)
        self.told["deaths"] += 1
        for other in (*self.shape.down[k], self.shape.up[k]):
            if other >= 0:
                self.flying.pop((k, other), None)
                self.flying.pop((other, k), None)
                self.feed(other, LinkDown(self.shape.names[k]))


def history(seed: int, planted: str = "", flips: bool = False, plain: bool = False) -> str | None:
    """Return what went wrong in the history of a seed, or None."""
    return History(seed, planted, flips, plain).run()
