"""Bytes of the hierarchy's messages on a link: the units of a run, sent through two attached peers and counted.

Frames of the unit with their headers (docs/wire-format.md), without acknowledgements and without what ZeroMQ and TCP
add. Of a query with further prices these stand in further rows; no run sends such yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.allocate.messages import Query, Said
from tiertwin.orchestrate import units
from tiertwin.orchestrate.units import Cells3, Stamp
from tiertwin.twin.attributes import A, TableId, registry

if TYPE_CHECKING:
    pass

MS = 1_000_000
QUERY_ROWS = 8  # one, and one a further price


class LinkBytes:
    """Weighs messages; give it to `Hierarchy(weigh=...)`. One owner."""

    def __init__(self) -> None:
        self._registry = registry()
        self._links: dict[int, _Link] = {}
        self._stamp = Stamp(1, 1)

    def __call__(self, message: Said | Query) -> int:
        """Return the bytes of all frames of a message."""
        if isinstance(message, Said):
            link = self._link(message.rmax.size)
            cuts, points = units.cut_cells(message, self._stamp), units.point_cells(message, self._stamp)
            return link.up(TableId.CUT, cuts) + link.up(TableId.POINT, points)
        levels = max(message.quota.size, message.price.size)
        return self._link(levels).down(TableId.QUERY, _query_cells(message, self._stamp))

    def _link(self, levels: int) -> _Link:
        if levels not in self._links:
            self._links[levels] = _Link(self._registry, levels)
        return self._links[levels]


def _query_cells(query: Query, stamp: Stamp) -> Cells3:
    """Lay out a question, without what it does not ask."""
    one = np.ones(1)
    first = [(int(A.QUERY_EPOCH), one * stamp.epoch), (int(A.QUERY_ROUND), one * stamp.round)]
    first += [(int(A.QUERY_USED), one * query.used)]
    first += [(A.QUERY_QUOTA + j, one * q) for j, q in enumerate(query.quota)]
    cells = units.pack(first, np.zeros(1, dtype=np.uint32))
    prices = query.price[None] if query.more is None else np.vstack([query.price, query.more])
    if not prices.shape[1]:
        return cells
    columns = [(A.QUERY_PRICE + j, prices[:, j].copy()) for j in range(prices.shape[1])]
    priced = units.pack(columns, np.arange(len(prices), dtype=np.uint32))
    return Cells3(
        np.concatenate([cells.attributes, priced.attributes]),
        np.concatenate([cells.rows, priced.rows]),
        np.concatenate([cells.values, priced.values]),
    )


class _Link:
    """A child and its parent, attached; what one sends the other takes."""

    def __init__(self, attributes: _core.AttributeRegistry, levels: int) -> None:
        self._now = 0
        self._child, self._parent = (
            _core.Peer(attributes, is_child=is_child, incarnation=1, stream_id=1 + is_child, virtual_clock=True)
            for is_child in (True, False)
        )
        up = ((TableId.CUT, units.cut_attributes(levels)), (TableId.POINT, units.point_attributes(levels)))
        for table, columns in up:
            self._child.add_unit_out(int(table), columns, units.POINT_ROWS + 2)
            self._parent.add_unit_in(int(table), columns, units.POINT_ROWS + 2)
        query = units.query_attributes(levels)
        self._parent.add_unit_out(int(TableId.QUERY), query, QUERY_ROWS)
        self._child.add_unit_in(int(TableId.QUERY), query, QUERY_ROWS)
        self._carry(self._child.connect(self._now), self._parent, self._child)

    def up(self, table: TableId, cells: Cells3) -> int:
        """Send a unit to the parent; return its bytes."""
        return self._send(self._child, self._parent, table, cells)

    def down(self, table: TableId, cells: Cells3) -> int:
        """Send a unit to the child; return its bytes."""
        return self._send(self._parent, self._child, table, cells)

    def _send(self, sender: _core.Peer, receiver: _core.Peer, table: TableId, cells: Cells3) -> int:
        self._now += 60 * MS
        for one, other in ((sender, receiver), (receiver, sender)):  # acknowledgements: credit must come back
            self._carry(one.tick(self._now).reply, other, one)
        frames = sender.send_unit(int(table), cells.attributes, cells.rows, cells.values, self._now, self._now)
        assert frames, "an attached link with credit sends at once"
        self._carry(frames, receiver, sender)
        return sum(len(frame) for frame in frames)

    def _carry(self, frames: list[bytes], to: _core.Peer, back: _core.Peer) -> None:
        for frame in frames:
            self._carry(to.receive(frame, self._now).reply, back, to)
