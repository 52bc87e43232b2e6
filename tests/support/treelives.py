"""Real twins with real logs over models of disks: shapes of trees, what a life of a twin holds, what outlives it.

Who uses it: treesim.py. Twins of a tree are numbered from the leaves up, the root is the last.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from tiertwin.twin.events import FrameReceived, Reported, Started
from tiertwin.twin.twin import NeighbourSpec, TableShape, Twin, TwinConfig

if TYPE_CHECKING:
    from support.treesim import History

MS = 1_000_000
ROWS = 8
LOAD, QUOTA = 1, 2
TELEMETRY, CUT, QUERY = 1, 4, 17


@dataclass(frozen=True)
class Shape:
    """A tree: names and parents by number (the root's is -1), and of each twin the first row of its table at the root.

    A twin's table has ROWS rows for each device below it, in the order of the devices.
    """

    name: str
    names: tuple[str, ...]
    up: tuple[int, ...]
    down: tuple[tuple[int, ...], ...]
    rows: tuple[int, ...]
    first: tuple[int, ...]
    tiers: tuple[int, ...]

    @property
    def root(self) -> int:
        return len(self.names) - 1


def shape_of(name: str, widths: list[int], tiers: tuple[str, ...]) -> Shape:
    """Return the tree with so many twins a tier, leaves first, children dealt out evenly."""
    starts = [sum(widths[:tier]) for tier in range(len(widths) + 1)]
    names: list[str] = []
    up: list[int] = []
    rows: list[int] = []
    first: list[int] = []
    for tier, width in enumerate(widths):
        for k in range(width):
            names.append(tiers[tier] if width == 1 else f"{tiers[tier]}{k}")
            up.append(-1 if tier == len(widths) - 1 else starts[tier + 1] + k * widths[tier + 1] // width)
            rows.append(ROWS * widths[0] // width)
            first.append(k * rows[-1])
    down = tuple(tuple(child for child, parent in enumerate(up) if parent == k) for k in range(len(up)))
    depth = [tier for tier, width in enumerate(widths) for _ in range(width)]
    return Shape(name, tuple(names), tuple(up), down, tuple(rows), tuple(first), tuple(depth))


CHAIN = shape_of("chain of 3", [1, 1, 1], ("device", "edge", "root"))
CHAIN_OF_5 = shape_of("chain of 5", [1] * 5, ("device", "edge", "fog", "region", "root"))
TREE_4 = shape_of("1-2-4", [4, 2, 1], ("device", "edge", "root"))
TREE_16 = shape_of("1-4-16", [16, 4, 1], ("device", "edge", "root"))


def registry() -> _core.AttributeRegistry:
    """One attribute of samples, one of units."""
    made = _core.AttributeRegistry()
    for number, name in ((LOAD, "load"), (QUOTA, "quota")):
        made.add(number, name, "1", "gauge", "f64", "sum", -1e12, 1e12, 2000)
    return made


_ROWS_OF: dict[int, np.ndarray] = {}


REGISTRY = registry()


class Carrying:
    """A policy that hands on what its children tell, and answers every query with a cut."""

    def __init__(self) -> None:
        self.heard: dict[str, float] = {}

    def summarise(self, twin: Twin, now: int) -> None:
        del now
        if twin.parent is None or not twin.children:
            return
        target = twin.parent.table_out
        assert target is not None
        begin = 0
        for child in twin.children:
            source = child.table_in
            assert source is not None
            rows = _ROWS_OF.setdefault(source.rows, np.arange(source.rows, dtype=np.uint32))
            _core.carry(source, target, [LOAD], rows, rows + np.uint32(begin) if begin else rows)
            begin += source.rows

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
        shape, place = history.shape, history.places[k]
        self.name, self.k = shape.names[k], k
        place.incarnation += 1
        self.calls = place.calls
        self.disk = FileDisk(Path("/log"), place.calls)
        random, size = history.random, history.options["segment"]
        self.log = DurableLog(self.disk, self.name, draw=random.getrandbits, segment_bytes=size, floor_bytes=0)
        self.twin = self._twin(shape, place, random)
        self.slots = {child.name: 1 + slot for slot, child in enumerate(self.twin.children)}
        self.node = DurableNode(self.twin, self.log, self.disk, self.slots.__getitem__)
        self.peers = {neighbour.name: neighbour.peer for neighbour in self.twin.neighbours.values()}
        self.up = None if self.twin.parent is None else self.twin.parent.peer
        self.pending: Work | None = None
        self.pause = 0  # events to go until the disk is done
        self.snapshots = 0  # sent upwards in this life
        self.welcomed = (0, 0)  # what its parent had called durable when it welcomed it last
        self.asked = False  # whether that WELCOME wanted its tables, and they have not been sent since
        self.noted = -1  # number up to which the digest of its own stream was noted

    def _twin(self, shape: Shape, place: Place, random: Random) -> Twin:
        neighbours, k = [], self.k
        cut, query = [TableShape(CUT, [QUOTA], 2)], [TableShape(QUERY, [QUOTA], 1)]
        if shape.up[k] >= 0:
            told = TableShape(TELEMETRY, [LOAD], shape.rows[k])
            parent = shape.names[shape.up[k]]
            neighbours.append(NeighbourSpec(parent, True, table_out=told, units_in=query, units_out=cut))
        for child in shape.down[k]:
            told = TableShape(TELEMETRY, [LOAD], shape.rows[child])
            neighbours.append(NeighbourSpec(shape.names[child], False, table_in=told, units_in=cut, units_out=query))
        streams = [1 + random.getrandbits(60) for _ in neighbours]
        if shape.up[k] >= 0:
            streams[0] = self.log.stream
        config = TwinConfig(
            self.name,
            shape.tiers[k],
            streams,
            neighbours,
            incarnation=place.incarnation,
            virtual_clock=False,
            terms=dict(place.terms),
            durable=True,
        )
        return Twin(config, Carrying(), REGISTRY)


class Place:
    """What outlives a node: its disk, its state file, and what others were promised of it and to it."""

    def __init__(self) -> None:
        self.calls = ModelCalls(room=1 << 22)
        self.incarnation = 0
        self.terms: dict[str, int] = {}
        self.acknowledged: tuple[int, int] = (0, 0)  # (stream, number) of its own, which its parent called durable
        self.given: tuple[int, int] = (0, 0)  # (stream, number) of its own that its parent has
        self.digests: dict[tuple[int, int], int] = {}  # of its stream upwards, by (stream, number)
        self.said = 0  # records of a device
        self.at_root = 0  # of those, said to be applied at the root


def told(event: Any) -> str:
    """What of an event a reader wants to see."""
    if isinstance(event, FrameReceived):
        return f"kind {event.frame[3]} of {len(event.frame)} bytes from {event.peer}"
    return "" if isinstance(event, (Reported, Started)) else str(event)[:120]
