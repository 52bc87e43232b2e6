"""What a fog or the cloud is told of the parts of its domain, as arrays: one look at all its children's tables.

A part's row is *heard* when the time of its sample moved since the last look, and it was heard at that look's time, on
our own clock: clocks of two hosts are never compared. Times of samples only measure what lies between two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.twin.layout import Layout

    F64 = npt.NDArray[np.float64]
    I64 = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

SECOND = 1e-9
NEVER = -1e18


class Rows:
    """Rows of one kind in the tables of all children, one after the other.

    Parameters
    ----------
    rows
        Row numbers in each child's table.
    attributes
        What is read of them; the first one's time says when they were heard. NaN where a table does not have one.
    """

    def __init__(self, rows: Sequence[I64], attributes: Sequence[int]) -> None:
        self._rows, self._attributes = [row.astype(np.int64) for row in rows], [int(a) for a in attributes]
        self.child: I64 = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        self.count = len(self.child)
        self.at = np.full(self.count, NEVER)
        """Time of the newest sample by its sender's clock, s."""
        self.heard = np.full(self.count, NEVER)
        """When it was heard by ours, s."""
        self.new: Flags = np.zeros(self.count, dtype=bool)
        self.values: dict[int, F64] = {}
        self._times: dict[int, F64] = {}
        self._moved: dict[int, Flags] = {}

    def look(self, tables: Sequence[_core.StateTable | None], now: float) -> None:
        """Read all tables at `now`, s."""
        times = {attribute: np.full(self.count, NEVER) for attribute in self._attributes}
        self.values = {attribute: np.full(self.count, np.nan) for attribute in self._attributes}
        start = 0
        for table, rows in zip(tables, self._rows, strict=True):
            span = slice(start, start + len(rows))
            start = span.stop
            if table is None or not len(rows):
                continue
            known = set(table.attributes)
            for attribute in self._attributes:
                if attribute not in known:
                    continue
                self.values[attribute][span] = table.column(attribute)[rows]
                times[attribute][span] = np.maximum(table.times(attribute)[rows], -(2**62)) * SECOND
        self._moved = {a: np.isfinite(self.values[a]) & (times[a] != self._times.get(a, NEVER)) for a in times}
        self._times = times
        first = times[self._attributes[0]]
        told = np.isfinite(self.values[self._attributes[0]])
        self.new = told & (first != self.at)
        self.at = np.where(told, first, self.at)
        self.heard[self.new] = now

    def of(self, attribute: int) -> F64:
        """Values of an attribute, [n]."""
        return self.values[int(attribute)]

    def newly(self, attribute: int) -> Flags:
        """Rows whose value of an attribute was itself told anew since the last look, [n].

        A row that tells of its load and has nothing to say of this attribute keeps the value of before, which is old.
        """
        return self._moved[int(attribute)]


class Sight:
    """Links, servers and sites of a domain.

    Parameters
    ----------
    layouts
        Of the children's tables.
    sites
        Site of each child; -1: it is a fog, and its members are no site's.
    """

    def __init__(self, layouts: Sequence[Layout], sites: Sequence[int]) -> None:
        self.sites: I64 = np.array(sites, dtype=np.int64)
        self.link: I64 = np.concatenate([np.empty(0, np.int64), *(layout.links for layout in layouts)])
        self.server: I64 = np.concatenate([np.empty(0, np.int64), *(layout.servers for layout in layouts)])
        link = [A.LOAD_MBPS, A.UP, A.CAPACITY_MBPS, A.FRAMES, A.FRAME_ERRORS]
        server = [A.LOAD_GHZ, A.UP, A.LEAST_RESPONSE, A.POWER_W]
        self.links = Rows([layout.link_rows for layout in layouts], link)
        self.servers = Rows([layout.server_rows for layout in layouts], server)
        members = [np.arange(layout.members if site >= 0 else 0) for layout, site in zip(layouts, sites, strict=True)]
        self.members = Rows(members, [A.RATE_SUM, A.MISSED_SUM, A.DEMAND])
        self._kinds = (self.links, self.servers, self.members)

    def look(self, tables: Sequence[_core.StateTable | None], now: float) -> None:
        """Read all children's tables at `now`, s."""
        for rows in self._kinds:
            rows.look(tables, now)

    def by_child(self, attribute: int) -> F64:
        """Sum of an attribute over each child's members, NaN counting as nothing, [children]."""
        values = np.nan_to_num(self.members.of(attribute))
        return np.bincount(self.members.child, values, len(self.sites)).astype(np.float64)

    def members_new(self) -> Flags:
        """Children of whose members something new was heard, [children]."""
        return np.bincount(self.members.child, self.members.new, len(self.sites)) > 0

    def members_at(self) -> F64:
        """Time of the newest sample of each child's members by its sender's clock, s, [children]."""
        newest = np.full(len(self.sites), NEVER)
        np.maximum.at(newest, self.members.child, self.members.at)
        return newest

    def heard(self) -> F64:
        """When anything of each child was heard last by our clock, s, [children]."""
        newest = np.full(len(self.sites), NEVER)
        for rows in self._kinds:
            np.maximum.at(newest, rows.child, rows.heard)
        return newest
