"""The gateway's half of telling under a budget: merges its devices, and tells what the edge wants most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.orchestrate.condense import Condenser
from tiertwin.orchestrate.economy import CellList, priors, read_by_decisions, sizes
from tiertwin.orchestrate.precedence import Interest, Order
from tiertwin.orchestrate.purse import Purse
from tiertwin.orchestrate.valuing import Valuing
from tiertwin.twin.attributes import BLOCK_BYTES, CELL_BYTES, FRAME_BYTES, MAX_QUOTAS, A

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.economy import Economy
    from tiertwin.twin.twin import Twin, Unit
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

MOST_FOCUS = 16.0  # times the usual bytes: what a scenario may ask for
LEFT_OVER = 1e-6  # of the worthiest cell's: what no decision reads, told with what the budget leaves over
FRAME_CELLS = 8  # a frame is worth its header from so many cells on: budgets save up for them


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
        self._layout = economy.layout(world, site)
        self.cells = CellList.of(economy, world, site, set(attributes))
        cells = self.cells
        self._teller = _core.Teller(
            cells.attribute, cells.row, cells.row, cells.band, cells.share, priors(world, site, self._layout, cells)
        )
        every = economy.selection == "all"  # of every device, as it came
        self._condenser = None if every else Condenser(world, site, economy, attributes)
        if economy.selection == "all":
            self._teller.want(np.ones(len(cells)))
        self._order = None if economy.selection in ("all", "none") else Order(economy, site, cells)
        self._interest = Interest(economy, cells) if economy.selection == "worth" else None
        self._valuing = self._valued(world)
        self._read = read_by_decisions(cells)
        least = FRAME_BYTES + FRAME_CELLS * CELL_BYTES
        self.purse = Purse(economy.bytes_per_s(world, site), least, priced=economy.selection == "worth")
        self.asking_paid = True  # subscriptions are taken off the budget
        self.told = 0  # cells
        self.waiting = 0  # cells that moved and were wanted, but did not fit; counted at every report
        self.subscribed = 0

    def _valued(self, world: World) -> Valuing | None:
        if self._economy.selection != "worth" or self._condenser is None:
            return None
        return Valuing(self._condenser.view, self.cells, world.objective.kappa0_link)

    def summarise(self, twin: Twin, now: int) -> None:
        """Bring the table for the edge up to date, as far as the budget reaches."""
        below, parent = twin.children[0].table_in, twin.parent
        assert below is not None
        assert parent is not None
        assert parent.table_out is not None
        heard = below if self._condenser is None else self._condenser.update(below, now)
        self.purse.earn(now, parent.told_bytes)
        self._look(heard, now)
        if not self.purse.open:
            return
        self._value(heard, parent.table_out)
        told, waiting, spent, worth = self._teller.tell(
            heard, parent.table_out, max(self.purse.saved, 0.0), self.purse.price
        )
        if waiting:
            self.purse.scarce(worth, spent)
        self.told += told
        self.waiting += waiting

    def _look(self, heard: _core.StateTable, now: int) -> None:
        """Take what was reported into what says what comes first."""
        if self._interest is not None:
            self._interest.look(heard, now)
        ordered = None if self._order is None else self._order.worth(heard, now)
        if ordered is not None:
            self._teller.want(ordered)

    def _value(self, heard: _core.StateTable, told: _core.StateTable) -> None:
        """Put what errors cost in the place of an order, once there is a plan to tell by."""
        worth = None if self._valuing is None else self._valuing.worth(heard, told)
        if worth is not None:
            self._order = None
            self._teller.want(self._with_the_rest(worth, heard))

    def _with_the_rest(self, worth: F64, heard: _core.StateTable) -> F64:
        """Add what no decision reads: it comes last."""
        square = sizes(heard, self.cells) ** 2
        top = float((worth * square)[self.cells.attribute != A.UP].max(initial=0.0))
        rank = 1.0 if self._interest is None else self._interest.value[self.cells.line]
        return np.where(self._read, worth, LEFT_OVER * rank * top / square)

    def obeyed(self, shares: F64) -> None:
        """Take the plan that set-points say, share of each device's tasks a tier [N, T]."""
        if self._valuing is not None:
            self._valuing.obeyed(shares)

    def subscribe(self, unit: Unit) -> bool:
        """Take what the edge says it is about; False: a number is none, and nothing is taken."""
        if not all(np.isfinite(values).all() and (values >= 0).all() for _, values in unit.cells.values()):
            return False
        usual = unit.cells.get(int(A.WORTH_BYTES))
        if usual is not None and not float(usual[1][0]) <= MOST_FOCUS:
            return False
        uplink = unit.cells.get(int(A.BUDGET_UPLINK))
        if uplink is not None and self._valuing is not None:
            of = sorted(a for a in unit.cells if A.QUERY_PRICE <= a < A.QUERY_PRICE + MAX_QUOTAS)
            self._valuing.priced(float(uplink[1][0]), np.array([float(unit.cells[a][1][0]) for a in of]))
        if usual is not None:
            self.purse.factor = float(usual[1][0])
        if self.asking_paid:
            self.purse.take(subscription_bytes(len(unit.cells)))  # asking is paid out of the same purse
        self.subscribed += 1
        return True


def subscription_bytes(cells: int) -> float:
    """Bytes of a subscription of so many cells, each of an attribute of its own."""
    return FRAME_BYTES - BLOCK_BYTES + cells * (BLOCK_BYTES + CELL_BYTES)
