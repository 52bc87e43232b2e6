"""Where everybody is at a given time: straight lines between the samples of a trace, and nothing beyond them.

    p(t) = p_k + (p_{k+1} − p_k) (t − t_k) / (t_{k+1} − t_k)     t_k ≤ t ≤ t_{k+1}, t_{k+1} − t_k ≤ max_gap_s

Exactly the sample at its own time. Before the first sample, after the last and inside a gap longer than `max_gap_s`
a user's position is NaN: not known. `Replay` answers for any time and holds the trace (32 bytes a sample);
`StreamReplay` goes forwards only and holds what lies within `max_gap_s`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiertwin.errors import InputError
from tiertwin.plant.traces.batch import F64, I64, TraceBatch, joined


class TraceReader(Protocol):
    """A trace as batches; the names of its users grow as it is read."""

    name: str

    @property
    def users(self) -> list[str]: ...

    def __iter__(self) -> Iterator[TraceBatch]: ...


class _Paths:
    """Samples by user and time, looked up at one time for all users at once: O(users log samples)."""

    def __init__(self, batch: TraceBatch, users: int, max_gap_s: float) -> None:
        order = np.lexsort((batch.time_s, batch.user))
        self.time, self.x, self.y = batch.time_s[order], batch.x_m[order], batch.y_m[order]
        self.ptr: I64 = np.searchsorted(batch.user[order], np.arange(users + 1)).astype(np.int64)
        self.max_gap_s = max_gap_s

    def at(self, time_s: float) -> tuple[F64, F64]:
        low = self._later(time_s)
        x = np.full(len(low), np.nan)
        y = np.full(len(low), np.nan)
        exact = self._exact(low, time_s)
        x[exact], y[exact] = self.x[low[exact] - 1], self.y[low[exact] - 1]
        between = np.flatnonzero(self._bridged(low) & ~exact)
        after = low[between]
        share = (time_s - self.time[after - 1]) / (self.time[after] - self.time[after - 1])
        x[between] = self.x[after - 1] + share * (self.x[after] - self.x[after - 1])
        y[between] = self.y[after - 1] + share * (self.y[after] - self.y[after - 1])
        return x, y

    def velocity(self, time_s: float) -> tuple[F64, F64]:
        """Return that of the line ahead, at a sample with none ahead that of the line behind, otherwise 0."""
        low = self._later(time_s)
        exact, ahead = self._exact(low, time_s), self._bridged(low)
        behind = exact & ~ahead & self._bridged(low - 1)
        found = []
        for place in (self.x, self.y):
            v = np.where(exact, 0.0, np.nan)
            for which, after in ((ahead, low), (behind, low - 1)):
                k = after[which]
                v[which] = (place[k] - place[k - 1]) / (self.time[k] - self.time[k - 1])
            found.append(v)
        return found[0], found[1]

    def _later(self, time_s: float) -> I64:
        """Return each user's first sample later than a time, by bisection for all users at once. [users]"""
        low, high = self.ptr[:-1].copy(), self.ptr[1:].copy()
        while np.any(low < high):
            middle = (low + high) // 2
            open_ = low < high
            later = np.zeros(len(low), dtype=bool)
            later[open_] = self.time[middle[open_]] > time_s
            high = np.where(open_ & later, middle, high)
            low = np.where(open_ & ~later, middle + 1, low)
        return low

    def _exact(self, low: I64, time_s: float) -> NDArray[np.bool_]:
        """Return whose newest sample is of just this time."""
        exact = low > self.ptr[:-1]
        exact[exact] = self.time[low[exact] - 1] == time_s
        return exact

    def _bridged(self, after: I64) -> NDArray[np.bool_]:
        """Return whose samples `after` and the one before it are both there and within the gap."""
        bridged: NDArray[np.bool_] = (after > self.ptr[:-1]) & (after < self.ptr[1:])
        k = after[bridged]
        bridged[bridged] = self.time[k] - self.time[k - 1] <= self.max_gap_s
        return bridged


def _gap(max_gap_s: float) -> float:
    if not (np.isfinite(max_gap_s) and max_gap_s > 0.0):
        raise InputError(f"max_gap_s: expected a positive, finite number of seconds, got {max_gap_s}")
    return float(max_gap_s)


