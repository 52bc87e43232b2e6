"""Rows of a trace as arrays, and what is done about rows that cannot be right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tiertwin.errors import InputError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
POLICIES = ("strict", "skip")
ADVICE = "Correct the file, or read it with policy='skip', which leaves such rows out and counts them."


@dataclass(frozen=True, eq=False, slots=True)
class TraceBatch:
    """n positions, in the order of the file."""

    time_s: F64
    """When, by the clock of the trace. [n]"""
    user: I64
    """Row of `users` of the reader. [n]"""
    x_m: F64
    """East. [n]"""
    y_m: F64
    """North. [n]"""
    speed_mps: F64
    """NaN where the file tells none. [n]"""
    line: I64
    """Where in the file, from 1. [n]"""
    numbers: dict[str, F64] = field(default_factory=dict)
    """Further columns asked for, NaN where the file has none. [n] each"""
    words: dict[str, NDArray[np.str_]] = field(default_factory=dict)
    """Further columns asked for as text. [n] each"""

    def __len__(self) -> int:
        return len(self.time_s)

    def rows(self, which: NDArray[np.bool_] | I64) -> TraceBatch:
        """Return the rows chosen by a mask or by numbers."""
        return TraceBatch(
            self.time_s[which],
            self.user[which],
            self.x_m[which],
            self.y_m[which],
            self.speed_mps[which],
            self.line[which],
            {name: column[which] for name, column in self.numbers.items()},
            {name: column[which] for name, column in self.words.items()},
        )


def joined(batches: list[TraceBatch]) -> TraceBatch:
    """Return several batches as one; none at all make an empty one."""
    if not batches:
        none = np.zeros(0)
        return TraceBatch(none, np.zeros(0, np.int64), none, none, none, np.zeros(0, np.int64))
    return TraceBatch(
        np.concatenate([b.time_s for b in batches]),
        np.concatenate([b.user for b in batches]),
        np.concatenate([b.x_m for b in batches]),
        np.concatenate([b.y_m for b in batches]),
        np.concatenate([b.speed_mps for b in batches]),
        np.concatenate([b.line for b in batches]),
        {name: np.concatenate([b.numbers[name] for b in batches]) for name in batches[0].numbers},
        {name: np.concatenate([b.words[name] for b in batches]) for name in batches[0].words},
    )


class Skips:
    """What a reader left out or noticed, by reason, with the first case of each.

    Reasons: ``unreadable``, ``not finite``, ``out of range``, ``time going back``, ``repeated`` and ``too many users``
    (rows left out), ``gap`` (nothing is left out, a replay shows nobody there) and ``truncated`` (the file ended too
    early).
    """

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    @property
    def rows(self) -> int:
        """Rows left out."""
        return sum(n for reason, n in self.count.items() if reason not in ("gap", "truncated"))

    def add(self, reason: str, example: str, count: int = 1) -> None:
        """Count `count` cases of one reason."""
        self.count[reason] += count
        self.first.setdefault(reason, example)

    def __str__(self) -> str:
        if not self.count:
            return "nothing left out"
        return "; ".join(f"{n} × {reason} (first: {self.first[reason]})" for reason, n in sorted(self.count.items()))


class Checker:
    """Looks at rows in arrays: what is not finite, out of range, going back or far apart, user by user.

    Parameters
    ----------
    name
        Of the file, for messages.
    policy
        ``strict``: the first such row is an error. ``skip``: such rows are left out and counted in `skips`.
    max_gap_s
        A user not seen for longer than this has a gap; infinity: none has.
    """

    def __init__(self, name: str, policy: str, max_gap_s: float, skips: Skips) -> None:
        if policy not in POLICIES:
            raise InputError(f"policy: expected one of {', '.join(POLICIES)}, got {policy!r}")
        if not max_gap_s > 0.0:
            raise InputError(f"max_gap_s: expected a positive number of seconds, got {max_gap_s}")
        self.name = name
        self.strict = policy == "strict"
        self.max_gap_s = max_gap_s
        self.skips = skips
        self._last = np.full(0, -np.inf)  # time of each user's newest row

    def complain(self, reason: str, line: int, text: str, count: int = 1) -> None:
        """Raise for a row (strict) or count it (skip)."""
        if self.strict:
            raise InputError(f"{text}. {ADVICE}", f"{self.name}, line {line}")
        self.skips.add(reason, f"line {line}: {text}", count)

    def kept(self, batch: TraceBatch, users: list[str]) -> TraceBatch:
        """Return the rows that can be right; raises InputError at the first other one when strict."""
        finite = np.isfinite(batch.time_s) & np.isfinite(batch.x_m) & np.isfinite(batch.y_m)
        bad = finite & ((np.abs(batch.x_m) + np.abs(batch.y_m) > 1e8) | (batch.speed_mps < 0.0))
        good = finite & ~bad
        tested = batch.rows(good)
        latest = self._latest(tested, len(users))
        back = tested.time_s < latest
        again = tested.time_s == latest
        with np.errstate(invalid="ignore"):
            gap = (tested.time_s - latest > self.max_gap_s) & np.isfinite(latest)
        problems = [
            (batch, ~finite, "not finite", self._position),
            (batch, bad, "out of range", self._position),
            (tested, back, "time going back", lambda b, k: self._order(b, k, users, latest, "goes back to")),
            (tested, again, "repeated", lambda b, k: self._order(b, k, users, latest, "has two rows at")),
            (tested, gap, "gap", lambda b, k: self._order(b, k, users, latest, "is next seen at")),
        ]
        hits = [
            (int(b.line[np.argmax(mask)]), b, mask, reason, tell) for b, mask, reason, tell in problems if mask.any()
        ]
        for line, b, mask, reason, tell in sorted(hits, key=lambda hit: hit[0]):
            self.complain(reason, line, tell(b, int(np.argmax(mask))), int(mask.sum()))
        rest = tested.rows(~(back | again))
        np.maximum.at(self._last, rest.user, rest.time_s)
        return rest

    def _latest(self, batch: TraceBatch, users: int) -> F64:
        """Return for each row the newest time of its user before it, -inf for the first. [n]

        A running maximum by user in one pass: users one after the other, times as ranks that no user shares.
        """
        if users > len(self._last):
            self._last = np.concatenate([self._last, np.full(users - len(self._last), -np.inf)])
        seen, n = np.unique(batch.user), len(batch)
        owner = np.concatenate([seen, batch.user])
        time = np.concatenate([self._last[seen], batch.time_s])
        order = np.argsort(owner, kind="stable")  # a user's remembered time, then its rows as in the file
        values, rank = np.unique(time, return_inverse=True)
        running = np.maximum.accumulate(owner[order] * (len(values) + 1) + rank[order])
        before = np.empty(len(order), dtype=np.int64)
        before[1:] = running[:-1]
        latest = np.empty(len(order))
        latest[order[1:]] = values[before[1:] % (len(values) + 1)]
        result: F64 = latest[len(seen) :] if n else np.zeros(0)
        return result

    def _position(self, batch: TraceBatch, row: int) -> str:
        return (
            f"expected a finite time, a position within 10⁸ m and a speed of at least 0, got time "
            f"{batch.time_s[row]:g} s, position ({batch.x_m[row]:g}, {batch.y_m[row]:g}) m, "
            f"speed {batch.speed_mps[row]:g} m/s"
        )

    def _order(self, batch: TraceBatch, row: int, users: list[str], latest: F64, what: str) -> str:
        then, now = latest[row], batch.time_s[row]
        allowed = f" (max_gap_s is {self.max_gap_s:g})" if "next" in what else ""
        return (
            f"user {users[batch.user[row]]!r} {what} {now:.10g} s after {then:.10g} s{allowed}; "
            "expected ascending times of each user"
        )
