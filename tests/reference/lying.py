"""The watch over children that may lie, written out naively: lists, dictionaries and the formulas; never shipped."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from tiertwin.functions.assure.lying import LieOptions

NONE, BOUNDS, MORE, LESS, BALANCE, FROZEN, REPLAYED = range(7)


def away(x: float, e: float) -> float:
    """Nats by which a count x is away from its mean e."""
    e = max(e, 1e-9)
    return x * math.log(x / e) - x + e if x > 0 else e


@dataclass
class Child:
    """All that was ever told, and what follows from it."""

    made: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    done: list[tuple[float, float, float]] = field(default_factory=list)  # c, m, x of reports with all three
    prints: list[tuple[float, ...]] = field(default_factory=list)
    repeated: float = 0.0
    again: int = NONE
    seen: int = 0
    quiet: int = 0
    evidence: float = 0.0
    reason: int = NONE
    out: int = NONE


def decayed(values: list[float], d: float) -> float:
    return sum(d ** (len(values) - 1 - k) * v for k, v in enumerate(values))


class Watch:
    """One object, all children; `push` takes what the kernel takes."""

    def __init__(self, children: int, options: LieOptions) -> None:
        self.o, self.children = options, [Child() for _ in range(children)]

    def push(self, fresh, made, done, missed, least, most, bounds, measured) -> None:
        o, came = self.o, np.flatnonzero(fresh)
        matched = {k: self._match(self.children[k], measured[k]) for k in came}
        usual = sum(matched.values()) > o.common * len(came)
        for k in came:
            child = self.children[k]
            child.repeated = o.forget * child.repeated + (o.repeat if matched[k] and not usual else 0.0)
            found = [(0.0, NONE), (bounds[k], BOUNDS)]
            found += self._level(child, made[k], least[k], most[k])
            found += self._balance(child, made[k], done[k], missed[k])
            found.append((child.repeated, child.again))
            best = max(value for value, _ in found)
            child.evidence, child.reason = next(pair for pair in found if pair[0] == best)
            child.quiet = child.quiet + 1 if child.evidence < o.calm * o.limit else 0
            child.seen += 1
        for child in self.children:
            if child.quiet >= o.hold:
                child.out = NONE
        room = int(o.most_share * len(self.children)) - sum(child.out != NONE for child in self.children)
        suspects = [child for child in self.children if child.out == NONE and child.evidence > o.limit]
        for child in sorted(suspects, key=lambda c: -c.evidence)[: max(room, 0)]:
            child.out, child.quiet = child.reason, 0

    def _match(self, child: Child, row: np.ndarray) -> bool:
        told = tuple(float(v) for v in row if not math.isnan(v) and v != 0)
        if not told or self.o.prints == 0:
            return False
        if child.prints and child.prints[-1] == told:
            child.again = FROZEN
            return True
        found = told in child.prints[-self.o.prints :]
        child.again = REPLAYED if found else child.again
        child.prints.append(told)
        return found

    def _level(self, child: Child, x: float, least: float, most: float) -> list[tuple[float, int]]:
        if any(math.isnan(v) for v in (x, least, most)):
            return []
        for values, value in ((child.made, max(x, 0.0)), (child.least, least), (child.most, most)):
            values.append(value)
        found = []
        for d in self.o.decays:
            total, low, high = (decayed(values, d) for values in (child.made, child.least, child.most))
            if child.seen >= self.o.warm and total > high:
                found.append((away(total, high) / self.o.spread, MORE))
            if child.seen >= self.o.warm and total < low:
                found.append((away(total, low) / self.o.spread, LESS))
        return found

    def _balance(self, child: Child, x: float, done: float, missed: float) -> list[tuple[float, int]]:
        if any(math.isnan(v) for v in (x, done, missed)):
            return []
        child.done.append((done, missed, x))
        if child.seen < self.o.warm:
            return []
        d = self.o.decays[-1]
        c, m = (decayed([row[k] for row in child.done], d) for k in (0, 1))
        total, most = decayed(child.made, d), decayed(child.most, d)
        error = math.sqrt(decayed([row[2] ** 2 for row in child.done], d * d))
        allowed = self.o.slack + self.o.slack_rate * most * (1 - d) + 3 * self.o.noise * error
        return [(max(c - total, total - c - m) - allowed, BALANCE)]
