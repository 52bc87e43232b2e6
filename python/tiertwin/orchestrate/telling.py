"""The gateway's half of telling under a budget: merges its devices, and tells what the edge wants most."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.orchestrate.economy import MERGED, CellList, sizes
from tiertwin.orchestrate.observe import PassThrough, group_of_rows
from tiertwin.orchestrate.precedence import Interest, Order
from tiertwin.twin.attributes import CELL_BYTES, FRAME_BYTES, TELEMETRY, A, TableId, registry
from tiertwin.twin.layout import gateway_layout

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.economy import Economy
    from tiertwin.twin.layout import Layout
    from tiertwin.twin.twin import Twin, Unit
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

SECOND = 1_000_000_000
SAVED_S = 3.0  # of budget that a gateway may save up for a burst
MOST_FOCUS = 16.0  # times the usual bytes: what a scenario may ask for
LEFT_OVER = 1e-6  # of the worthiest cell's: what no decision reads, told with what the budget leaves over
FRAME_CELLS = 8  # a frame is worth its header from so many cells on: budgets save up for them
_RULES = {A.RADIO_MBPS: "min", A.CPU_LOAD: "max", A.LATENCY_MS: "wmean"}  # else the sum: as the attributes are merged


class Telling:
    """What a gateway tells of its site.

    Parameters
    ----------
    world, site
        Inventory and the site's index.
    economy
        Catalogue and budget.
    attributes
        Of the table between gateway and edge.
    """

    def __init__(self, world: World, site: int, economy: Economy, attributes: list[int]) -> None:
        self._economy = economy
        self.bytes_per_s = economy.bytes_per_s(world, site)
        self._layout = economy.layout(world, site)
        self.cells = CellList.of(economy, world, self._layout, set(attributes))
        cells = self.cells
        self._teller = _core.Teller(cells.attribute, cells.row, cells.row, cells.band, cells.share)
        self._merge = _Merge(world, site, self._layout, attributes) if economy.by_group(world) else None
        if economy.selection == "all":
            self._teller.want(np.ones(len(cells)))
        self._order = None if economy.selection in ("all", "none", "worth") else Order(economy, site, cells)
        self._interest = Interest(economy, cells) if economy.selection == "worth" else None
        self._worth: F64 | None = None
        self._fresh = False
        self.factor = 1.0  # times the usual bytes, as the edge said
        self._saved, self._sent = 0.0, 0
        self._least = FRAME_BYTES + FRAME_CELLS * CELL_BYTES
        self._then: int | None = None
        self.asking_paid = True  # subscriptions are taken off the budget
        self.told = 0  # cells
        self.waiting = 0  # cells that moved and were wanted, but did not fit; counted at every report
        self.subscribed = 0

    def summarise(self, twin: Twin, now: int) -> None:
        """Bring the table for the edge up to date, as far as the budget reaches."""
        below, parent = twin.children[0].table_in, twin.parent
        assert below is not None
        assert parent is not None
        assert parent.table_out is not None
        heard = below if self._merge is None else self._merge.update(below, now)
        self._save(now, parent.told_bytes)
        self._weigh(heard, now)
        if self._saved < self._least:
            return
        told, waiting, _ = self._teller.tell(heard, parent.table_out, self._saved)
        self.told += told
        self.waiting += waiting

    def _weigh(self, heard: _core.StateTable, now: int) -> None:
        """Say what comes first: as the edge asked, or by an order of our own."""
        if self._order is not None:
            worth = self._order.worth(heard, now)
            if worth is not None:
                self._teller.want(worth)
            return
        if self._interest is not None and self._interest.look(heard, now):
            self._fresh = True
        if self._worth is not None and self._fresh:
            self._fresh = False
            size = sizes(heard, self.cells)
            least = LEFT_OVER * float((self._worth * size**2).max(initial=0.0))
            rank = 1.0 if self._interest is None else self._interest.value[self.cells.line]
            self._teller.want(np.maximum(self._worth, least * rank / size**2))

    def _save(self, now: int, sent: int) -> None:
        """Add what the time past allows, and take off what was `sent` in truth: headers, and what was sent again."""
        if self.bytes_per_s == float("inf"):
            self._saved = float("inf")
            return
        past = self.period_s if self._then is None else (now - self._then) / SECOND
        rate = self.factor * self.bytes_per_s
        self._saved = min(self._saved + past * rate, max(SAVED_S * rate, self._least)) - (sent - self._sent)
        self._then, self._sent = now, sent

    @property
    def period_s(self) -> float:
        """Between two reports of a device, s."""
        return self._economy.period_s

    def subscribe(self, unit: Unit) -> bool:
        """Take what the edge wants; False: it names cells there are none of, and nothing is taken."""
        usual = unit.cells.get(int(A.WORTH_BYTES))
        if usual is not None:
            if not len(usual[1]) or not 0.0 <= float(usual[1][0]) <= MOST_FOCUS:
                return False
            self.factor = float(usual[1][0])
            if int(A.WORTH) not in unit.cells:
                return True
        found = unit.cells.get(int(A.WORTH))
        worth = np.zeros(len(self.cells))
        if found is not None:
            rows, values = found
            if len(rows) and int(rows.max()) >= len(worth):
                return False
            if not np.isfinite(values).all() or (values < 0).any():
                return False
            worth[rows] = values
        self._worth, self._fresh = worth, True  # weighed at the next report, when sizes are known
        if found is not None and self.asking_paid:
            self._saved -= FRAME_BYTES + CELL_BYTES * len(found[0])  # asking is paid out of the same purse
        self.subscribed += 1
        return True

    def fork(self) -> Telling:
        """Return an independent copy."""
        other = copy.copy(self)
        other._teller = copy.copy(self._teller)
        other._merge = None if self._merge is None else self._merge.fork()
        other._order, other._interest = copy.deepcopy(self._order), copy.deepcopy(self._interest)
        return other


def subscription_shape(
    economy: Economy, world: World, site: int, attributes: list[int]
) -> tuple[TableId, list[int], int]:
    """Return table, attributes and rows of the unit by which an edge subscribes."""
    cells = CellList.of(economy, world, economy.layout(world, site), set(attributes))
    return TableId.SUBSCRIPTION, [int(A.WORTH), int(A.WORTH_BYTES)], max(len(cells), 1)


class _Merge:
    """Devices → groups in a table of the gateway's own; servers and links as they are."""

    def __init__(self, world: World, site: int, above: Layout, attributes: list[int]) -> None:
        below = gateway_layout(world, site)
        of_row = np.full(below.rows, -1, dtype=np.int64)
        of_row[: below.members] = group_of_rows(world, site)
        self._partition = _core.Partition(of_row, above.rows)
        self.table = _core.StateTable(registry(), TableId.TELEMETRY, attributes, above.rows)
        lines = [(int(a), _RULES.get(a, "sum"), int(MERGED.get(a, (a,))[0])) for a in TELEMETRY]
        self._plan = _core.SummaryPlan(lines)
        self._rest = PassThrough(below, above)
        self._devices = below.members
        self._newest, self._number = -1, 1

    def update(self, below: _core.StateTable, now: int) -> _core.StateTable:
        newest = int(below.times(A.TASK_RATE)[: self._devices].max(initial=-1))
        if newest > self._newest:
            self._newest = newest
            _core.summarize(below, self._partition, self._plan, self.table, now, deadband=False)
        self._rest.carry(below, self.table)
        self._number += self.table.settle(self._number)
        return self.table

    def fork(self) -> _Merge:
        other = copy.copy(self)
        other.table = self.table.fork()
        return other
