"""What may go wrong in a simulated tree: fault classes, which of them are active in a history, and when they fire.

A class is active in a share of histories and then fires with a share of calls. What was drawn first, before there were
trees, comes from the seed's own generator, so that a kept seed marked `plain` is the history that it was; the rest
(shape, length, the classes of MORE) has a generator of its own. A class that is switched off (`without`) draws as
before and does nothing, so that the rest of the history stays as near as it can to what it was.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from support.treelives import CHAIN, CHAIN_OF_5, MS, TREE_4, TREE_16

if TYPE_CHECKING:
    from support.treesim import History

MORE: Final = ("pause", "stall", "cut", "reset", "clock")
CLASSES: Final = ("death", "power", "break", "sync", "full", "calls", "drop", "slow", "flips", *MORE)
SHAPES: Final = ((0.03, CHAIN_OF_5), (0.05, TREE_4), (0.06, TREE_16), (1.0, CHAIN))  # up to which draw
ACTIVE: Final = 0.25  # share of histories in which a class of MORE is active
LONG: Final = 0.02  # share of histories, of three twins, that are ten times as long and whose segments are small


def draw_options(random: Random, more: Random, flips: bool, plain: bool) -> dict[str, Any]:
    """Return all that is drawn for a history before it begins."""
    options: dict[str, Any] = {
        "power": random.random() < 0.7,
        "sync": random.random() < 0.3,
        "full": random.random() < 0.3,
        "calls": random.random() < 0.4,
        "drop": random.choice([0.0, 0.0, 0.02]),
        "slow": random.choice([0, 3, 12, 60]),
        "flips": flips,
        "death": True,
        "break": True,
        "segment": 8192,
        "long": 1,
        "shape": CHAIN,
    }
    draw = more.random()
    options |= {name: more.random() < ACTIVE and not plain for name in MORE}
    if plain:
        return options
    options["shape"] = next(shape for share, shape in SHAPES if draw < share)
    if options["shape"] is CHAIN and more.random() < LONG:
        options |= {"segment": 1024, "long": 10, "stall": True}
    return options


def switch_off(options: dict[str, Any], without: frozenset[str]) -> None:
    """Switch fault classes off."""
    for name in without:
        options[name] = type(options[name])(0)


def active(options: dict[str, Any]) -> list[str]:
    """Return the names of the fault classes that are on."""
    return [name for name in CLASSES if options[name]]


class Faults:
    """The classes of MORE: who is paused, whose disk stands still, which way is cut, whose clock goes wrong."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.random = history.more
        self.options = history.options
        self.any = any(self.options[name] for name in MORE)
        count = len(history.shape.names)
        self.paused = [0] * count  # step until which it does nothing
        self.late: list[list[tuple[Any, int]]] = [[] for _ in range(count)]  # what it has to hear then
        self.stalled = [0] * count  # step until which its disk does not answer
        self.cut: dict[tuple[int, int], int] = {}  # step until which nothing comes through
        self.clocks = [(0, 1.0)] * count  # offset in ns and rate of each twin's clock
        self.period = 25 * MS

    def clock(self, k: int) -> int:
        """Return what a twin's monotonic clock says."""
        offset, rate = self.clocks[k]
        return offset + int(self.history.now * rate)

    def set_clock(self, k: int) -> None:
        """A twin starts: its host may have started anew, and its clock with it."""
        if self.options["clock"]:
            self.clocks[k] = (self.random.randrange(10**13), self.random.choice([0.5, 0.8, 1.0, 1.3, 2.0]))

    def strike(self) -> None:
        """Something goes wrong with a twin: it dies, its link breaks, its disk is full or has room again."""
        history = self.history
        k, choice = history.random.randrange(len(history.lives)), history.random.randrange(5)
        if choice < 3 and self.options["death"]:
            history.die(k)
        elif choice == 3 and k < history.shape.root and self.options["break"]:
            if history.lives[k] is not None and history.lives[history.shape.up[k]] is not None:
                history.note("link breaks", k)
                history.link(k)
        elif choice == 4 and self.options["full"]:
            calls = history.places[k].calls
            used = calls.room - calls.free_bytes(0)
            calls.room = used if calls.room > used else 1 << 22
            history.note("disk full" if calls.room == used else "disk has room", k)

    def step(self) -> None:
        """Perhaps something more goes wrong; what went wrong before may be over."""
        history, draw = self.history, self.random.random()
        for k, until in enumerate(self.paused):
            if until and history.steps >= until:
                self.go_on(k)
        if draw < 0.02 and self.options["pause"]:
            k = self.random.randrange(len(self.paused))
            if not self.paused[k] and history.lives[k] is not None:
                self.paused[k] = history.steps + self.random.randrange(3, 60)
                self.period = self.random.choice([25, 25, 400]) * MS  # while it sleeps, others may miss it or not
                history.note("pause", k, f"until step {self.paused[k]}, periods of {self.period // MS} ms")
        elif draw > 0.98 and self.options["cut"]:
            k = self.random.randrange(history.shape.root)
            way = (k, history.shape.up[k]) if self.random.random() < 0.5 else (history.shape.up[k], k)
            self.cut[way] = history.steps + self.random.randrange(3, 60)
            history.note("cut", way[0], f"to {history.shape.names[way[1]]} until step {self.cut[way]}")

    def go_on(self, k: int) -> None:
        """A process that was paused goes on: all that piled up arrives, in its order."""
        self.paused[k] = 0
        self.period = 25 * MS
        self.history.note("goes on", k, f"{len(self.late[k])} events late")
        late, self.late[k] = self.late[k], []
        for event, life in late:
            if life == self.history.places[k].incarnation:
                self.history.feed(k, event)

    def stall(self, k: int) -> bool:
        """Whether a disk that was asked to write does not answer for now."""
        if self.stalled[k] < 0 and self.options["stall"]:  # asked for the first time
            self.stalled[k] = self.history.steps + self.random.randrange(20, 300) if self.random.random() < 0.05 else 0
        return self.history.steps < self.stalled[k]

    def passes(self, way: tuple[int, int]) -> bool:
        """Whether what is under way there may arrive now."""
        return not self.paused[way[1]] and self.cut.get(way, 0) <= self.history.steps

    def reset(self, way: tuple[int, int]) -> None:
        """A connection is made anew: what is in flight is gone; what is queued before it may come all the same."""
        frames = self.history.flying.get(way)
        if frames and self.options["reset"] and self.random.random() < 0.5:
            for _ in range(self.random.randrange(len(frames) + 1)):
                frames.popleft()
            self.history.note("replayed", way[0], f"{len(frames)} frames to {self.history.shape.names[way[1]]}")
        else:
            self.history.flying.pop(way, None)

    def died(self, k: int) -> None:
        """A process that is gone is not paused any more; its disk has nothing to answer."""
        self.paused[k] = self.stalled[k] = 0
        self.late[k].clear()

    def over(self) -> None:
        """Faults are over; clocks stay as they are."""
        self.cut.clear()
        self.stalled = [0] * len(self.stalled)
        for k, until in enumerate(self.paused):
            if until:
                self.go_on(k)
        self.options["stall"] = self.options["reset"] = False
