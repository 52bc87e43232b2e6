"""Which of its sites a fog believes: sums that an edge passes on are held against those of the other sites.

A gateway that lies in all it tells cannot be found out by its edge, which hears nobody else. Its fog can: sites at the
same time of the day have about the same load (`site_tolerance`), and no two sums are alike to the last bit. A fog that
does not believe a gateway says so to its edge, with the load that the other sites have, and goes on saying it every
epoch; the edge decides by what is planned at that load until it is told that the gateway fits again.

    x_j     Σ_c w_c · tasks of class c told        n_j   Σ_c w_c · tasks planned of those that were heard
    load    the median of x_j / n_j over the sites believed                  w_c   as of `functions.assure.lying`
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.functions.assure.lying import LieWatch
from tiertwin.orchestrate.trust import neighbours_of, options_of
from tiertwin.orchestrate.units import Cells3
from tiertwin.twin.attributes import A, TableId
from tiertwin.twin.effects import Effect, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.orchestrate.trustrules import TrustRules
    from tiertwin.twin.layout import Layout
    from tiertwin.twin.twin import Twin
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

GAIN = 0.5  # of the median
SPREAD = 4.0  # of weighted counts of a site over their mean: bursts outlast a report, and sums tell the newest of each
LEAST_SITES = 3  # believed ones that a median needs
MEASURED = (A.RATE_SUM, A.ENERGY_SUM, A.LATENCY_SUM)


class SiteTrust:
    """The sites below one fog.

    Parameters
    ----------
    world
        Inventory.
    sites
        Of the children, in their order.
    rules
        Limits and times.
    """

    def __init__(self, world: World, sites: Sequence[int], rules: TrustRules) -> None:
        self._rules, self._sites = rules, list(sites)
        self._classes = len(world.class_names)
        of_class = neighbours_of(world, np.arange(self._classes, dtype=np.int64), rules.period_s)
        self._weight = np.where(of_class.known, of_class.weights, 0.0)
        self._each = self._weight * of_class.planned  # of one device
        self.watch = LieWatch(len(self._sites), replace(options_of(rules), spread=SPREAD))
        self._newest = np.full(len(self._sites), np.iinfo(np.int64).min, dtype=np.int64)
        self.load = 1.0

    def review(self, twin: Twin, layouts: Sequence[Layout], epoch: int, now: int) -> list[Effect]:
        """Judge what the children's tables hold now; tell the edges of gateways that are not believed, and record it.

        `layouts` of the children's tables.
        """
        if epoch == 0:
            return []
        told = [
            self._told(k, child.table_in, layout)
            for k, (child, layout) in enumerate(zip(twin.children, layouts, strict=True))
        ]
        newest = np.array([row[0] for row in told], dtype=np.int64)
        fresh, self._newest = newest > self._newest, newest
        made, done, missed, planned = (np.array([row[k] for row in told]) for k in (1, 2, 3, 4))
        use = ~self.watch.out & (planned > 0.0)
        if int(use.sum()) >= LEAST_SITES:
            self.load += GAIN * (float(np.median(made[use] / planned[use])) - self.load)
        else:
            fresh[:] = False  # nobody to compare with
        slack = 1.0 + self._rules.site_tolerance
        measured = np.stack([row[5] for row in told])
        bounds = np.zeros(len(told))
        least, most = planned * self.load / slack, planned * self.load * slack
        changed = self.watch.push(fresh, made, done, missed, least, most, bounds, measured)
        return self._tell(twin, changed, made / np.maximum(planned, 1e-9), epoch, now)

    def _told(
        self, k: int, table: _core.StateTable | None, layout: Layout
    ) -> tuple[int, float, float, float, float, F64]:
        """Time of the newest sum; weighted tasks made, done, missed and planned in a period; what is never alike."""
        assert table is not None
        rows = slice(layout.members)

        def by_class(attribute: A) -> F64:
            sums: F64 = np.nan_to_num(table.column(attribute)[rows]).reshape(self._classes, -1).sum(axis=1)
            return sums

        made = float(self._weight @ by_class(A.RATE_SUM)) * self._rules.period_s
        done, missed = (float(self._weight @ by_class(a)) for a in (A.COMPLETED_SUM, A.MISSED_SUM))
        measured = np.concatenate([table.column(a)[rows] for a in MEASURED])
        newest = int(table.times(A.RATE_SUM)[rows].max(initial=np.iinfo(np.int64).min))
        return newest, made, done, missed, float(self._each @ by_class(A.RATE_COUNT)), measured

    def _tell(self, twin: Twin, changed: npt.NDArray[np.bool_], load: F64, epoch: int, now: int) -> list[Effect]:
        effects: list[Effect] = []
        evidence = self.watch.evidence
        for k in np.flatnonzero(changed | self.watch.out).tolist():
            out = bool(self.watch.out[k])
            cells = Cells3(
                np.array([int(A.NEIGHBOURS_LOAD)], dtype=np.int64),
                np.zeros(1, dtype=np.uint32),
                np.array([self.load if out else 0.0]),
            )
            effects += twin.send_unit(twin.children[k].name, TableId.TRUST, cells, now)
            if not changed[k]:
                continue
            fields: dict[str, Any] = {"site": self._sites[k]}
            if out:
                told = {"load": float(load[k]), "neighbours": self.load}
                fields |= {"reason": self.watch.reason(k), "nats": float(evidence[k]), "told": told}
            else:
                fields |= {"over": True}
            effects.append(Record("quarantine", epoch, fields))
        return effects
