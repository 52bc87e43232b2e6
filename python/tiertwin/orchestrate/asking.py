"""The edge's half of telling under a budget: what its gateway needs to know to see what is worth telling.

A gateway works out by itself what an error of each cell costs (`orchestrate/valuing.py`), but for what lies above the
site. So a subscription is a few numbers: the price of each quota and the site's share of the uplink, and how many
times its usual bytes it may spend, as the fog said. They are looked at every `review_epochs`, sent again when one of
them has moved by half, and at once to a gateway that has begun anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.orchestrate.units import Cells3
from tiertwin.twin.attributes import A, TableId

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.economy import Economy
    from tiertwin.orchestrate.siteview import SiteView
    from tiertwin.twin.effects import Effect
    from tiertwin.twin.twin import Twin

    F64 = npt.NDArray[np.float64]

MOVED = 0.5  # of what was told, or more: it is told again


class Asking:
    """What an edge tells its gateway of what it wants to hear.

    Parameters
    ----------
    view
        Of the site.
    economy
        When to look again.
    gateway
        Whom it asks.
    """

    def __init__(self, view: SiteView, economy: Economy, gateway: str) -> None:
        self._view, self._economy, self._gateway = view, economy, gateway
        self._asked: F64 | None = None
        self._factor: float | None = None
        self._next = 0
        self._incarnation: int | None = None
        self.subscriptions = 0
        self.bytes = 0

    def review(self, twin: Twin, epoch: int, prices: F64, now: int) -> list[Effect]:
        """Look at what the gateway should know, `prices` of the quotas [J]; say it if it has changed, or it forgot."""
        if self._economy.selection != "worth":
            return []
        forgot = self._begun_anew(twin)
        if epoch < self._next and not forgot:
            return []
        self._next = epoch + self._economy.review_epochs
        wanted = np.r_[self._view.uplink, prices]
        if self._like(wanted) and not forgot:
            return []
        self._asked = wanted
        self.subscriptions += 1
        return self._send(twin, subscription_cells(wanted, self._factor if forgot else None), now)

    def attend(self, twin: Twin, factor: float, now: int) -> list[Effect]:
        """Tell the gateway how many times its usual bytes it may spend, as the fog said."""
        self._factor = factor
        return self._send(twin, subscription_cells(None, factor), now)

    def _begun_anew(self, twin: Twin) -> bool:
        """Say whether the gateway is another incarnation than the one that was told."""
        now, before = int(twin.children[0].peer.peer_incarnation), self._incarnation
        self._incarnation = now
        return before is not None and now != before

    def _like(self, wanted: F64) -> bool:
        if self._asked is None or len(self._asked) != len(wanted):
            return False
        return bool((np.abs(wanted - self._asked) <= MOVED * np.abs(self._asked)).all())

    def _send(self, twin: Twin, cells: Cells3, now: int) -> list[Effect]:
        effects = twin.send_unit(self._gateway, TableId.SUBSCRIPTION, cells, now)
        self.bytes += sum(len(effect.frame) for effect in effects if hasattr(effect, "frame"))
        return effects


def subscription_attributes(quotas: int) -> list[int]:
    """Attributes of a subscription: uplink share (Mb/s), price of each quota (utils per unit), times usual bytes."""
    return [int(A.BUDGET_UPLINK), *(int(A.QUERY_PRICE) + j for j in range(quotas)), int(A.WORTH_BYTES)]


def subscription_cells(wanted: F64 | None, factor: float | None) -> Cells3:
    """Lay a subscription out: uplink share and prices, or times the usual bytes, or both."""
    attributes: list[int] = []
    values: list[float] = []
    if wanted is not None:
        attributes += subscription_attributes(len(wanted) - 1)[:-1]
        values += wanted.tolist()
    if factor is not None:
        attributes.append(int(A.WORTH_BYTES))
        values.append(factor)
    return Cells3(np.array(attributes, dtype=np.int64), np.zeros(len(values), dtype=np.uint32), np.array(values))
