"""Event A3 with L3 filter and time-to-trigger, radio-link failure and ping-pong: one user, dictionaries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

ATTACH, HANDOVER, FAILURE = 1, 2, 3


@dataclass
class User:
    """What one user went through; `step` returns (move, from, to, ping_pong) or None."""

    hysteresis: float = 3.0
    offset: float = 0.0
    trigger: float = 256.0
    k: float = 4.0
    out: float = -8.0
    into: float = -6.0
    t310: float = 1000.0
    ping_pong: float = 1000.0
    serving: int = -1
    levels: dict[int, float] = field(default_factory=dict)
    entered: dict[int, float] = field(default_factory=dict)
    bad_since: float | None = None
    left: tuple[int, float] | None = None
    time: float | None = None

    def step(self, time: float, heard: Mapping[int, float], sinr: float) -> tuple[int, int, int, bool] | None:
        a = 2 ** (-self.k / 4)
        weight = 1.0 if self.time is None else 1 - (1 - a) ** ((time - self.time) / 200)
        self.time = time
        self.levels = {
            c: m if c not in self.levels else self.levels[c] + weight * (m - self.levels[c]) for c, m in heard.items()
        }
        self.entered = {c: t for c, t in self.entered.items() if c in heard}
        best = max(self.levels, key=lambda c: (self.levels[c], -c), default=-1)
        if self.serving == -1:
            return None if best == -1 else self._move(ATTACH, best)
        if self.serving not in self.levels:
            sinr = -math.inf
        if sinr > self.into:
            self.bad_since = None
        if sinr < self.out and self.bad_since is None:
            self.bad_since = time
        if self.bad_since is not None and time - self.bad_since >= self.t310:
            return self._move(FAILURE, best)
        if self.serving not in self.levels:
            return None
        own = self.levels[self.serving] + self.offset
        for cell, level in self.levels.items():
            if cell == self.serving:
                continue
            if level - self.hysteresis > own:
                self.entered.setdefault(cell, time)
            else:
                self.entered.pop(cell, None)
        ready = [c for c, since in self.entered.items() if time - since >= self.trigger]
        return self._move(HANDOVER, max(ready, key=lambda c: (self.levels[c], -c))) if ready else None

    def _move(self, how: int, to: int) -> tuple[int, int, int, bool]:
        assert self.time is not None
        old = self.serving
        back = how == HANDOVER and self.left is not None and self.left[0] == to
        back = back and self.left is not None and self.time - self.left[1] <= self.ping_pong
        self.left = (old, self.time) if how == HANDOVER else None
        self.serving, self.bad_since, self.entered = to, None, {}
        return how, old, to, back
