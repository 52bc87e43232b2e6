"""Writes a run: what is known at the start, then epoch by epoch, then its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from tiertwin.errors import OutputError, UnknownNameError, suggest
from tiertwin.model.kpis import EPOCH_KPIS
from tiertwin.model.kpis import kpi as find_kpi
from tiertwin.store import folder as files
from tiertwin.store.history import HistoryWriter
from tiertwin.store.log import EventLog

_EPOCH_KPIS = frozenset(EPOCH_KPIS)


class RunWriter:
    """Owns the folder of a run while it is made; a context manager, used by one thread.

    The caller gathers rows with the methods below and calls :meth:`commit` once an epoch; what was committed survives a
    kill at any moment and a full disk. Leaving the block without :meth:`finish` marks the run as interrupted.

    Parameters
    ----------
    folder
        Where to write: absent or empty.
    scenario
        The resolved scenario as JSON: ``name`` and ``world`` with ``nodes`` (name, lon, lat, urban, fog, role),
        ``links`` (a, b, km, capacity_mbps, owner) and ``twins`` (name, tier, parent).
    seed
        Seed of the run.
    policies
        Names of the policies it compares, the one of interest first.
    settings
        What a replay needs besides: number of epochs, solver and so on, as JSON.
    versions
        Versions to note instead of those of this machine.

    Raises
    ------
    OutputError
        Nothing can be written there; from any method: the disk is full or gone.
    """

    def __init__(
        self,
        folder: str | Path,
        scenario: Mapping[str, Any],
        seed: int,
        policies: Sequence[str],
        *,
        settings: Mapping[str, Any] | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._policies = list(policies)
        self._closed = False
        self._failure = ""
        ends = [(link["a"], link["b"]) for link in scenario.get("world", {}).get("links", [])]
        self._link_ids = np.repeat(np.arange(len(ends), dtype=np.int32), 2)
        self._link_a = np.array([name for a, b in ends for name in (a, b)], dtype=object)
        self._link_b = np.array([name for a, b in ends for name in (b, a)], dtype=object)

        files.make_folder(self.folder)
        self._status = files.StatusFile(self.folder / files.STATUS)
        try:
            run = {"format": files.FORMAT, "seed": seed, "policies": self._policies, "settings": dict(settings or {})}
            files.write_json(self.folder / files.RUN, run, "the run's settings")
            files.write_json(self.folder / files.SCENARIO, scenario, "the scenario")
            files.write_json(self.folder / files.VERSIONS, versions or files.versions(), "the versions")
            self._log = EventLog(self.folder / files.EVENTS)
            self._history = HistoryWriter(self.folder / files.HISTORY)
        except OutputError as error:
            self._end("interrupted", str(error))
            raise

    @property
    def log_hash(self) -> str:
        """Hash over all events so far, hex."""
        return self._log.log_hash

    @property
    def event_count(self) -> int:
        """Number of events so far."""
        return self._log.count

    def event(self, event: Mapping[str, Any]) -> None:
        """Append one event to the log; NaN and infinity are refused with a ValueError."""
        with self._noting_failure():
            self._log.write(event)

    def kpis(
        self, policy: str, epoch: int, values: Mapping[str, float], *, tier: str = "network", twin: str = ""
    ) -> None:
        """Gather KPIs of one epoch, of the whole network or of one twin; units come from the table of KPIs."""
        names = list(values)
        units = [_unit(name) for name in names]
        numbers = [float(value) for value in values.values()]
        self._add("kpi", policy, epoch, len(names), tier, twin, names, numbers, units)

    def twin_kpis(
        self, policy: str, epoch: int, kpi: str, tier: str, twins: Sequence[str], values: Sequence[float] | np.ndarray
    ) -> None:
        """Gather one KPI of one epoch over many twins of a tier."""
        _same_length("values", values, "twins", twins)
        self._add("kpi", policy, epoch, len(twins), tier, twins, kpi, values, _unit(kpi))

    def belief(
        self,
        policy: str,
        epoch: int,
        twin: str,
        known_ns: int,
        entities: Sequence[str] | np.ndarray,
        attribute: str | Sequence[str],
        values: Sequence[float] | np.ndarray,
        sample_ns: int | Sequence[int] | np.ndarray,
    ) -> None:
        """Gather what `twin` learned at `known_ns`: one row an entity; rows that did not change may be left out.

        An object array of entity names, kept and passed again each epoch, is the fastest.
        """
        _same_length("values", values, "entities", entities)
        self._add("belief", policy, epoch, len(entities), twin, known_ns, entities, attribute, values, sample_ns)

    def decision(
        self,
        policy: str,
        epoch: int,
        twin: str,
        entities: Sequence[str] | np.ndarray,
        attribute: str | Sequence[str],
        values: Sequence[float] | np.ndarray,
        *,
        unit: str = "",
        lease_until_ns: int = 0,
    ) -> None:
        """Gather what `twin` decided: one row an entity (a child, a group, a link)."""
        _same_length("values", values, "entities", entities)
        self._add("decision", policy, epoch, len(entities), twin, entities, attribute, values, unit, lease_until_ns)

    def links(self, policy: str, epoch: int, load_mbps: np.ndarray, capacity_mbps: np.ndarray) -> None:
        """Gather the plant's link loads: f64[2m], entry 2l is a→b of link l of the world, 2l + 1 is b→a."""
        _same_length("load_mbps", load_mbps, "directed links of the scenario", self._link_a)
        _same_length("capacity_mbps", capacity_mbps, "directed links of the scenario", self._link_a)
        load = np.asarray(load_mbps, dtype=np.float64)
        capacity = np.asarray(capacity_mbps, dtype=np.float64)
        used = np.divide(load, capacity, out=np.zeros_like(load), where=capacity > 0)
        count = len(load)
        self._add("link", policy, epoch, count, self._link_ids, self._link_a, self._link_b, load, capacity, used)

    def commit(self) -> None:
        """Make everything gathered so far durable: call it once an epoch."""
        with self._noting_failure():
            self._log.flush()
            self._history.commit()

    def finish(self, result: Mapping[str, Any]) -> None:
        """Commit, write the result (the object of ``--json``; NaN as null), mark the run complete and close it."""
        self.commit()
        with self._noting_failure():
            self._log.close()
            files.write_json(self.folder / files.RESULT, result, "the result")
        self._end("complete", "")

    def close(self, reason: str = "") -> None:
        """Close the run; without :meth:`finish` before, it is marked interrupted for `reason`. May be called twice."""
        if not self._closed:
            if not self._failure:
                with suppress(OutputError):
                    self.commit()
            self._end("interrupted", self._failure or reason or "closed before its last epoch")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("" if kind is None else f"{kind.__name__}: {error}".rstrip(": "))

    def _add(self, table: str, policy: str, epoch: int, rows: int, *values: Any) -> None:
        if policy not in self._policies:
            raise UnknownNameError(f"unknown policy {policy!r} in this run{suggest(policy, self._policies)}")
        self._history.add(table, rows, policy, epoch, *values)

    def _noting_failure(self) -> _NotingFailure:
        return _NotingFailure(self)

    def _end(self, state: str, reason: str) -> None:
        """Close every file; what cannot be written any more is left as it is."""
        self._closed = True
        if log := getattr(self, "_log", None):
            log.abandon()
        if history := getattr(self, "_history", None):
            history.close()
        with suppress(OutputError):
            self._status.write(state, reason)
        self._status.close()


class _NotingFailure:
    """Remembers why writing failed, so that the status of the run can say it."""

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OutputError):
            self._writer._failure = str(error)
            kept = f"What was written before can be read: tiertwin report {self._writer.folder}"
            error.args = (f"{error} {kept}",)


def _unit(name: str) -> str:
    if name not in _EPOCH_KPIS:
        known = find_kpi(name)  # an unknown name raises here
        raise UnknownNameError(f"KPI {known.name!r} is of a whole run, not of an epoch{suggest(name, EPOCH_KPIS)}")
    return find_kpi(name).unit


def _same_length(what: str, got: Any, of: str, expected: Any) -> None:
    if len(got) != len(expected):
        raise ValueError(f"expected {len(expected)} {what} (one for each of the {of}), got {len(got)}")
