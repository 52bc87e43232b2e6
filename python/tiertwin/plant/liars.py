"""Children that lie: reports of a simulated plant, changed on their way out. The plant goes on as it is.

    bias     what is counted times 1 + strength, whole numbers rounded; shares at most 1
    freeze   the last true report again and again, under new times
    replay   the last `KEPT` true reports in turn, under new times
    random   what is counted drawn evenly from 0 to 1 + strength times the largest that a site's senders told just now

What is *counted* follows the load: tasks, queues, work, energy, Mb/s. A radio's rate, a latency and a state are what
they are under `bias` and `random`: nobody has to lie about them to move a decision. A gateway that lies does so for all
its site tells: devices, servers and links (not what counters and sensors tell besides).

A report that comes out as it went in is no lie (an idle meter times three); `LiarState.false` counts those that differ.
Draws are by (seed, sender, number): the same whatever a policy does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.plant.reports import (
    DEVICE_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    LINK_ATTRIBUTES,
    SERVER_ATTRIBUTES,
    Reports,
    Telemetry,
)

KINDS = ("bias", "replay", "freeze", "random")
KEPT = 12  # reports that a liar plays again
SECOND = 1_000_000_000
NEVER = 2**62
_PURPOSE_WHO, _PURPOSE_WHAT = 0x6C696172, 0x6C696564  # "liar", "lied"
_COUNTED = {"task_rate", "cpu_load", "queue_tasks", "completed", "missed", "energy_j", "users"}
_COUNTED |= {"load_ghz", "load_mbps", "background_mbps"}  # of servers and links
_WHOLE = {"queue_tasks", "completed", "missed", "users"}
_SHARES = {"cpu_load"}

Key = tuple[int, int]  # kind of sender (0 device, 1 server, 2 link), its number


@dataclass(frozen=True, slots=True)
class Lie:
    """Who lies, how and when; `device` is a row of the world, −1 for a site's gateway. `end_ns` `NEVER`: to the end."""

    kind: str
    site: int
    device: int
    start_ns: int
    end_ns: int
    strength: float


@dataclass(slots=True)
class LiarState:
    """What became of a lie: reports that differed from the truth, and when the first did (ns, −1: none)."""

    lie: Lie
    false: int = 0
    first_ns: int = -1
    true: dict[Key, deque[NDArray[np.float64]]] = field(default_factory=dict)
    turn: dict[Key, int] = field(default_factory=dict)


def liars_of(world: Any) -> dict[str, Any]:
    """Return the liars of a world's scenario as plain values, ``liars`` and ``lying``; nothing where there are none.

    Raises
    ------
    InputError
        A node without a site, or a device that a site does not have.
    """
    section = getattr(getattr(world, "scenario", None), "faults", None)
    if section is None or not (section.liars or section.lying):
        return {}
    drawn = None if section.lying is None else section.lying.model_dump(mode="json")
    return {"liars": [_given(world, i, liar) for i, liar in enumerate(section.liars)], "lying": drawn}


def _given(world: Any, place: int, liar: Any) -> dict[str, Any]:
    names = [world.node_names[int(node)] for node in world.site_node]
    path = f"faults.liars[{place}]"
    if liar.node not in names:
        raise InputError(f"{path}.node: expected a node with a site, got {liar.node!r}", str(world.name))
    site = names.index(liar.node)
    first, end = int(world.device_rows[site]), int(world.device_rows[site + 1])
    if liar.device is not None and liar.device >= end - first:
        raise InputError(f"{path}.device: expected 0 … {end - first - 1}, got {liar.device}", str(world.name))
    return {
        "kind": liar.kind,
        "site": site,
        "device": -1 if liar.device is None else first + liar.device,
        "start_s": liar.at_s,
        "end_s": None if liar.for_s is None else liar.at_s + liar.for_s,
        "strength": liar.strength,
    }


