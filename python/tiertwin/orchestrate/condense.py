"""What a gateway makes of its devices' reports before it tells any: groups, and values that move when the site does.

    groups      devices merged (users of a cell are groups already): sums; the least radio rate, the highest CPU load
    task_rate   of a group: its smoothed share of the site's tasks, times the nominal rate of the site: it stands still
                while all groups rise and fall with the day; of the site's server row: the site's tasks/s, as they are
    gauges      smoothed, with the time constant `MEMORY_S`: single reports are mostly chance

An edge puts rates together again (`siteview`): d_g = share_g · rate of the site.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.orchestrate.economy import MERGED, nominal_rate, site_row
from tiertwin.orchestrate.observe import PassThrough, group_of_rows
from tiertwin.twin.attributes import TELEMETRY, A, TableId, registry
from tiertwin.twin.layout import gateway_layout

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.economy import Economy
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

SECOND = 1_000_000_000
MEMORY_S = 3.0
_RULES = {A.RADIO_MBPS: "min", A.CPU_LOAD: "max", A.LATENCY_MS: "wmean"}  # else the sum: as the attributes are merged
_GAUGES = (A.RADIO_MBPS, A.CPU_LOAD, A.QUEUE_TASKS, A.LATENCY_MS)
_STATION = (A.PRB_UP, A.PRB_UP_PEAK)


class Condenser:
    """Keeps the table from which a gateway tells.

    Parameters
    ----------
    world, site
        Inventory and the site's index.
    economy
        Which rows the gateway tells of.
    attributes
        Of the table between gateway and edge.
    """

    def __init__(self, world: World, site: int, economy: Economy, attributes: list[int]) -> None:
        below, above = gateway_layout(world, site), economy.layout(world, site)
        self._merge = _Merge(world, site, economy) if economy.by_group(world) else None
        self._carry = PassThrough(below, above, members=self._merge is None)
        self._raw = _core.StateTable(registry(), TableId.TELEMETRY, attributes, above.rows)
        self.table = _core.StateTable(registry(), TableId.TELEMETRY, attributes, above.rows)
        self._groups = np.arange(above.members, dtype=np.uint32)
        self._server = np.array([site_row(world, site, above)], dtype=np.uint32)
        known = set(attributes)
        self._gauges = [int(a) for a in _GAUGES if int(a) in known]
        self._station = [int(a) for a in _STATION if int(a) in known]
        smoothed = {int(A.TASK_RATE), *self._gauges, *self._station}
        self._plain = [a for a in attributes if a not in smoothed]
        self._rows = np.arange(above.rows, dtype=np.uint32)
        self._nominal = nominal_rate(world, site)
        self._share: F64 = np.full(above.members, np.nan)
        self._smooth: dict[int, F64] = {}
        self._newest, self._then, self._number = -1, 0, [1, 1]

    def update(self, below: _core.StateTable, now: int) -> _core.StateTable:
        """Take what was reported since and return the table."""
        newest = int(below.times(A.TASK_RATE).max(initial=-1))
        if self._merge is not None and newest > self._newest:
            self._merge.update(below, self._raw, now)
        self._carry.carry(below, self._raw)
        if newest > self._newest:
            self._condense(now)
            self._newest = newest
        _core.carry(self._raw, self.table, self._plain, self._rows, self._rows)
        for place, table in enumerate((self._raw, self.table)):
            self._number[place] += table.settle(self._number[place])
        return self.table

    def _condense(self, now: int) -> None:
        gain = 1.0 if self._newest < 0 else 1.0 - float(np.exp(-(now - self._then) / SECOND / MEMORY_S))
        self._then = now
        rates = np.maximum(np.nan_to_num(self._raw.column(A.TASK_RATE)[self._groups]), 0.0)
        total = float(rates.sum())
        if total > 0.0:
            share = rates / total
            self._share = np.where(np.isnan(self._share), share, self._share + gain * (share - self._share))
            self.table.set(A.TASK_RATE, self._groups, self._share * self._nominal, now)
        self.table.set(A.TASK_RATE, self._server, np.array([total]), now)
        for attributes, rows in ((self._gauges, self._groups), (self._station, self._server)):
            for attribute in attributes:
                self._smoothed(attribute, rows, gain, now)

    def _smoothed(self, attribute: int, rows: npt.NDArray[np.uint32], gain: float, now: int) -> None:
        values = self._raw.column(attribute)[rows]
        before = self._smooth.get(attribute, values)
        moved = np.where(np.isnan(before), values, before + gain * (values - before))
        kept = self._smooth[attribute] = np.where(np.isnan(values), before, moved)
        heard = ~np.isnan(kept)
        if heard.any():
            self.table.set(attribute, rows[heard], kept[heard], now)

    def fork(self) -> Condenser:
        """Return an independent copy."""
        other = copy.copy(self)
        other._raw, other.table = self._raw.fork(), self.table.fork()
        other._share, other._smooth = self._share.copy(), dict(self._smooth)
        other._number = list(self._number)
        return other


class _Merge:
    """Devices → groups."""

    def __init__(self, world: World, site: int, economy: Economy) -> None:
        below, above = gateway_layout(world, site), economy.layout(world, site)
        of_row = np.full(below.rows, -1, dtype=np.int64)
        of_row[: below.members] = group_of_rows(world, site)
        self._partition = _core.Partition(of_row, above.rows)
        self._plan = _core.SummaryPlan([(int(a), _RULES.get(a, "sum"), int(MERGED.get(a, (a,))[0])) for a in TELEMETRY])

    def update(self, below: _core.StateTable, target: _core.StateTable, now: int) -> None:
        _core.summarize(below, self._partition, self._plan, target, now, deadband=False)
