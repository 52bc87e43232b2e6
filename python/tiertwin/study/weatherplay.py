"""Traffic over measured links and their other ways, minute by minute, under a rule that says when it goes round.

Every link carries `load` of its densest step's rate. In a minute a link's rate is that of the step its fade leaves
(adaptive modulation; `fixed`: its densest step or nothing). Traffic that goes round shares what the other link has
left besides its own, by need. Within a minute first what was decided before it holds, then, after `reaction_s`, what a
reactive rule makes of it; traffic that goes round comes back when its own link has had room for `hold` minutes.

Not measured (a minute without a reading): that link's own traffic does not count, and nobody goes over it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.study.weatherdata import Fades

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Flags = NDArray[np.bool_]

MBIT_PER_BIT = 24.5  # of 24.5 Mbaud, a channel of 28 MHz
PACKET_MBIT = 0.01  # 1250 bytes
OWN = -1


@dataclass(frozen=True)
class Traffic:
    """What links carry, and how fast anybody can react.

    Parameters
    ----------
    load
        Share of a link's densest rate that it carries.
    reaction_s
        From trouble to traffic on another way (detection and switching; 1 … 10 s are usual).
    step_loss_s
        Traffic lost when a modem steps down because frames were lost.
    hold
        Minutes of room before traffic comes back.
    """

    load: float = 0.35
    reaction_s: float = 10.0
    step_loss_s: float = 0.1
    hold: int = 5


@dataclass(frozen=True, eq=False)
class Minute:
    """What a rule may know before minute t: everything measured up to minute t − 1.

    Parameters
    ----------
    t
        The minute that comes.
    rate
        Rate of every link in the minute before, bits a symbol; -1: not known, [n].
    lent
        Which links carry traffic of others, [n].
    """

    t: int
    rate: I64
    lent: Flags


Rule = Callable[[Minute], tuple["Flags", "I64", "I64"]]
"""Returns, all [n], which links' traffic should go round in the coming minute, the rate each link is expected to have
at least, bits a symbol (by which a way is chosen), and the step each should not exceed (12: any)."""


@dataclass(eq=False)
class Books:
    """What happened, by day and link: arrays [days, n].

    Parameters
    ----------
    lost, offered
        Mb.
    outage_min
        Minutes in which nothing of a link's traffic passed.
    unplanned
        Times traffic was caught by trouble.
    pre, false
        Times traffic went round ahead of trouble; and of those, times its own link would have carried it all along.
    falls, false_falls
        Times a modem was told to step down ahead; and of those, times its signal would have carried it all along.
    round_min
        Minutes on another way.
    """

    lost: F64
    offered: F64
    outage_min: F64
    unplanned: F64
    pre: F64
    false: F64
    falls: F64
    false_falls: F64
    round_min: F64

    @classmethod
    def empty(cls, days: int, links: int) -> Books:
        """Return books with nothing in them."""
        return cls(*(np.zeros((days, links)) for _ in range(9)))


@dataclass(frozen=True)
class Policy:
    """How traffic is steered.

    Parameters
    ----------
    name
        To read.
    adaptive
        Modems follow the signal.
    on_outage, on_loss
        Traffic goes round once nothing passes; once anything is lost.
    rule
        What goes round ahead of trouble; None: nothing.
    knows
        The rule knows the minute that comes (the oracle): its `Minute` has the rates of the minute itself.
    """

    name: str
    adaptive: bool = True
    on_outage: bool = False
    on_loss: bool = False
    rule: Rule | None = None
    knows: bool = False


@dataclass(eq=False)
class _State:
    way: I64
    good: I64
    troubled: Flags
    ahead: Flags
    needed: Flags
    limit: I64
    fallen: Flags
    fall_needed: Flags
    books: Books = field(repr=False)


class Play:
    """Plays policies over one set of links."""

    def __init__(self, fades: Fades, traffic: Traffic, minutes: range, bits: I64 | None = None) -> None:
        self.fades, self.traffic, self.minutes = fades, traffic, minutes
        self.bits = fades.bits() if bits is None else bits
        self.load: F64 = traffic.load * fades.top.astype(np.float64)
        self._all = np.arange(len(fades.top))

    def run(self, policy: Policy) -> Books:
        """Play a policy; the first minute starts with all traffic on its own link."""
        n = len(self.load)
        days = (self.minutes.stop - 1) // 1440 - self.minutes.start // 1440 + 1
        false, top = np.zeros(n, dtype=bool), np.full(n, 12, dtype=np.int64)
        state = _State(
            np.full(n, OWN), np.zeros(n, np.int64), false, false, false, top, false.copy(), false, Books.empty(days, n)
        )
        before = self.bits[self.minutes.start]
        for t in self.minutes:
            rate = self._rate(t, policy)
            self._minute(t, policy, state, rate, before)
            before = rate
        return state.books

    def _rate(self, t: int, policy: Policy) -> I64:
        bits = self.bits[t]
        return bits if policy.adaptive else np.where((bits >= 0) & (bits < self.fades.top), 0, bits)

    def _room(self, rate: I64, way: I64) -> F64:
        """Return what every link has besides traffic of its own that is on it."""
        own = np.where(way == OWN, self.load, 0.0)
        room: F64 = np.where(rate > 0, np.maximum(rate - own, 0.0), 0.0)
        return room

    def _minute(self, t: int, policy: Policy, state: _State, rate: I64, before: I64) -> None:
        day = t // 1440 - self.minutes.start // 1440
        books, known = state.books, rate >= 0
        if policy.rule is not None:
            self._ahead(t, policy, state, rate, before, day)
        rate = np.minimum(rate, np.where(known, state.limit, 12))
        first = self._passed(rate, state.way)
        trouble = self._trouble(policy, state, rate, first)
        books.unplanned[day] += trouble & ~state.troubled
        state.troubled = trouble
        if trouble.any():
            self._react(state, trouble, rate, first)
        second = self._passed(rate, state.way)
        part = self.traffic.reaction_s / 60.0
        passed = np.where(trouble, part * first + (1.0 - part) * second, second)
        outage = np.where(trouble, part * (first <= 0.0) + (1.0 - part) * (second <= 0.0), second <= 0.0)
        caught = known & (rate < np.minimum(before, state.limit)) & (before >= 0) & (rate > 0) & (state.way == OWN)
        passed = passed - np.where(caught, np.minimum(passed, self.traffic.step_loss_s / 60.0), 0.0)
        seconds = self.load * MBIT_PER_BIT * 60.0
        books.lost[day] += np.where(known, (1.0 - passed) * seconds, 0.0)
        books.offered[day] += np.where(known, seconds, 0.0)
        books.outage_min[day] += np.where(known, outage, 0.0)
        books.round_min[day] += known & (state.way != OWN)
        self._come_back(state, rate, policy, day)

    def _react(self, state: _State, trouble: Flags, rate: I64, passed: F64) -> None:
        """Move traffic that is in trouble: home if there is room now, else where there is most, if that is better."""
        chosen = self._choose(self._room(rate, state.way), trouble, state.way, passed * self.load)
        home = trouble & (state.way != OWN) & (rate >= self.load)
        state.way = np.where(home, OWN, chosen)
        state.good[trouble] = 0

    def _trouble(self, policy: Policy, state: _State, rate: I64, passed: F64) -> Flags:
        """Return whose traffic a reactive rule moves within this minute."""
        none: Flags = np.zeros(len(rate), dtype=bool)
        if policy.on_loss:
            return (passed < 1.0 - 1e-9) & (rate >= 0)
        if policy.on_outage:
            return (passed <= 0.0) & (rate >= 0)
        return none

    def _ahead(self, t: int, policy: Policy, state: _State, rate: I64, before: I64, day: int) -> None:
        """Let the rule move traffic and set steps before the minute begins."""
        assert policy.rule is not None
        wanted, expected, limit = policy.rule(Minute(t, rate if policy.knows else before, self._lent(state.way)))
        moved = wanted & (state.way == OWN)
        if moved.any():
            chosen = self._choose(self._room(expected, state.way), moved, state.way, self.load * (1.0 - 1e-9))
            went = moved & (chosen != OWN)
            state.way = np.where(went, chosen, state.way)
            state.good[went] = 0
            state.books.pre[day] += went
            state.ahead, state.needed = state.ahead | went, state.needed & ~went
        state.needed = state.needed | (state.ahead & (rate >= 0) & (rate < self.load))
        self._fall(state, limit, rate, day)
        if not policy.knows:
            state.good[wanted] = 0

    def _fall(self, state: _State, limit: I64, rate: I64, day: int) -> None:
        """Put limits of steps in force, and count those that fell without need once they are taken back."""
        falls = limit < self.fades.top
        begins, ends = falls & ~state.fallen, ~falls & state.fallen
        state.books.falls[day] += begins
        state.books.false_falls[day] += ends & ~state.fall_needed
        state.fall_needed = np.where(begins, False, state.fall_needed)
        state.fall_needed = state.fall_needed | (falls & (rate >= 0) & (rate < self.fades.top))
        state.fallen, state.limit = falls, limit

    def _come_back(self, state: _State, rate: I64, policy: Policy, day: int) -> None:
        out = state.way != OWN
        if not out.any():
            return
        state.good = np.where(out & (rate >= self.load), state.good + 1, 0)
        back = out & (state.good >= (1 if policy.knows else self.traffic.hold))
        if back.any():
            state.books.false[day] += back & state.ahead & ~state.needed
            state.ahead, state.needed = state.ahead & ~back, state.needed & ~back
            state.way = np.where(back, OWN, state.way)

    def _lent(self, way: I64) -> Flags:
        lent = np.zeros(len(way), dtype=bool)
        lent[way[way != OWN]] = True
        return lent

    def _choose(self, room: F64, moved: Flags, way: I64, least: F64) -> I64:
        """Return for those moved the way with most room, if that is more than `least`; for others as it was. [n]"""
        left, chosen = room.copy(), way.copy()
        for k in np.flatnonzero(moved):
            options = self.fades.ways[k]
            best = int(options[np.argmax(left[options])])
            if left[best] > least[k]:
                chosen[k] = best
                left[best] = max(left[best] - self.load[k], 0.0)
        return chosen

    def _passed(self, rate: I64, way: I64) -> F64:
        """Return which share of each link's traffic passes, [n]."""
        own = way == OWN
        passed = np.minimum(np.maximum(rate, 0) / self.load, 1.0)
        if not own.all():
            out = np.flatnonzero(~own)
            asked = np.bincount(way[out], self.load[out], len(rate))
            share = np.minimum(1.0, self._room(rate, way) / np.maximum(asked, 1e-12))
            passed[out] = share[way[out]]
        return passed