class Liars:
    """Changes what liars report.

    Parameters
    ----------
    world
        The network: who is where.
    plain
        As `liars_of` returns them.
    seed
        Of who is drawn, and of random reports.
    """

    def __init__(self, world: Any, plain: Mapping[str, Any], seed: int) -> None:
        self._seed, self._attributes = seed, _columns(getattr(world, "grouped", False))
        lies = [_lie(row) for row in plain["liars"]]
        if plain["lying"] is not None:
            taken = {(lie.site, lie.device) for lie in lies}
            lies += [lie for lie in drawn_lies(world, plain["lying"], seed) if (lie.site, lie.device) not in taken]
        self.states = [LiarState(lie) for lie in lies]
        self._by_device = {s.lie.device: s for s in self.states if s.lie.device >= 0}
        self._by_site = {s.lie.site: s for s in self.states if s.lie.device < 0}

    def tell(self, telemetry: Telemetry) -> Telemetry:
        """Return the reports as they are told; times and who tells are left as they are."""
        parts = (telemetry.devices, telemetry.servers, telemetry.links)
        return Telemetry(*(self._changed(kind, part) for kind, part in enumerate(parts)))

    def _changed(self, kind: int, reports: Reports) -> Reports:
        values: NDArray[np.float64] | None = None
        for site in range(len(reports.site_ptr) - 2):
            rows = reports.rows_of_site(site)
            gateway = self._by_site.get(site)
            if gateway is None and kind > 0:
                continue
            for row in range(rows.start, rows.stop):
                sender = int(reports.id[row])
                state = gateway or self._by_device.get(sender)
                if state is None:
                    continue
                said = self._said(state, (kind, sender), reports, row, rows)
                if said is not None:
                    values = reports.values.copy() if values is None else values
                    values[row] = said
        return reports if values is None else replace(reports, values=values)

    def _said(self, state: LiarState, key: Key, reports: Reports, row: int, rows: slice) -> NDArray[np.float64] | None:
        """What one sender says instead; None: the truth."""
        truth, at = reports.values[row], int(reports.arrival_ns[row])
        if not state.lie.start_ns <= at < state.lie.end_ns:
            state.true.setdefault(key, deque(maxlen=KEPT)).append(truth.copy())
            return None
        said = self._lied(state, key, truth, reports.values[rows])
        same = (said == truth) | (np.isnan(said) & np.isnan(truth))
        if same.all():
            return None
        state.false += 1
        state.first_ns = at if state.first_ns < 0 else state.first_ns
        return said

    def _lied(
        self, state: LiarState, key: Key, truth: NDArray[np.float64], around: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        lie, columns = state.lie, self._attributes[key[0]]
        if lie.kind in ("freeze", "replay"):
            kept = state.true.setdefault(key, deque([truth.copy()]))
            if lie.kind == "freeze":
                return kept[-1].copy()
            turn = state.turn.get(key, 0)
            state.turn[key] = turn + 1
            return kept[turn % len(kept)].copy()
        said: NDArray[np.float64] = truth.copy()
        if lie.kind == "bias":
            said[columns.counted] *= 1.0 + lie.strength
        else:
            most = np.nan_to_num(np.nanmax(around[:, columns.counted], axis=0, initial=0.0)) * (1.0 + lie.strength)
            turn = state.turn.get(key, 0)
            state.turn[key] = turn + 1
            sender = (key[0] << 28) + key[1]
            drawn = _core.philox(self._seed, (sender << 32) + turn, _PURPOSE_WHAT, len(columns.counted))
            said[columns.counted] = np.maximum(most, 1.0) * np.asarray(drawn)
        said[columns.whole] = np.round(said[columns.whole])
        said[columns.shares] = np.minimum(said[columns.shares], 1.0)
        return said


@dataclass(frozen=True, eq=False, slots=True)
class _Columns:
    counted: list[int]
    whole: list[int]
    shares: list[int]


def _columns(grouped: bool) -> list[_Columns]:
    """Return by kind of sender which columns of its reports are counted, whole numbers, and shares."""
    kinds: list[Sequence[str]] = [
        GROUP_ATTRIBUTES if grouped else DEVICE_ATTRIBUTES,
        SERVER_ATTRIBUTES,
        LINK_ATTRIBUTES,
    ]
    return [
        _Columns(*([k for k, name in enumerate(names) if name in some] for some in (_COUNTED, _WHOLE, _SHARES)))
        for names in kinds
    ]


def _lie(row: Mapping[str, Any]) -> Lie:
    start = round(float(row["start_s"]) * SECOND)
    end = NEVER if row["end_s"] is None else round(float(row["end_s"]) * SECOND)
    return Lie(row["kind"], int(row["site"]), int(row["device"]), start, end, float(row["strength"]))


def drawn_lies(world: Any, rule: Mapping[str, Any], seed: int) -> list[Lie]:
    """Draw liars: so many children, without repetition, the kinds dealt in turn, each begins when it will."""
    devices = rule["of"] == "device"
    rows = np.asarray(world.device_site) if devices else np.arange(len(world.site_node))
    count = round(float(rule["share"]) * len(rows))
    order = np.argsort(np.asarray(_core.philox(seed, 0, _PURPOSE_WHO, len(rows))), kind="stable")[:count]
    begins = np.asarray(_core.philox(seed, 1, _PURPOSE_WHO, max(count, 1)))
    low, high = (float(v) for v in rule["at_s"])
    lies = []
    for k, who in enumerate(order.tolist()):
        start = low + (high - low) * float(begins[k])
        row = {
            "kind": rule["kinds"][k % len(rule["kinds"])],
            "site": int(rows[who]),
            "device": who if devices else -1,
            "start_s": start,
            "end_s": None if rule["for_s"] is None else start + float(rule["for_s"]),
            "strength": rule["strength"],
        }
        lies.append(_lie(row))
    return lies
