"""Which of its devices an edge believes: each report is judged once an epoch, who lies is left out until it fits again.

What a device in quarantine says is no part of a decision: what is planned of it at its neighbours' load stands in. Its
last `KEPT` reports are kept for looking at; going in and coming out are records.

Where more devices are suspected than may be in quarantine, or all repeat themselves that never did before, it is the
gateway that lies (or the plan that is wrong): nothing of it is used until it fits again, and what is believed of the
site's demand only ages, unless the fog says what the other sites have (`orchestrate.sitetrust`).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.functions.assure.lying import LieOptions, LieWatch, Neighbours
from tiertwin.twin.attributes import A
from tiertwin.twin.effects import Record

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.orchestrate.trustrules import TrustRules
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

KEPT = 16  # reports of a device in quarantine
GAIN = 0.3  # of the neighbours' load
LOAD_FLOOR = 0.02  # of what is planned: nights
CLEAN, PATIENCE = 5, 2  # reports without repetitions after which they are a lie; in doubt before it counts
BUSIEST = 2.0  # load that is planned for at most
RADIO_MARGIN = 1.05  # over a ring's rate
MEASURED = (A.TASK_RATE, A.RADIO_MBPS, A.LATENCY_MS, A.ENERGY_J)


class DeviceTrust:
    """The devices of one site.

    Parameters
    ----------
    world, site
        Inventory.
    rules
        Limits and times.
    """

    def __init__(self, world: World, site: int, rules: TrustRules) -> None:
        rows = slice(int(world.device_rows[site]), int(world.device_rows[site + 1]))
        classes = world.device_class[rows]
        self.devices = len(classes)
        self._rules, self._site = rules, site
        self._neighbours = neighbours_of(world, classes, rules.period_s)
        rings = len(world.ring_rate_mbps)
        self._group_of = (classes * rings + world.device_ring[rows]).astype(np.int64)
        self._fastest = world.ring_rate_mbps[world.device_ring[rows]] * RADIO_MARGIN * (1.0 + 6.0 * rules.noise)
        self.watch = LieWatch(max(self.devices, 1), options_of(rules))
        self.load = 1.0
        self._seen = np.full(self.devices, np.iinfo(np.int64).min, dtype=np.int64)
        self._rates: F64 = np.full(self.devices, np.nan)
        self.kept: dict[int, deque[dict[str, float]]] = {}
        self._records: list[dict[str, Any]] = []
        self._gateway = _Gateway(rules)

    @property
    def out(self) -> Flags:
        """Who is in quarantine, [N]."""
        return self.watch.out[: self.devices]

    def judge(self, table: _core.StateTable, newer_than: int) -> tuple[F64, Flags]:
        """Judge the devices' rows of a gateway's table.

        Parameters
        ----------
        table
            Its first rows are the devices.
        newer_than
            Samples at or before this time (ns) count as not reported.

        Returns
        -------
        tuple
            Task rates to go by, tasks/s, and of whom they may be used, [N] each.
        """
        n = self.devices
        if n == 0:
            return np.zeros(0), np.zeros(0, dtype=np.bool_)
        times = table.times(A.TASK_RATE)[:n]
        fresh = times > self._seen
        self._seen = times.copy()
        rates = table.column(A.TASK_RATE)[:n]
        made = np.where(np.isfinite(rates), rates, 0.0) * self._rules.period_s
        heard = (times > newer_than) & np.isfinite(rates)
        if self._rules.method == "median":
            return self._at_medians(rates, heard), heard
        if self._rules.method == "bounds":
            return rates, heard & (self._impossible(table) == 0.0) & (made <= self._ever())
        believed = self._level(made, heard)
        least, most = self._neighbours.expected(self.load, self._rules.tolerance)
        done, missed = table.column(A.COMPLETED)[:n], table.column(A.MISSED)[:n]
        measured = np.stack([table.column(a)[:n] for a in MEASURED], axis=1)
        changed = self.watch.push(fresh, made, done, missed, least, most, self._impossible(table), measured)
        self._note(changed, fresh, table, most)
        said = self._gateway.judge(self.watch)
        if said is not None:
            self._records.append(said)
        if self._gateway.out:
            heard = np.zeros(n, dtype=np.bool_)
        stands_in = self.out & self._neighbours.known
        believed[stands_in] = self.load * self._neighbours.planned[stands_in]
        return believed / self._rules.period_s, heard & (stands_in | ~self.out)

    def _level(self, made: F64, heard: Flags) -> F64:
        """Follow the neighbours' load and return what of each device's tasks is believed."""
        _, most = self._neighbours.expected(self.load, self._rules.tolerance)
        capped = self._neighbours.capped(made, most)
        load = self._neighbours.load(capped, heard & ~self.out)
        if load is not None:
            self.load = max(self.load + GAIN * (load - self.load), LOAD_FLOOR)
        return capped

    def _ever(self) -> F64:
        """The most tasks that an honest device reports at any load that is planned for, [N]."""
        _, most = self._neighbours.expected(BUSIEST, 0.0)
        return np.where(np.isnan(most), np.inf, self._neighbours.cap(most))

    def _at_medians(self, rates: F64, heard: Flags) -> F64:
        """Return of each device the median rate of those of its group that were heard, [N]."""
        told = rates.copy()
        for group in np.unique(self._group_of[heard]).tolist():
            members = heard & (self._group_of == group)
            told[members] = np.median(rates[members])
        return told

    def _impossible(self, table: _core.StateTable) -> F64:
        n = self.devices
        radio, busy = table.column(A.RADIO_MBPS)[:n], table.column(A.CPU_LOAD)[:n]
        below = np.minimum.reduce([table.column(a)[:n] for a in (A.TASK_RATE, A.COMPLETED, A.MISSED, A.ENERGY_J)])
        wrong = (radio > self._fastest) | (busy > 1.0 + 1e-6) | (below < 0.0)
        return np.where(wrong, 2.0 * self._rules.limit, 0.0)

    def _note(self, changed: Flags, fresh: Flags, table: _core.StateTable, most: F64) -> None:
        """Keep what those in quarantine say, and what is to be told of who went in or came out."""
        if not changed.any() and not self.kept:
            return
        evidence = self.watch.evidence
        for device in np.flatnonzero(changed[: self.devices]).tolist():
            if self.out[device]:
                self.kept[device] = deque(maxlen=KEPT)
                fields = {"reason": self.watch.reason(device), "nats": float(evidence[device])}
                said = self._said(table, device)
                self._records.append({"device": device, **fields, "told": said, "most": float(most[device])})
            else:
                self.kept.pop(device, None)
                self._records.append({"device": device, "over": True})
        for device, reports in self.kept.items():
            if fresh[device]:
                reports.append(self._said(table, device))

    @staticmethod
    def _said(table: _core.StateTable, device: int) -> dict[str, float]:
        said = {a: float(table.column(a)[device]) for a in (A.TASK_RATE, A.RADIO_MBPS, A.COMPLETED, A.MISSED)}
        return {a.name.lower(): value for a, value in said.items() if np.isfinite(value)}

    def take_records(self, epoch: int) -> list[Record]:
        """Return who went into quarantine and why, and who came out, since the last call."""
        told, self._records = self._records, []
        return [Record("quarantine", epoch, {"site": self._site, **fields}) for fields in told]


class _Gateway:
    """Whether a gateway is believed as a whole: in doubt for `PATIENCE` reports, and it is not."""

    def __init__(self, rules: TrustRules) -> None:
        self._rules = rules
        self._clean = self._doubtful = self._quiet = 0
        self.out = False

    def judge(self, watch: LieWatch) -> dict[str, Any] | None:
        """Look at the watch after a push; return what is to be told, None: nothing."""
        repeats = watch.repeating > watch.options.common
        self._clean += not repeats
        reason = "repeated" if repeats and self._clean >= CLEAN else ""
        reason = "devices" if watch.suspected > self._rules.liars else reason
        self._doubtful = self._doubtful + 1 if reason else 0
        self._quiet = 0 if reason else self._quiet + 1
        if not self.out and self._doubtful >= PATIENCE:
            self.out = True
            return {"reason": reason, "nats": float(watch.evidence.max())}
        if self.out and self._quiet >= watch.options.hold:
            self.out = False
            return {"over": True}
        return None


def neighbours_of(world: World, classes: npt.NDArray[np.int64], period_s: float) -> Neighbours:
    """Return what is planned of devices of these classes in a period of reports, [N]."""
    on, off = np.asarray(world.on_s, dtype=np.float64), np.asarray(world.off_s, dtype=np.float64)
    bursty = (np.asarray(world.arrival) == 1) & (on > 0.0)  # on-off
    bursts = np.where(bursty, (on + off) / np.where(bursty, on, 1.0), 1.0)
    length = np.where(bursty, on * off / np.maximum(on + off, 1e-12), 0.0) / period_s
    known = np.asarray(world.arrival) != 2  # a trace: it comes when it comes
    silence = np.where(bursty, off, 0.0) / period_s
    planned = np.asarray(world.tasks_per_s, dtype=np.float64) * period_s
    return Neighbours(*(np.ascontiguousarray(part[classes]) for part in (planned, bursts, length, silence, known)))


def options_of(rules: TrustRules) -> LieOptions:
    """Return how the kernel judges devices by these rules."""
    return LieOptions(
        limit=rules.limit,
        noise=rules.noise,
        most_share=rules.liars,
        warm=rules.reports(rules.warm_s),
        hold=rules.reports(rules.hold_s),
    )