class Replay:
    """A whole trace in memory.

    Parameters
    ----------
    reader
        Read to its end; users may stand in any order in it.
    max_gap_s
        Longest interval between two samples to interpolate in.
    own_clock
        Whether each user's time is counted from its first sample (drives of different days side by side).
    """

    def __init__(self, reader: TraceReader, *, max_gap_s: float, own_clock: bool = False) -> None:
        gap = _gap(max_gap_s)
        batch = joined(list(reader))
        self.users = list(reader.users)
        if not len(batch):
            raise InputError("expected at least one position, got none that could be kept", reader.name)
        if own_clock:
            start = np.full(len(self.users), np.inf)
            np.minimum.at(start, batch.user, batch.time_s)
            batch = TraceBatch(
                batch.time_s - start[batch.user], batch.user, batch.x_m, batch.y_m, batch.speed_mps, batch.line
            )
        self.start_s, self.end_s = float(batch.time_s.min()), float(batch.time_s.max())
        self._paths = _Paths(batch, len(self.users), gap)

    def at(self, time_s: float) -> tuple[F64, F64]:
        """Return (x, y) in m of every user, NaN where not known. Shape (users,) each."""
        if not np.isfinite(time_s):
            raise InputError(f"time_s: expected a finite time, got {time_s}")
        return self._paths.at(float(time_s))

    def velocity(self, time_s: float) -> tuple[F64, F64]:
        """Return (east, north) in m/s of every user: slope of the line it is on, NaN where not known."""
        if not np.isfinite(time_s):
            raise InputError(f"time_s: expected a finite time, got {time_s}")
        return self._paths.velocity(float(time_s))


class TraceMobility:
    """A replayed trace in the place of the core's `Mobility`: the same methods, users of a trace instead of walks.

    Parameters
    ----------
    replay
        Its time at the start is that of its first sample.
    height_m
        Of every user above the ground: traces tell none.
    """

    def __init__(self, replay: Replay, *, height_m: float = 1.5) -> None:
        if not (np.isfinite(height_m) and height_m >= 0.0):
            raise InputError(f"height_m: expected a finite height of at least 0 m, got {height_m}")
        self._replay, self._height_m = replay, height_m
        self._steps_s = 0.0

    @property
    def time_s(self) -> float:
        """Since the start."""
        return self._steps_s

    def step(self, seconds: float) -> None:
        """Move everybody on."""
        if not (np.isfinite(seconds) and seconds >= 0.0):
            raise InputError(f"seconds: expected a finite time of at least 0 s, got {seconds}")
        self._steps_s += float(seconds)

    def positions(self) -> F64:
        """Return x, y, z of every user in m, NaN for one that is not known to be anywhere. [users, 3]"""
        x, y = self._replay.at(self._replay.start_s + self._steps_s)
        return np.stack([x, y, np.where(np.isnan(x), np.nan, self._height_m)], axis=1)

    def velocities(self) -> F64:
        """Return the velocities in m/s, likewise. [users, 3]"""
        x, y = self._replay.velocity(self._replay.start_s + self._steps_s)
        return np.stack([x, y, 0.0 * x], axis=1)


class StreamReplay:
    """A trace of any length, forwards; its rows must be in order of time over all users (SUMO's are).

    Parameters
    ----------
    reader
        Read as far as needed: `max_gap_s` and one batch beyond the time asked for.
    max_gap_s
        Longest interval between two samples to interpolate in.
    """

    def __init__(self, reader: TraceReader, *, max_gap_s: float) -> None:
        self._gap = _gap(max_gap_s)
        self._reader = reader
        self._batches = iter(reader)
        self._window = joined([])
        self._paths = _Paths(self._window, 0, self._gap)
        self._read_to = -np.inf
        self._now = -np.inf
        self._more = True

    @property
    def users(self) -> list[str]:
        """Names of the users seen so far, by number; it grows."""
        return self._reader.users

    @property
    def held(self) -> int:
        """Samples in memory."""
        return len(self._window)

    def at(self, time_s: float) -> tuple[F64, F64]:
        """Return (x, y) in m of the users seen so far, NaN where not known; `time_s` may not go back."""
        if not (np.isfinite(time_s) and time_s >= self._now):
            raise InputError(
                f"time_s: expected a finite time not before {self._now:g} s, got {time_s}. Use Replay to go back."
            )
        self._now = float(time_s)
        fresh: list[TraceBatch] = []
        while self._more and self._read_to <= time_s + self._gap:
            fresh += self._pull()
        if fresh:
            # an interval that began longer ago than the gap is one nobody interpolates in
            keep = [b.rows(b.time_s >= time_s - self._gap) for b in (self._window, *fresh)]
            self._window = joined([b for b in keep if len(b)])
            self._paths = _Paths(self._window, len(self._reader.users), self._gap)
        return self._paths.at(self._now)

    def _pull(self) -> list[TraceBatch]:
        batch = next(self._batches, None)
        if batch is None:
            self._more = False
            return []
        if not len(batch):
            return []
        before = np.concatenate([[self._read_to], batch.time_s[:-1]])
        back = np.flatnonzero(batch.time_s < before)
        if len(back):
            row = int(back[0])
            raise InputError(
                f"expected rows in order of time, got {batch.time_s[row]:g} s after {before[row]:g} s. "
                "Sort the file, or use Replay, which holds all of it",
                f"{self._reader.name}, line {batch.line[row]}",
            )
        self._read_to = float(batch.time_s[-1])
        return [batch]
