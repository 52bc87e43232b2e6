"""Alarms into incidents: repeats become one alarm, alarms near in topology and time one incident.

The rules, and what is bounded, are in `cpp/assure/incidents.hpp`; alarms come out as records of 3GPP TS 28.111.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.functions.assure.alarms import PROBABLE_CAUSES, AlarmRecord, ProbableCause, Severity, date_time

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Incident:
    """Alarms that belong together.

    Parameters
    ----------
    number
        The lowest of the incidents it was made of.
    alarms
        Records in the order they were raised; the root's `correlated_notifications` name all others,
        theirs the root.
    """

    number: int
    alarms: tuple[AlarmRecord, ...]

    @property
    def root(self) -> AlarmRecord:
        """The alarm with the root cause indicator; the first where it has left (raised anew since)."""
        return next((alarm for alarm in self.alarms if alarm.root_cause_indicator), self.alarms[0])

    @property
    def severity(self) -> Severity:
        """The worst of its alarms."""
        return max(alarm.perceived_severity for alarm in self.alarms)


class Incidents:
    """A log of alarms for a fixed set of objects.

    Parameters
    ----------
    objects
        Their names, the `objectInstance` of alarms; unique.
    related
        Pairs of names that belong together (a link and its ends, a site and its servers), in either order.
    causes
        Probable causes, at most one alarm for each object and cause at a time.
    window_s
        Alarms so near in time, of one object or of related ones, are one incident; > 0.
    keep
        Alarms of closed incidents that wait to be taken, at most.
    epoch
        What time 0 is in the records' date-times.
    """

    def __init__(
        self,
        objects: Sequence[str],
        related: Iterable[tuple[str, str]] = (),
        *,
        causes: Sequence[ProbableCause] = PROBABLE_CAUSES,
        window_s: float = 60.0,
        keep: int = 1_000_000,
        epoch: datetime = EPOCH,
    ) -> None:
        self.objects, self.causes, self.epoch = tuple(objects), tuple(causes), epoch
        self.index = {name: k for k, name in enumerate(self.objects)}
        self.cause_index = {cause.name: k for k, cause in enumerate(self.causes)}
        if len(self.index) != len(self.objects):
            raise InputError("objects: expected names that differ, got one twice", "Incidents")
        if not (np.isfinite(window_s) and 1e-9 <= window_s <= 9e9):
            raise InputError(f"window_s: expected 1e-9 … 9e9 s, got {window_s}", "Incidents")
        date_time(0, epoch)
        start, other = self._csr(related)
        self._core = _core.IncidentLog(
            len(self.objects), len(self.causes), start, other, window_ns=round(window_s * 1e9), keep=keep
        )

    def push(self, time_ns: Ints, obj: Ints, cause: Ints, severity: Ints) -> None:
        """Take events, columns (N,) of int64, in order of time.

        Parameters
        ----------
        time_ns
            Since the epoch, ns.
        obj, cause
            Indices into `objects` and `causes`.
        severity
            `Severity`; 0 clears.

        Raises
        ------
        ValueError
            Columns of other lengths, an index out of range, a time that goes backwards; nothing was taken.
        """
        self._core.push(time_ns, obj, cause, severity)

    def tell(self, time_s: float, name: str, cause: str, severity: Severity) -> None:
        """Take one event by names; raises InputError with what was expected."""
        if name not in self.index:
            raise InputError(
                f"object: expected one of the {len(self.objects)} objects of this log, got {name!r}", "tell"
            )
        if cause not in self.cause_index:
            raise InputError(f"cause: expected one of {', '.join(self.cause_index)}, got {cause!r}", "tell")
        row = (round(time_s * 1e9), self.index[name], self.cause_index[cause], int(severity))
        self.push(*(np.array([value], dtype=np.int64) for value in row))

    def advance(self, time_s: float) -> None:
        """Close the incidents that have been quiet for the window by now."""
        self._core.advance(round(time_s * 1e9))

    def open(self) -> list[Incident]:
        """Return the open incidents, oldest first."""
        return self._incidents(self._core.open())

    def take(self) -> list[Incident]:
        """Return the incidents closed since the last call, in the order they closed; each comes once."""
        return self._incidents(self._core.take())

    def totals(self) -> dict[str, int]:
        """Return what was counted: events, alarms, repeats, clears, strays, incidents, merged, closed, dropped, …"""
        return self._core.totals()

    def memory_bytes(self) -> int:
        """Return the bytes of the log: fixed by objects and causes, but for closed incidents not yet taken."""
        return self._core.memory_bytes()

    def _csr(self, related: Iterable[tuple[str, str]]) -> tuple[Ints, Ints]:
        rows: list[list[int]] = [[] for _ in self.objects]
        for one, other in related:
            unknown = [name for name in (one, other) if name not in self.index]
            if unknown:
                raise InputError(f"related: expected names of objects, got {unknown[0]!r}", "Incidents")
            rows[self.index[one]].append(self.index[other])
        start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        return start, np.array([k for row in rows for k in row], dtype=np.int64)

    def _incidents(self, columns: dict[str, Ints]) -> list[Incident]:
        table = [column.tolist() for column in columns.values()]
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*table, strict=True)]
        incidents = []
        for number, group in groupby(rows, key=lambda row: row["incident"]):
            alarms = list(group)
            roots = [row for row in alarms if row["root"]]
            incidents.append(Incident(number, tuple(self._record(row, alarms, roots) for row in alarms)))
        return incidents

    def _record(self, row: dict[str, int], alarms: list[dict[str, int]], roots: list[dict[str, int]]) -> AlarmRecord:
        cleared = row["cleared_ns"] >= 0
        others: dict[str, list[int]] = {}
        for other in alarms if row["root"] else roots:
            if other is not row:
                others.setdefault(self.objects[other["object"]], []).append(other["number"])
        cause = self.causes[row["cause"]]
        return AlarmRecord(
            alarm_id=str(row["number"]),
            object_instance=self.objects[row["object"]],
            notification_id=row["number"],
            alarm_type=cause.alarm_type,
            probable_cause=cause.name,
            perceived_severity=Severity.CLEARED if cleared else Severity(row["severity"]),
            alarm_raised_time=date_time(row["raised_ns"], self.epoch),
            alarm_changed_time=date_time(row["changed_ns"], self.epoch) if row["events"] > 1 else None,
            alarm_cleared_time=date_time(row["cleared_ns"], self.epoch) if cleared else None,
            correlated_notifications=[
                {"sourceObjectInstance": name, "notificationIds": ids} for name, ids in others.items()
            ],
            root_cause_indicator=bool(row["root"]),
            additional_information={
                "events": row["events"],
                "incident": row["incident"],
                "worstSeverity": Severity(row["severity"]).name,
            }
            | ({"raisedAgain": True} if row["left"] else {}),
        )
