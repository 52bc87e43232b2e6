"""When a process that ended by itself is started again, and when no more (R6). Knows no clock and no process.

runs ──ended──▶ waits 0.1 → 5 s ──due──▶ starts ──here──▶ runs
                    ▲                       │
                    └────────ended──────────┘        the sixth end within 60 s ──▶ degraded
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RESTARTS, WITHIN_S = 5, 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
_MOST_DOUBLINGS = 16  # far above the longest pause


@dataclass(slots=True)
class _Kept:
    """What is known of one process."""

    restarts: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS))  # newest last
    short_lives: int = 0  # in a row


class Supervisor:
    """Restarts of a host's processes, one for one; all times are monotonic seconds of the caller.

    Parameters
    ----------
    names
        Who is started again.
    draw
        Own jitter, in [0, 1): processes that ended together do not all come back at once.
    """

    def __init__(self, names: Iterable[str], draw: Callable[[], float]) -> None:
        self._kept = {name: _Kept() for name in names}
        self._draw = draw
        self._due: dict[str, float] = {}
        self.starting: dict[str, float] = {}  # who was started again and is not there yet, since when
        self.degraded: dict[str, str] = {}  # who is not started again any more, and why

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def ended(self, name: str, now: float) -> float | None:
        """A process ended by itself: return the pause before it is started again, s; None: it is degraded now."""
        kept = self._kept[name]
        self.starting.pop(name, None)
        if len(kept.restarts) == RESTARTS and now - kept.restarts[0] < WITHIN_S:
            self.give_up(name, f"it was started again {RESTARTS} times within {WITHIN_S:g} s and ended each time")
            return None
        lived_long = not kept.restarts or now - kept.restarts[-1] >= WITHIN_S
        kept.short_lives = 0 if lived_long else kept.short_lives + 1
        pause = min(FIRST_PAUSE_S * 2.0 ** min(kept.short_lives, _MOST_DOUBLINGS), LONGEST_PAUSE_S)
        pause += pause * self._draw() / 2  # jitter after the cap, or it is cut off
        self._due[name] = now + pause
        return pause

    def give_up(self, name: str, why: str) -> None:
        """Do not start a process again, whatever comes."""
        self._due.pop(name, None)
        self.starting.pop(name, None)
        self.degraded[name] = why

    def bring_back(self, name: str, now: float) -> None:
        """Start one again that was given up, as if it had never ended; one that was not is left alone."""
        if self.degraded.pop(name, None) is not None:
            self._kept[name] = _Kept()
            self._due[name] = now

    def due(self, now: float) -> list[str]:
        """Return who is to be started now; from now on they count as starting."""
        found = [name for name, at in self._due.items() if at <= now]
        for name in found:
            del self._due[name]
            self._kept[name].restarts.append(now)
            self.starting[name] = now
        return found

    def here(self, name: str) -> int:
        """A process that was started again is there; return how many of its newest restarts are remembered."""
        self.starting.pop(name, None)
        return len(self._kept[name].restarts)

    def overdue(self, now: float, limit_s: float) -> list[str]:
        """Return who was started longer than `limit_s` ago and is not there yet."""
        return [name for name, since in self.starting.items() if now - since > limit_s]
