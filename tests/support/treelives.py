"""Real twins with real logs over models of disks: what a life of one holds, and what outlives it (treesim.py)."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from support.modeldisk import ModelCalls
from tiertwin import _core
from tiertwin.runtime.diskwork import Work
from tiertwin.runtime.durablelog import DurableLog
from tiertwin.runtime.durablenode import DurableNode
from tiertwin.runtime.filedisk import FileDisk
from tiertwin.twin.effects import Effect
from tiertwin.twin.twin import NeighbourSpec, TableShape, Twin, TwinConfig

if TYPE_CHECKING:
    from support.treesim import History

MS = 1_000_000
ROWS = 8
SEGMENT_BYTES = 8192
LOAD, QUOTA = 1, 2
TELEMETRY, CUT, QUERY = 1, 4, 17
CHAIN = ("device", "edge", "root")


def registry() -> _core.AttributeRegistry:
    """One attribute of samples, one of units."""
    made = _core.AttributeRegistry()
    for number, name in ((LOAD, "load"), (QUOTA, "quota")):
        made.add(number, name, "1", "gauge", "f64", "sum", -1e12, 1e12, 2000)
    return made


class Carrying:
    """A policy that hands on what its child tells, and answers every query with a cut."""

    def __init__(self) -> None:
        self.heard: dict[str, float] = {}

    def summarise(self, twin: Twin, now: int) -> None:
        del now
        if twin.parent is None or not twin.children:
            return
        source, target = twin.children[0].table_in, twin.parent.table_out
        assert source is not None
        assert target is not None
        rows = np.arange(ROWS, dtype=np.uint32)
        _core.carry(source, target, [LOAD], rows, rows)

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        del twin, epoch, now
        return []

    def told(self, twin: Twin, unit: Any, now: int) -> list[Effect]:
        _, values = unit.cells[QUOTA]
        self.heard[unit.peer] = float(values[0])
        if unit.table != QUERY or twin.parent is None:
            return []
        return twin.send_unit(twin.parent.name, CUT, cells_of(float(values[0])), now)  # type: ignore[arg-type]

    def solved(self, twin: Twin, event: Any, now: int) -> list[Effect]:
        raise NotImplementedError

    def timed_out(self, twin: Twin, event: Any, now: int) -> list[Effect]:
        raise NotImplementedError

    def fork(self) -> Carrying:
        raise NotImplementedError


class _Cells:
    def __init__(self, value: float) -> None:
        self.attributes = np.array([QUOTA], np.int64)
        self.rows = np.array([0], np.uint32)
        self.values = np.array([value])


def cells_of(value: float) -> _Cells:
    return _Cells(value)


class Life:
    """What a life of a node holds in memory, and what it must not forget."""

    def __init__(self, history: History, k: int) -> None:
        self.name, self.k = CHAIN[k], k
        place = history.places[k]
        place.incarnation += 1
        self.calls = place.calls
        self.disk = FileDisk(Path("/log"), place.calls)
        random = history.random
        self.log = DurableLog(self.disk, self.name, draw=random.getrandbits, segment_bytes=SEGMENT_BYTES, floor_bytes=0)
        self.twin = self._twin(place, random)
        self.node = DurableNode(self.twin, self.log, self.disk, lambda _child: 1)
        self.pending: Work | None = None
        self.pause = 0  # events to go until the disk is done
        self.snapshots = 0  # sent upwards in this life

    def _twin(self, place: Place, random: Random) -> Twin:
        neighbours = []
        shape = TableShape(TELEMETRY, [LOAD], ROWS)
        cut, query = [TableShape(CUT, [QUOTA], 2)], [TableShape(QUERY, [QUOTA], 1)]
        if self.k < 2:
            neighbours.append(NeighbourSpec(CHAIN[self.k + 1], True, table_out=shape, units_in=query, units_out=cut))
        if self.k > 0:
            neighbours.append(NeighbourSpec(CHAIN[self.k - 1], False, table_in=shape, units_in=cut, units_out=query))
        streams = [1 + random.getrandbits(60) for _ in neighbours]
        if self.k < 2:
            streams[0] = self.log.stream
        config = TwinConfig(
            self.name,
            self.k,
            streams,
            neighbours,
            incarnation=place.incarnation,
            virtual_clock=False,
            terms=dict(place.terms),
            durable=True,
        )
        return Twin(config, Carrying(), registry())


class Place:
    """What outlives a node: its disk, its state file, and what others were promised of it."""

    def __init__(self) -> None:
        self.calls = ModelCalls(room=1 << 22)
        self.incarnation = 0
        self.terms: dict[str, int] = {}
        self.promised: tuple[int, int] = (0, 0)  # (stream, number) of its child's, acknowledged to it as durable
        self.given: tuple[int, int] = (0, 0)  # (stream, number) of its own that its parent has
        self.digests: dict[tuple[int, int], int] = {}  # of its stream upwards, by (stream, number)
