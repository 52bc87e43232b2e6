"""What a gateway makes of its devices' reports before it tells any: groups, and what an edge would believe of them.

    groups      devices merged (users of a cell are groups already): sums; the least radio rate, the highest CPU load
    task_rate   of a group: its share of the site's believed demand, times the nominal rate of the site: it stands still
                while all groups rise and fall with the day; of the site's server row: the site's tasks/s, as measured
    radio_mbps, prb_up, prb_up_peak
                as an edge that hears everything would have smoothed them: single reports are mostly chance
    gauges      smoothed, with the time constant `MEMORY_S`

The gateway estimates as its edge would, from all that is reported (`SiteView`), and tells the edge the estimates: what
is not told for a while is then missing a change and not a wave of noise. An edge puts rates together again
(`siteview`): d_g = share_g · rate of the site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.orchestrate.economy import MERGED, nominal_rate, site_row
from tiertwin.orchestrate.observe import PassThrough, group_of_rows
from tiertwin.orchestrate.siteview import SiteView
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
_GAUGES = (A.CPU_LOAD, A.QUEUE_TASKS, A.LATENCY_MS)
_CROWD = (A.RADIO_MBPS, A.PRB_UP, A.PRB_UP_PEAK)


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
        self.view = SiteView(world, site)  # of an edge that hears everything
        self._groups = np.arange(above.members, dtype=np.uint32)
        self._server = np.array([site_row(site, above)], dtype=np.uint32)
        known = set(attributes)
        self._gauges = [int(a) for a in _GAUGES if int(a) in known]
        self._crowd = [int(a) for a in _CROWD if int(a) in known] if world.grouped else []
        estimated = {int(A.TASK_RATE), *self._gauges, *self._crowd}
        self._plain = [a for a in attributes if a not in estimated]
        self._rows = np.arange(above.rows, dtype=np.uint32)
        self._planned = nominal_rate(world, site)
        self._smooth: dict[int, F64] = {}
        self._newest, self._then, self._number = -1, 0, [1, 1]

    def update(self, below: _core.StateTable, now: int) -> _core.StateTable:
        """Take what was reported since and return the table."""
        newest = int(below.times(A.TASK_RATE).max(initial=-1))
        if self._merge is not None and newest > self._newest:
            self._merge.update(below, self._raw, now)
        self._carry.carry(below, self._raw)
        if newest > self._newest:
            self.view.observe(below, now)
            self._condense(now)
            self._newest = newest
        _core.carry(self._raw, self.table, self._plain, self._rows, self._rows)
        for place, table in enumerate((self._raw, self.table)):
            self._number[place] += table.settle(self._number[place])
        return self.table

    def _condense(self, now: int) -> None:
        gain = 1.0 if self._newest < 0 else 1.0 - float(np.exp(-(now - self._then) / SECOND / MEMORY_S))
        self._then = now
        believed = self.view.demand
        share = believed / max(float(believed.sum()), 1e-12)
        self.table.set(A.TASK_RATE, self._groups, share * self._planned, now)
        rates = np.maximum(np.nan_to_num(self._raw.column(A.TASK_RATE)[self._groups]), 0.0)
        self.table.set(A.TASK_RATE, self._server, np.array([float(rates.sum())]), now)
        for attribute in self._gauges:
            self._smoothed(attribute, gain, now)
        if self._crowd:
            self._tell_crowd(now)

    def _tell_crowd(self, now: int) -> None:
        crowd = self.view.crowd
        heard = np.isfinite(self._raw.column(A.RADIO_MBPS)[self._groups])
        self.table.set(A.RADIO_MBPS, self._groups[heard], crowd.radio_mbps[heard], now)
        if np.isfinite(self._raw.column(A.PRB_UP)[self._server]).all():
            self.table.set(A.PRB_UP, self._server, np.array([crowd.mean_load]), now)
            self.table.set(A.PRB_UP_PEAK, self._server, np.array([crowd.peak_load]), now)

    def _smoothed(self, attribute: int, gain: float, now: int) -> None:
        values = self._raw.column(attribute)[self._groups]
        before = self._smooth.get(attribute, values)
        moved = np.where(np.isnan(before), values, before + gain * (values - before))
        kept = self._smooth[attribute] = np.where(np.isnan(values), before, moved)
        heard = ~np.isnan(kept)
        if heard.any():
            self.table.set(attribute, self._groups[heard], kept[heard], now)


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
