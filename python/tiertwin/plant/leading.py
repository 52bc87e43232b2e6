"""Users who go where a trace says: positions read as a stream, step by step, and given to the radio access.

Before its first sample and in gaps a user stands where it is. What cannot be is refused, or left out and counted where
the trace says so: bad rows by the reader (`Skips`), users beyond the crowd and places outside the map here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.plant.reports import F64, I64
from tiertwin.plant.traces import CsvColumns, CsvTrace, Skips, StreamReplay, SumoTrace

if TYPE_CHECKING:
    from collections.abc import Sequence


class Leader:
    """The traces of a world's led users.

    Parameters
    ----------
    led
        `tiertwin.world.access.Led`, or anything with the same fields.
    map_m
        West, south, east, north: where users may be.
    height_m
        Of every user above the ground.
    """

    def __init__(self, led: Sequence[Any], map_m: tuple[float, float, float, float], height_m: float) -> None:
        self._led, self._map, self._height_m = led, map_m, height_m
        self._readers = [_reader(trace) for trace in led]
        self._replays = [
            StreamReplay(reader, max_gap_s=trace.max_gap_s) for reader, trace in zip(self._readers, led, strict=True)
        ]
        self.outside = 0
        """Positions outside the map that were left out."""

    @property
    def skips(self) -> list[Skips]:
        """What the readers left out, a trace each."""
        return [reader.skips for reader in self._readers]

    def places(self, time_s: float) -> tuple[I64, F64]:
        """Return who is led where at a time of the plant, which may not go back: users [k], x, y, z in m [k, 3].

        Raises
        ------
        InputError
            A bad row, more users than the crowd has, a place outside the map; with the file, user and what to do.
        """
        users: list[I64] = []
        places: list[F64] = []
        for trace, replay in zip(self._led, self._replays, strict=True):
            x, y = replay.at(trace.starts_at_s + time_s)
            if len(x) > trace.count and not trace.skip:
                told = f"expected at most {trace.count} users (`count` of the crowd), got {len(x)}"
                raise InputError(f"{told}. Raise it, or leave them out with `skip`", trace.file)
            at = np.stack([x[: trace.count] + trace.x_m, y[: trace.count] + trace.y_m], axis=1)
            row = np.flatnonzero(np.isfinite(at).all(axis=1))
            row = self._inside(trace, replay, row, at, time_s)
            users.append(trace.first + row)
            places.append(np.column_stack([at[row], np.full(len(row), self._height_m)]))
        return np.concatenate(users).astype(np.int64), np.ascontiguousarray(np.concatenate(places))

    def _inside(self, trace: Any, replay: StreamReplay, row: I64, at: F64, time_s: float) -> I64:
        west, south, east, north = self._map
        x, y = at[row].T
        inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
        if not inside.all() and not trace.skip:
            k = int(row[~inside][0])
            told = f"expected places in the map ({west:g}, {south:g}) to ({east:g}, {north:g}) m, got ({at[k, 0]:g}, "
            told += f"{at[k, 1]:g}) of user {replay.users[k]!r} at {time_s:g} s"
            raise InputError(f"{told}. Widen an area of the scenario, or leave such places out with `skip`", trace.file)
        self.outside += int((~inside).sum())
        kept: I64 = row[inside]
        return kept


def _reader(trace: Any) -> SumoTrace | CsvTrace:
    policy = "skip" if trace.skip else "strict"
    origin = (trace.south, trace.west) if trace.degrees else None
    if trace.format == "sumo":
        return SumoTrace(trace.file, policy=policy, geo=trace.degrees, origin=origin, max_gap_s=trace.max_gap_s)
    time, user, x, y = trace.columns
    columns = (
        CsvColumns(time=time, user=user, lon=x, lat=y) if trace.degrees else CsvColumns(time=time, user=user, x=x, y=y)
    )
    return CsvTrace(trace.file, columns, policy=policy, origin=origin, max_gap_s=trace.max_gap_s)
