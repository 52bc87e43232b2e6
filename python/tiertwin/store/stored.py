"""Reads a run back, complete or not: scenario, events, KPIs, beliefs as of a time, links, result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.model.kpis import FAULT_KPIS, JSON_KPIS
from tiertwin.model.kpis import kpi as find_kpi
from tiertwin.model.tiers import Tier
from tiertwin.store import folder as files
from tiertwin.store import log
from tiertwin.store.table import Table

if TYPE_CHECKING:
    from tiertwin.store.history import HistoryReader

# a run-level KPI that is not the mean of its epoch rows
_FROM_EPOCHS = {
    "certified_gap_median": ("certified_gap", "median"),
    "gap_of_improvement_median": ("gap_of_improvement", "median"),
    "rounds_cold": ("rounds", "first"),
    "rounds_warm_median": ("rounds", "rest"),
    "wall_s_per_epoch": ("wall_s", "mean"),
    "solver_steps": ("solver_steps", "sum"),
    "local_policy_epochs": ("local_policy_epochs", "sum"),
}


def open_run(folder: str | Path) -> StoredRun:
    """Open a run directory for reading.

    Raises
    ------
    InputError
        It is not a run, or of a newer format: the message names the folder and what is missing.
    """
    return StoredRun(Path(folder))


class StoredRun:
    """A run on disk; a context manager. Reading never changes it.

    Parameters
    ----------
    folder
        The run directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        run = self._required(files.RUN)
        if run.get("format", 0) > files.FORMAT:
            raise InputError(
                f"expected a run of format {files.FORMAT} or older, got {run['format']}: a newer tiertwin wrote it",
                str(folder / files.RUN),
            )
        self.scenario = self._required(files.SCENARIO)
        self.seed: int = run["seed"]
        self.policies: list[str] = run["policies"]
        self.settings: dict[str, Any] = run.get("settings", {})
        self.versions: dict[str, str] = self._optional(files.VERSIONS) or {}
        self.status, self.reason = files.read_status(folder / files.STATUS)
        self.result: dict[str, Any] | None = self._optional(files.RESULT) if self.status == "complete" else None
        if self.status != "complete":
            self.warnings.append(f"The run is {self.status}: {self.reason or 'it has no result yet'}")
        self._history: HistoryReader | None = None
        self._history_tried = False

    # -- events ------------------------------------------------------------------------------------------------------

    def lines(self) -> Iterator[bytes]:
        """Yield the complete lines of the event log, newline included."""
        path = self.folder / files.EVENTS
        return log.read_lines(path) if path.exists() else iter(())

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events of the log."""
        return (json.loads(line) for line in self.lines())

    @property
    def log_hash(self) -> str:
        """Hash over the complete lines of the event log, computed from the file."""
        return self._folded[0]

    @property
    def event_count(self) -> int:
        """Number of complete lines in the event log."""
        return self._folded[1]

    @property
    def recorded_hash(self) -> str | None:
        """The hash the run itself reported; None if it did not end."""
        return None if self.result is None else self.result.get("log_hash")

    @cached_property
    def _folded(self) -> tuple[str, int]:
        folded, count = log.new_hash(), 0
        for line in self.lines():
            folded.update(line)
            count += 1
        return folded.hexdigest(), count

    # -- history -----------------------------------------------------------------------------------------------------

    def kpis(self, policy: str | None = None) -> Table:
        """Return KPIs by epoch: policy, epoch, tier, twin, kpi, value, unit."""
        return self._select("kpi", policy=policy)

    def links(self, policy: str | None = None, epoch: int | None = None) -> Table:
        """Return link loads: policy, epoch, link, a, b, load_mbps, capacity_mbps, utilisation; one row a direction."""
        return self._select("link", policy=policy, epoch=epoch)

    def decisions(self, policy: str | None = None, epoch: int | None = None) -> Table:
        """Return decisions: policy, epoch, twin, entity, attribute, value, unit, lease_until_ns."""
        return self._select("decision", policy=policy, epoch=epoch)

    def as_of(self, twin: str, t_ns: int, policy: str | None = None) -> Table:
        """Return what `twin` believed at `t_ns`: entity, attribute, value, known_ns, sample_ns, age_ms.

        Of each attribute of each entity it is the newest row known by then; ``age_ms`` is `t_ns` − sample time.

        Parameters
        ----------
        twin
            Name of a twin of the scenario.
        t_ns
            Modelled time in nanoseconds since the start of the run.
        policy
            Which policy's run; the first one if None.

        Raises
        ------
        UnknownNameError
            No such twin or policy; the nearest names are suggested.
        """
        known = [held["name"] for held in self.world("twins")]
        if known and twin not in known:
            raise UnknownNameError(f"unknown twin {twin!r}{suggest(twin, known)}", str(self.folder))
        chosen = self._policy(policy) or self.policies[0]
        history = self._open_history("belief")
        if history is None:
            return Table({name: [] for name in ("entity", "attribute", "value", "known_ns", "sample_ns", "age_ms")})
        from tiertwin.store.history import AS_OF  # noqa: PLC0415  needs duckdb

        return history.query(AS_OF, {"twin": twin, "t": int(t_ns), "policy": chosen})

    def time_of(self, twin: str, epoch: int, policy: str | None = None) -> int | None:
        """Return when `twin` last learned something in `epoch` or before, ns; None if it knew nothing yet."""
        chosen = self._policy(policy) or self.policies[0]
        history = self._open_history("belief")
        if history is None:
            return None
        sql = "SELECT coalesce(max(known_ns), -1) AS t FROM belief WHERE policy = $p AND twin = $twin AND epoch <= $e"
        latest = int(history.query(sql, {"p": chosen, "twin": twin, "e": epoch})["t"][0])
        return latest if latest >= 0 else None

    def query(self, sql: str, parameters: dict[str, Any] | list[Any] | None = None) -> Table:
        """Return the rows of one SQL statement over the tables kpi, belief, decision and link."""
        history = self._open_history()
        if history is None:
            raise InputError("this run has no history to query", str(self.folder))
        return history.query(sql, parameters)

    def holds(self, table: str) -> bool:
        """Return whether the history holds this table (kpi, belief, decision, link)."""
        return self._open_history(table) is not None

    def last_epoch(self, policy: str | None = None) -> int:
        """Return the last epoch with a KPI, of one policy or of any; −1 if there is none."""
        history = self._open_history("kpi")
        if history is None:
            return -1
        chosen = self._policy(policy)
        where = "" if chosen is None else "WHERE policy = $policy"
        given = {} if chosen is None else {"policy": chosen}
        return int(history.query(f"SELECT coalesce(max(epoch), -1) AS e FROM kpi {where}", given)["e"][0])  # noqa: S608

    def export_parquet(self, folder: str | Path) -> list[Path]:
        """Write one Parquet file a table of the history into `folder` and return their paths; needs no extra."""
        target = Path(folder)
        with files.writing("Parquet files", target):
            target.mkdir(parents=True, exist_ok=True)
        history = self._open_history()
        return [] if history is None else history.export_parquet(target)

    # -- result ------------------------------------------------------------------------------------------------------

    def summary(self) -> Table:
        """Return one row a policy and KPI of the whole run: policy, kpi, value, unit.

        Of an interrupted run they are computed from the epochs that every policy which began has finished: means, and
        medians, sums and first values where the KPI is defined so; percentiles are then means of percentiles.
        """
        found = self._summary_of_result() if self.result else self._summary_of_epochs()
        rows = [(p, k, float(v), find_kpi(k).unit) for p, values in found.items() for k, v in values.items()]
        columns = list(zip(*rows, strict=True)) or [()] * 4
        return Table(dict(zip(("policy", "kpi", "value", "unit"), map(list, columns), strict=True)))

    def _summary_of_result(self) -> dict[str, dict[str, float]]:
        held = (self.result or {}).get("policies", {})
        return {
            policy: {k: values[k] for k in (*JSON_KPIS, *FAULT_KPIS) if isinstance(values.get(k), int | float)}
            for policy, values in held.items()
        }

    def _summary_of_epochs(self) -> dict[str, dict[str, float]]:
        series: dict[str, dict[str, list[float]]] = {}
        rows = list(self._select("kpi", tier="network"))
        last: dict[str, int] = {}
        for row in rows:
            last[row["policy"]] = max(last.get(row["policy"], -1), row["epoch"])
        common = min(last.values(), default=-1)  # policies came differently far: compare what all of them did
        for row in rows:
            if row["epoch"] > common:
                continue
            series.setdefault(row["policy"], {}).setdefault(row["kpi"], []).append(row["value"])
        return {p: _fold(series[p]) for p in self.policies if p in series}

    # -- parts -------------------------------------------------------------------------------------------------------

    def world(self, part: str) -> list[dict[str, Any]]:
        """Return ``nodes``, ``links`` or ``twins`` of the scenario; empty if it names none. Tiers are names."""
        held: list[dict[str, Any]] = self.scenario.get("world", {}).get(part, [])
        if part == "twins":
            return [twin | {"tier": _tier_name(twin["tier"])} for twin in held]
        return held

    def close(self) -> None:
        """Close the history; may be called twice."""
        if self._history is not None:
            self._history.close()
            self._history = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"StoredRun({str(self.folder)!r}, {self.scenario.get('name', '?')}, seed {self.seed}, {self.status})"

    def _policy(self, policy: str | None) -> str | None:
        if policy is not None and policy not in self.policies:
            raise UnknownNameError(
                f"unknown policy {policy!r} in this run{suggest(policy, self.policies)}", str(self.folder)
            )
        return policy

    def _select(self, table: str, policy: str | None = None, **equal: Any) -> Table:
        chosen = self._policy(policy)
        history = self._open_history(table)
        if history is None:
            from tiertwin.store.history import empty  # noqa: PLC0415

            return empty(table)
        given = {name: value for name, value in {"policy": chosen, **equal}.items() if value is not None}
        where = " AND ".join(f"{name} = ${name}" for name in given)
        return history.query(f"SELECT * FROM {table} {f'WHERE {where}' if where else ''} ORDER BY rowid", given)  # noqa: S608

    def _open_history(self, table: str = "") -> HistoryReader | None:
        """The reader, or None where the run holds no history (or not this table): a warning says so."""
        path = self.folder / files.HISTORY
        if self._history is None and not self._history_tried:
            if path.exists():
                from tiertwin.store.history import HistoryReader  # noqa: PLC0415  imports duckdb

                self._history = HistoryReader(path, busy=self.status == "running")
                if self._history.missing:
                    self._warn(f"{files.HISTORY} lacks {', '.join(self._history.missing)}")
            else:
                self._warn(f"{files.HISTORY} is missing: no KPIs by epoch, beliefs, decisions or links")
            self._history_tried = True
        if self._history is None or table in self._history.missing:
            return None
        return self._history

    def _warn(self, text: str) -> None:
        self.warnings.append(text)

    def _required(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        if not self.folder.is_dir():
            raise InputError("expected the folder of a run, found no folder there", str(self.folder))
        if not path.exists():
            raise InputError(f"expected the folder of a run, but it has no {name}", str(self.folder))
        return _read_object(path)

    def _optional(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        try:
            return _read_object(path)
        except InputError as error:
            self._warn(str(error))
            return None


def _tier_name(tier: int | str) -> str:
    return Tier(tier).label if isinstance(tier, int) else tier


def _read_object(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"expected a JSON object, got: {error}", str(path)) from None
    if not isinstance(held, dict):
        raise InputError(f"expected a JSON object, got {type(held).__name__}", str(path))
    return held


def _fold(series: dict[str, list[float]]) -> dict[str, float]:
    from statistics import fmean, median  # noqa: PLC0415

    ways: dict[str, Callable[[list[float]], float]] = {
        "mean": fmean,
        "median": median,
        "sum": sum,
        "first": lambda values: values[0],
        "rest": lambda values: median(values[1:] or values),
    }
    folded = {}
    for name in JSON_KPIS:
        source, way = _FROM_EPOCHS.get(name, (name, "mean"))
        values = [value for value in series.get(source, ()) if value == value]
        if values:
            folded[name] = float(ways[way](values))
    return folded
