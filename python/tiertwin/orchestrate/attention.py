"""Target areas of a fog: where it predicts trouble, gateways may tell more; elsewhere less, in all the same.

    load       believed demand of compute over the site's own, `AHEAD` epochs ahead (return to the mean)
    score      (load − 0.8) / 0.2 where above                                  an area from 1, no longer below 0.5
    changed    the mix of service classes no longer hangs together as it did   (principal components of the last hour's)
    budget     f times the usual in an area, of which there are at most a third; the others share what is left

The rule of areas is `tiertwin.functions.areas`. A changed mix makes an area of a site whatever its load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.areas import CLASSES, ChangeFlag, Limits, TargetAreas
from tiertwin.functions.predictors import Ar1
from tiertwin.orchestrate.units import Cells3
from tiertwin.twin.attributes import A, TableId
from tiertwin.twin.effects import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tiertwin.twin.effects import Effect
    from tiertwin.twin.layout import Layout
    from tiertwin.twin.twin import Twin

    F64 = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

AHEAD = 2  # epochs
FULL, WIDTH = 0.8, 0.2  # of a site's compute: where trouble begins, and over how much it counts 1
ENTER, LEAVE = 1.0, 0.5
MOST = 1.0 / 3.0  # of the sites
LEAST = 0.25  # of its usual budget that a site keeps
WINDOW = 60  # epochs
CONFIRM = 3


class Attention:
    """Which sites get how much of the bytes.

    Parameters
    ----------
    gcycles
        A task of each service class takes, [C].
    ghz
        Of each site's server, [S].
    budget
        Usual bytes of each site, [S].
    focus
        Times the usual in an area, ≥ 1.
    """

    def __init__(self, gcycles: F64, ghz: F64, budget: F64, focus: float) -> None:
        sites = len(ghz)
        self._gcycles, self._ghz, self._budget, self._focus = gcycles, np.maximum(ghz, 1e-9), budget, focus
        self._load = Ar1((sites, 1))
        one = np.ones(1)
        self._limits = Limits(
            FULL * one, WIDTH * one, one, np.zeros(1, dtype=bool), np.array([CLASSES.index("overload")])
        )
        self._areas = TargetAreas(sites, theta_hi=ENTER, theta_lo=LEAVE, most=max(1, int(MOST * sites)))
        self._changed = ChangeFlag(sites, len(gcycles), WINDOW, confirm=CONFIRM) if len(gcycles) > 1 else None
        self.factor: F64 = np.ones(sites)
        """Times the usual bytes, a site each, as last told."""
        self.areas: Mask = np.zeros(sites, dtype=np.bool_)

    def review(self, twin: Twin, layouts: Sequence[Layout], epoch: int, now: int) -> list[Effect]:
        """Look where trouble is coming below the fog `twin`, and let its sites there tell more.

        `layouts` of its children's tables; records ``areas`` when they are others.
        """
        if epoch == 0:
            return []
        before, effects = self.areas, []
        for site in self.look(self._demand(twin, layouts)).tolist():
            factor = np.array([self.factor[site]])
            cells = Cells3(np.array([int(A.WORTH_BYTES)]), np.zeros(1, dtype=np.uint32), factor)
            effects += twin.send_unit(twin.children[site].name, TableId.SUBSCRIPTION, cells, now)
        if not np.array_equal(before, self.areas):
            areas = [twin.children[site].name for site in np.flatnonzero(self.areas).tolist()]
            effects.append(Record("areas", epoch, {"areas": areas}))
        return effects

    def _demand(self, twin: Twin, layouts: Sequence[Layout]) -> F64:
        """Believed demand of each site and class, tasks/s [S, C]."""
        rows = [
            np.nan_to_num(child.table_in.column(A.DEMAND)[: layout.members]).reshape(len(self._gcycles), -1).sum(axis=1)
            for child, layout in zip(twin.children, layouts, strict=True)
            if child.table_in is not None
        ]
        return np.stack(rows)

    def look(self, demand: F64) -> npt.NDArray[np.int64]:
        """Take believed demand ``[S, C]``, tasks/s, and return the sites whose budget is another one now."""
        work = np.ascontiguousarray(demand * self._gcycles)
        self._load.update((work.sum(axis=1) / self._ghz)[:, None])
        changed = None if self._changed is None else self._changed.push(work)
        score = self._limits.violation(np.nan_to_num(self._load.ahead(AHEAD))).reshape(len(self._ghz), -1).sum(axis=1)
        self.areas = self._areas.update(score, changed)
        factor = self._shared()
        moved = np.flatnonzero(np.abs(factor - self.factor) > 1e-9)
        self.factor = factor
        return moved

    def _shared(self) -> F64:
        """Budgets times factors add up to the usual."""
        inside, outside = float(self._budget[self.areas].sum()), float(self._budget[~self.areas].sum())
        if inside == 0.0 or outside == 0.0:
            return np.ones(len(self.areas))
        focus = min(self._focus, 1.0 + (1.0 - LEAST) * outside / inside)
        rest = 1.0 - (focus - 1.0) * inside / outside
        factor: F64 = np.where(self.areas, focus, rest)
        return factor
