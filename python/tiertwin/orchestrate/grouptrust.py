"""Which groups of users an edge believes under a radio access: a row is a group, and its users come and go.

Nothing is planned of a row, and what users made here may be done elsewhere: neither the load of the others nor a
balance of tasks speaks against it. What holds is what base stations count exactly, all rows of a site at one time:

    who comes was somewhere    Δu_g ≤ Σ_{h ≠ g, same class} l_h + handovers into the site's cells
                               no handovers for a class that the scenario says stays, but where `UNREST` of its rows
                               change at once: a cell came or went
                               l_h = max(−Δu_h, 0); of a row in quarantine all that is believed to be in it besides
    claimed                    a_g <- min(f a_g + excess of the line above, u_g)      f = `FORGET`
    evidence                   `NATS` a user that is claimed, as of `bounds`. Handovers are counted since the report
                               before: for one that is missing `LOST` times (the most lately counted + 1) are allowed
    tasks                      of a row with u users no more than `BUSIEST` times those planned of u, of the report
                               before or this one, and of `SPARE` that came through
    repeats                    as of devices, of numbers that came with the report: nobody there is no number

Of a row in quarantine nothing is used: its users are those last believed, at the load of the others. Fogs judge no
gateway here: it tells users and handovers, and they know nothing of either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.orchestrate.trust import BUSIEST, MEASURED, DeviceTrust
from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.orchestrate.trustrules import TrustRules
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

NATS, FORGET = 8.0, 0.998
LOST, LATELY = 2.0, 0.98
UNREST = 2
SPARE = 2.0  # users who came, made tasks and left between two reports


class Membership:
    """How many users each row of a site claims that came from nowhere.

    Parameters
    ----------
    kinds
        Class of each row, [N].
    period_s
        Between two reports.
    moves
        Whether the users of a row may be handed over at all, [N].
    """

    def __init__(self, kinds: npt.NDArray[np.int64], period_s: float, moves: Flags) -> None:
        self._moves = moves
        self._same = (kinds[:, None] == kinds[None, :]) & ~np.eye(len(kinds), dtype=np.bool_)
        self._period_ns, self._most = period_s * 1e9, 0.0
        self._users: F64 = np.full(len(kinds), np.nan)
        self._times = np.zeros(len(kinds), dtype=np.int64)
        self.claimed: F64 = np.zeros(len(kinds))

    def push(self, fresh: Flags, users: F64, handovers: float, times: npt.NDArray[np.int64], out: Flags) -> F64:
        """Take a report and return the nats against each row, [N].

        Parameters
        ----------
        fresh
            Rows that reported, [N].
        users
            Told to be in each, [N]; NaN: not told.
        handovers
            Into the site's cells since the report before; NaN: not told, as of a report that is missing.
        times
            Of the reports, ns, [N].
        out
            Rows in quarantine, [N]: who leaves one of them need not be seen to.
        """
        fresh = fresh & np.isfinite(users)
        known = fresh & np.isfinite(self._users)
        moved = np.where(known, users - self._users, 0.0)
        missing = np.maximum(np.round((times - self._times) / self._period_ns) - 1.0, 0.0)
        if np.isfinite(handovers):
            self._most = max(LATELY * self._most, handovers)
        else:
            handovers, missing = 0.0, missing + 1.0
        hidden = np.where(out, np.maximum(np.nan_to_num(self._users) - self.claimed, 0.0), 0.0)
        changed = ((moved != 0.0) & ~out).astype(np.int64)
        unrest = self._same @ changed + changed >= UNREST
        handed = np.where(self._moves | unrest, handovers + missing * LOST * (self._most + 1.0), 0.0)
        came_from = self._same @ (np.maximum(-moved, 0.0) + hidden) + handed
        excess = np.where(known, np.maximum(moved - came_from, 0.0), 0.0)
        grown = np.minimum(FORGET * self.claimed + excess, np.maximum(users, 0.0))
        self.claimed = np.where(fresh, grown, self.claimed)
        self._users = np.where(fresh, users, self._users)
        self._times = np.where(fresh, times, self._times)
        nats: F64 = NATS * self.claimed
        return nats


def may_move(world: World) -> Flags:
    """Whether users of each class may change their cell: all but those whose crowds all stay, [classes]."""
    moves = np.ones(len(world.class_names), dtype=np.bool_)
    section = None if world.scenario is None else world.scenario.access
    if section is not None:
        walking = {crowd.service for crowd in section.crowds if crowd.moves != "still"}
        moves[:] = [name in walking for name in world.class_names]
    return moves


class GroupTrust(DeviceTrust):
    """The groups of users of one site; a row a group.

    Parameters
    ----------
    world, site
        Inventory; `World.grouped`.
    rules
        Limits and times.
    station_row
        Of the gateway's table, where its base stations tell handovers.
    """

    def __init__(self, world: World, site: int, rules: TrustRules, station_row: int) -> None:
        super().__init__(world, site, rules)
        rows = slice(int(world.device_rows[site]), int(world.device_rows[site + 1]))
        kinds = world.device_class[rows]
        self._station_row = station_row
        self._members = Membership(kinds, rules.period_s, may_move(world)[kinds])
        self._before: F64 = np.zeros(self.devices)

    def judge(self, table: _core.StateTable, newer_than: int) -> tuple[F64, Flags]:
        """Judge the rows of a gateway's table; see :meth:`DeviceTrust.judge`."""
        n = self.devices
        times = table.times(A.TASK_RATE)[:n]
        fresh = times > self._seen
        self._seen = times.copy()
        rates, users = table.column(A.TASK_RATE)[:n], table.column(A.USERS)[:n]
        handovers = float(table.column(A.HANDOVERS)[self._station_row])
        if int(table.times(A.HANDOVERS)[self._station_row]) < int(times.max(initial=0)):
            handovers = np.nan  # not of this report
        claims = self._members.push(fresh, users, handovers, times, self.out)
        there = np.where(np.isfinite(users), np.maximum(users, 0.0), 0.0)
        most = self._most(np.maximum(there, self._before))
        self._before = np.where(fresh, there, self._before)
        made = np.where(np.isfinite(rates), rates, 0.0) * self._rules.period_s
        measured = np.stack(
            [np.where(table.times(a)[:n] == times, table.column(a)[:n], np.nan) for a in MEASURED], axis=1
        )
        nobody: F64 = np.full(n, np.nan)
        changed = self.watch.push(fresh, made, nobody, nobody, np.zeros(n), most, claims, measured)
        self._note(changed, fresh, table, most)
        said = self._gateway.judge(self.watch)
        if said is not None:
            self._records.append(said)
        heard = (times > newer_than) & np.isfinite(rates) & ~self.out
        if self._gateway.out:
            heard[:] = False
        return np.minimum(made, self._neighbours.cap(most)) / self._rules.period_s, heard

    def _most(self, users: F64) -> F64:
        """The most tasks that so many users of each row make in a period, [N]; a trace's: unknown."""
        _, each = self._neighbours.expected(BUSIEST, self._rules.tolerance)
        return np.where(np.isnan(each), np.inf, each * (users + SPARE))

    def users(self, told: F64) -> tuple[F64, Flags]:
        """Return of the users told of each row those who came from somewhere, and of which rows to use it, [N] each."""
        use = ~self.out & (not self._gateway.out)
        return np.maximum(told - self._members.claimed, 0.0), use
