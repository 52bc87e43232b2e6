"""Keeps the virtual clocks of many processes in step: conservative windows of one lookahead.

    T  = earliest time anything happens anywhere, frames under way included
    go = everybody with something before T + LOOKAHEAD runs up to there

A frame sent at t arrives no earlier than t + LOOKAHEAD, so nothing that happens in a window can be felt in the same
window elsewhere, and processes run one side by side (the time window algorithm of conservative parallel simulation).
Who has nothing to do in a window is not asked. The step itself knows no process: it talks to `Part`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tiertwin.runtime.control import Arrival, Done, Go
from tiertwin.runtime.host import LOOKAHEAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiertwin.runtime.control import Message

NEVER = 1 << 62


class Part(Protocol):
    """A process that hosts a part of the tree."""

    def tell(self, message: Message) -> None:
        """Ask for something; answers come in the order of asking."""
        ...

    def done(self) -> Done:
        """Wait for the answer to the oldest thing asked."""
        ...


class Lockstep:
    """Drives the parts of a tree through virtual time.

    Parameters
    ----------
    parts
        Processes by name.
    home
        Name of the process that hosts each node.
    """

    def __init__(self, parts: Mapping[str, Part], home: Mapping[str, str]) -> None:
        self._parts, self._home = dict(parts), dict(home)
        self._next = dict.fromkeys(self._parts, NEVER)
        self._under_way: dict[str, list[Arrival]] = {name: [] for name in self._parts}
        self.windows = 0

    def tell_all(self, message: Message) -> None:
        """Ask every part and take note of what it plans (Open, BeginEpoch)."""
        for part in self._parts.values():
            part.tell(message)
        for name in self._parts:
            self._note(name, self._parts[name].done())

    def run_until(self, end: int) -> None:
        """Let everything happen that is due before `end` (ns)."""
        while (first := min(self._next.values())) < end:
            until = min(first + LOOKAHEAD, end)
            asked = [name for name, at in self._next.items() if at < until]
            for name in asked:
                arrivals, self._under_way[name] = self._under_way[name], []
                self._next[name] = NEVER
                self._parts[name].tell(Go(until, arrivals))
            for name in asked:
                self._note(name, self._parts[name].done())
            self.windows += 1

    def _note(self, name: str, done: Done) -> None:
        if done.next is not None:
            self._next[name] = min(self._next[name], done.next)
        for arrival in done.sent:
            there = self._home[arrival.receiver]
            self._under_way[there].append(arrival)
            self._next[there] = min(self._next[there], arrival.at)
