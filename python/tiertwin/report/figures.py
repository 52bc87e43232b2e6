"""What a page draws, taken out of a run once: series by epoch, loads of links and sites, as plain lists.

Everything is optional: an interrupted run, or one without history, gives less, and ``missing`` says what. Long runs are
thinned to at most :data:`POINTS` epochs, so that a page stays under its size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tiertwin.report.tables import REFERENCES, values_of
from tiertwin.store import StoredRun

POINTS = 240  # epochs drawn at most
_NUMBERS = 250_000  # loads embedded for the map's slider at most: about 0.8 MB
_DRAWN_LINKS = 3_000

Series = dict[str, list[float | None]]  # policy → one value an epoch drawn


@dataclass(slots=True)
class Frames:
    """Percentages by policy, drawn epoch and thing: ``values[policy][epoch][thing]``, 0 to 100 and more."""

    values: dict[str, list[list[int]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values)


class Figures:
    """The figures of one run.

    Parameters
    ----------
    run
        An opened run; it must stay open while figures are taken.
    """

    def __init__(self, run: StoredRun) -> None:
        self.run = run
        self.values = values_of(run)
        self.missing: list[str] = []
        kpis = run.kpis()
        self._network = kpis.take([i for i, tier in enumerate(kpis["tier"]) if tier == "network"])
        self._tiered = kpis.take([i for i, tier in enumerate(kpis["tier"]) if tier in {"device", "edge", "fog"}])
        held = set(self._network["policy"]) | set(self.values)
        known = [*run.policies, *(policy for policy in self.values if policy not in run.policies)]
        self.policies = [policy for policy in known if policy in held]
        epochs = sorted({int(epoch) for epoch in self._network["epoch"]})
        self.epoch_count = len(epochs)
        step = -(-len(epochs) // POINTS) or 1
        self.epochs = epochs[::step]
        self.thinned = step if step > 1 else 0

    @property
    def first(self) -> str:
        """The policy of interest: the first of the run."""
        return self.policies[0] if self.policies else self.run.policies[0]

    @property
    def wanted(self) -> int | None:
        """How many epochs the run was to have, where it says so."""
        epochs = self.run.settings.get("epochs")
        return epochs if isinstance(epochs, int) else None

    @cached_property
    def finished(self) -> dict[str, int]:
        """Epochs finished by each policy of the run that acts, in its order."""
        ended = {(row["policy"], row["epoch"]) for row in self._network}
        wanted = [p for p in dict.fromkeys([*self.run.policies, *self.policies]) if p not in REFERENCES]
        return {policy: sum(held == policy for held, _ in ended) for policy in wanted}

    @cached_property
    def _series(self) -> dict[str, Series]:
        place = {epoch: index for index, epoch in enumerate(self.epochs)}
        found: dict[str, Series] = {}
        for row in self._network:
            index = place.get(row["epoch"])
            value = row["value"]
            if index is None or value != value:
                continue
            series = found.setdefault(row["kpi"], {})
            series.setdefault(row["policy"], [None] * len(self.epochs))[index] = value
        return found

    def series(self, kpi: str) -> Series:
        """Return a KPI of the whole network by policy, one value (or None) an epoch drawn; empty if absent."""
        held = self._series.get(kpi, {})
        return {policy: held[policy] for policy in self.policies if policy in held}

    @cached_property
    def busiest(self) -> int:
        """Position in ``epochs`` of the epoch with the highest offered load, else of the last one."""
        load = next(iter(self.series("offered_tasks_per_s").values()), [])
        held = [(value, -index) for index, value in enumerate(load) if value is not None]
        return -max(held)[1] if held else max(len(self.epochs) - 1, 0)

    @cached_property
    def link_frames(self) -> Frames:
        """Utilisation of each link in its busier direction, percent."""
        count = len(self.run.world("links"))
        sql = (
            "SELECT policy, epoch, link, max(utilisation) AS used FROM link GROUP BY policy, epoch, link "
            "ORDER BY policy, epoch, link"
        )
        return self._frames(sql, "link", count, "the loads of links")

    @cached_property
    def site_frames(self) -> Frames:
        """Offered load of each node's site, in percent of the highest of the run."""
        names = {f"edge-{slug}": index for index, slug in enumerate(self.slugs)}
        sql = (
            "SELECT policy, epoch, twin, value AS used FROM kpi WHERE tier = 'edge' AND kpi = 'offered_tasks_per_s' "
            "ORDER BY policy, epoch, twin"
        )
        return self._frames(sql, "twin", len(names), "the load of sites", names)

    @cached_property
    def slugs(self) -> list[str]:
        """Name of each node as twins carry it, taken from the twins where they are listed in the order of nodes."""
        nodes = self.run.world("nodes")
        sites = [twin["name"].removeprefix("edge-") for twin in self.run.world("twins") if twin["tier"] == "edge"]
        return sites if len(sites) == len(nodes) else [node["name"].lower().replace(" ", "-") for node in nodes]

    @cached_property
    def drawn_links(self) -> list[int]:
        """Links a map draws: all, or the fullest ones of a very large network."""
        count = len(self.run.world("links"))
        if count <= _DRAWN_LINKS:
            return list(range(count))
        frames = self.link_frames.values.get(self.first)
        peak = np.max(np.asarray(frames), axis=0) if frames else np.zeros(count)
        return sorted(np.argsort(-peak, kind="stable")[:_DRAWN_LINKS].tolist())

    def twin_utilisation(self) -> dict[str, float]:
        """Return twin → utilisation in the busiest epoch drawn, under the policy of interest."""
        if not self.epochs:
            return {}
        held = self._query(
            "SELECT twin, value FROM kpi WHERE kpi = 'utilisation' AND twin <> '' AND policy = $p AND epoch = $e",
            {"p": self.first, "e": self.epochs[self.busiest]},
        )
        return {row["twin"]: row["value"] for row in held}

    def bytes_by_pair(self) -> dict[str, dict[str, float]]:
        """Return tier pair → up and down, bytes of the whole run under the policy of interest."""
        held = self.values.get(self.first, {}).get("bytes")
        if isinstance(held, dict):
            return {pair: {way: float(count) for way, count in ways.items()} for pair, ways in held.items()}
        above = {"device": "edge", "edge": "fog", "fog": "cloud"}
        found: dict[str, dict[str, float]] = {}
        for row in self._tiered.where(policy=self.first, twin=""):
            if row["kpi"] in {"bytes_up", "bytes_down"}:
                pair = found.setdefault(f"{row['tier']}-{above[row['tier']]}", {"up": 0.0, "down": 0.0})
                pair[row["kpi"].removeprefix("bytes_")] += row["value"]
        return found

    def _query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any:
        return self.run.query(sql, parameters) if self.run.holds("kpi") and self.run.holds("link") else []

    def _frames(self, sql: str, key: str, count: int, what: str, places: dict[str, int] | None = None) -> Frames:
        frames = Frames()
        rows = self._query(sql)
        if not len(rows) or not count or not self.epochs:
            self.missing.append(what)
            return frames
        place = {epoch: index for index, epoch in enumerate(self.epochs)}
        epoch = np.array([place.get(int(e), -1) for e in rows["epoch"]])
        thing = np.array([places.get(t, -1) for t in rows[key]]) if places else np.asarray(rows[key], dtype=int)
        used = np.nan_to_num(np.asarray(rows["used"], dtype=float))
        percent = np.rint(100.0 * used / (used.max() or 1.0) if places else 100.0 * used).astype(int)
        policies = np.asarray(rows["policy"])
        chosen = self.policies if count * len(self.epochs) * len(self.policies) <= _NUMBERS else [self.first]
        for policy in chosen:
            mine = (policies == policy) & (epoch >= 0) & (thing >= 0) & (thing < count)
            if mine.any():
                table = np.zeros((len(self.epochs), count), dtype=int)
                table[epoch[mine], thing[mine]] = percent[mine]
                frames.values[policy] = table.tolist()
        return frames
