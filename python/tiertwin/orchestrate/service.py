"""What a domain is told of its service, and what that was worth: what loops watch in the place of the plant.

An edge tells, by group, what its devices reported of their last period (``twin.attributes.SUMMARY``). Of a site's
class:

    offered    Σ task_rate.sum · period
    done       Σ completed.sum
    latency    Σ completed.sum · latency_ms.sum/latency_ms.count        a mean over reports
    energy     Σ energy_j.sum                                           of devices alone

and `world.utility` says what that was worth, so that a site's part of the whole is Σ_c worth_sc / tasks offered in all.

It is late: what is heard at a look was counted about a period before, and says so (`Service.since`). It is not the
plant's own figure: rates are noisy, latencies are means of means, servers' energy is left out. It is off by about as
much from one second to the next, and good for comparing them.

Of a site that was not heard since the last look, or whose oldest report is not of the last period, nothing is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.orchestrate.guardwords import Measured
from tiertwin.orchestrate.sight import Rows
from tiertwin.twin.ages import OLDEST_SAMPLE
from tiertwin.twin.attributes import A
from tiertwin.world.utility import site_class_worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin import _core
    from tiertwin.twin.layout import Layout
    from tiertwin.world import World

    F64 = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SECOND = 1_000_000_000
MILLISECOND_S = 1e-3
ENOUGH = 0.5  # of a site's tasks as planned, by rows that were heard: the site is told
MEMORY = 20  # measurements that say how much one second differs from the next
LEAST_KNOWN = 3  # differences of a site without which its error is that of the others


@dataclass(frozen=True, eq=False)
class Service:
    """What was told of a period.

    Parameters
    ----------
    offered, done
        Tasks, [S, C]; 0 where nothing was told.
    latency_s, energy_j
        Summed over tasks, [S, C].
    told
        Sites of which something was told, [S].
    since, until
        The period, ns on the twin's clock.
    """

    offered: F64
    done: F64
    latency_s: F64
    energy_j: F64
    told: Flags
    since: int
    until: int


class ServiceSight:
    """Rows of service in the tables of a domain's children; edges count, other children say nothing by site.

    Parameters
    ----------
    world
        Inventory.
    layouts, sites
        Of the children's tables; site of each child, -1 where it is a fog.
    period_s
        Between two reports of a device.
    """

    def __init__(self, world: World, layouts: Sequence[Layout], sites: Sequence[int], period_s: float) -> None:
        self._shape = world.site_count, len(world.class_names)
        self._period_s, self._looked = period_s, 0
        # where rows are groups of users, a row is one report; else it has many devices, and some report is always lost
        self._oldest_ms = 1e3 * period_s if world.grouped else OLDEST_SAMPLE / 1e6
        here = [(layout, int(site)) for layout, site in zip(layouts, sites, strict=True)]
        rows = [np.arange(layout.members if site >= 0 else 0) for layout, site in here]
        told = [A.OLDEST, A.RATE_SUM, A.COMPLETED_SUM, A.LATENCY_SUM, A.LATENCY_COUNT, A.ENERGY_SUM]
        self._rows = Rows(rows, told)
        rings = world.group_devices.shape[2]
        planned = world.group_devices * world.tasks_per_s[:, None]
        cells = [site * self._shape[1] + row // rings for row, (_, site) in zip(rows, here, strict=True)]
        self._cell = np.concatenate([np.empty(0, np.int64), *cells]).astype(np.int64)
        self._planned = np.concatenate([np.empty(0), *(planned[site].ravel() for _, site in here if site >= 0)])
        self._of_site = np.bincount(self._cell // self._shape[1], self._planned, self._shape[0])

    def look(self, tables: Sequence[_core.StateTable | None], now: int) -> None:
        """Read all children's tables at `now`, ns."""
        self._rows.look(tables, now / SECOND)
        self._looked = now

    def service(self) -> Service:
        """Return what the last look told, of the period before the last one."""
        rows = self._rows
        with np.errstate(invalid="ignore"):
            fresh = rows.new & (rows.of(A.OLDEST) <= self._oldest_ms)
        values = {a: np.nan_to_num(rows.of(a)) for a in (A.RATE_SUM, A.COMPLETED_SUM, A.LATENCY_SUM, A.LATENCY_COUNT)}
        fresh &= np.isfinite(rows.of(A.RATE_SUM)) & np.isfinite(rows.of(A.COMPLETED_SUM))
        heard = np.bincount(self._cell // self._shape[1], np.where(fresh, self._planned, 0.0), self._shape[0])
        told = (self._of_site > 0.0) & (heard >= ENOUGH * self._of_site)
        count = np.maximum(values[A.LATENCY_COUNT], 1.0)
        waited = MILLISECOND_S * values[A.COMPLETED_SUM] * np.maximum(values[A.LATENCY_SUM], 0.0) / count
        energy = np.maximum(np.nan_to_num(rows.of(A.ENERGY_SUM)), 0.0)
        counted = fresh & told[self._cell // self._shape[1]]
        period = int(self._period_s * SECOND)
        return Service(
            self._by_class(np.maximum(values[A.RATE_SUM], 0.0) * self._period_s, counted),
            self._by_class(values[A.COMPLETED_SUM], counted),
            self._by_class(waited, counted),
            self._by_class(energy, counted),
            told,
            self._looked - 2 * period,
            self._looked - period,
        )

    def _by_class(self, values: F64, counted: Flags) -> F64:
        cells = int(np.prod(self._shape))
        summed = np.bincount(self._cell, np.where(counted, values, 0.0), cells).astype(np.float64)
        return np.reshape(summed, self._shape)


def told_together(parts: Sequence[Service]) -> Service | None:
    """Return what several domains were told of one period, each site by one of them; None: nobody was told anything.

    The period spans all of theirs.
    """
    if not any(part.told.any() for part in parts):
        return None
    told = np.any([part.told for part in parts], axis=0)
    offered, done, latency, energy = (
        np.sum([getattr(part, name) for part in parts], axis=0) for name in ("offered", "done", "latency_s", "energy_j")
    )
    return Service(
        offered, done, latency, energy, told, min(part.since for part in parts), max(part.until for part in parts)
    )


def told_utility(world: World, service: Service, period_s: float) -> F64:
    """Return each site's part of the utility a task, utils, [S]; NaN: not told.

    The tasks that are divided by are those told, and as many as planned where nothing was.
    """
    worth = site_class_worth(world, service.offered, service.done, service.latency_s, service.energy_j).sum(axis=1)
    planned = (world.group_devices.sum(axis=2) * world.tasks_per_s).sum(axis=1) * period_s
    tasks = float(np.where(service.told, service.offered.sum(axis=1), planned).sum())
    parts: F64 = np.where(service.told, worth / max(tasks, 1.0), np.nan)
    return parts


class ToldUtility:
    """Measurements of the guarded KPI, made of what is told: by site, with what one second differs from the next.

    The error of a site is √(mean of squared differences of neighbouring seconds / 2) (J. von Neumann et al., Annals of
    Mathematical Statistics 12, 1941): a level that shifts once hardly counts in it.

    Parameters
    ----------
    world
        Constants of the objective, and tasks as planned.
    period_s
        Between two reports.
    """

    def __init__(self, world: World, period_s: float) -> None:
        self._world, self._period_s = world, period_s
        self._parts: deque[F64] = deque(maxlen=MEMORY)

    def take(self, service: Service | None, version: int) -> Measured | None:
        """Return what was told as a measurement by site, its value the sum of sites told; None: nothing was told."""
        if service is None or not service.told.any():
            return None
        parts = told_utility(self._world, service, self._period_s)
        self._parts.append(parts)
        errors, told = self._errors(), service.told
        return Measured(
            float(parts[told].sum()),
            float(np.sqrt((errors[told] ** 2).sum())),
            service.since,
            service.until,
            version,
            tuple(parts.tolist()),
            tuple(errors.tolist()),
        )

    def _errors(self) -> F64:
        steps = np.diff(np.array(self._parts), axis=0)
        known = np.isfinite(steps)
        count = known.sum(axis=0)
        squares = np.where(known, steps, 0.0) ** 2
        usual = float(squares.sum() / max(int(count.sum()), 1))
        own = squares.sum(axis=0) / np.maximum(count, 1)
        found: F64 = np.sqrt(np.where(count >= LEAST_KNOWN, own, usual) / 2.0)
        return found
