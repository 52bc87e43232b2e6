"""A run directory with made-up but plausible figures, to test what reads runs without running anything.

The network is real (SNDlib's germany50, from topohub); loads follow a day with two peaks; policies differ as one would
expect them to. Nothing here is a measurement, and the scenario's name says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from tiertwin.model.kpis import JSON_KPIS
from tiertwin.store import RunWriter

POLICIES = ("hierarchical", "edge-only", "cloud-only", "nearest", "static", "monolithic")
# how each policy shifts the figures: objective share, latency factor, miss factor, energy factor
_CHARACTER = {
    "hierarchical": (1.0, 1.0, 1.0, 1.0),
    "edge-only": (0.87, 1.25, 2.6, 0.93),
    "cloud-only": (0.71, 1.9, 6.2, 1.21),
    "nearest": (0.83, 1.42, 3.4, 1.02),
    "static": (0.78, 1.55, 4.1, 1.08),
    "monolithic": (1.001, 0.998, 0.98, 1.0),
}


def world(fogs: int = 5) -> dict[str, Any]:
    """Return nodes, links and twins of germany50, with fog domains by distance."""
    # read here because topohub.get leaves its file open, which the tests' warning filter refuses
    topology = json.loads(files("topohub").joinpath("data/sndlib/germany50.json").read_text())
    names = [node["name"] for node in topology["nodes"]]
    positions = np.array([node["pos"] for node in topology["nodes"]])
    seats = [names.index(city) for city in ("Frankfurt", "Muenchen", "Berlin", "Hamburg", "Koeln")[:fogs]]
    stretch = np.array([math.cos(math.radians(51)), 1.0])
    distance = np.linalg.norm((positions[:, None, :] - positions[None, seats, :]) * stretch, axis=2)
    fog_of = distance.argmin(axis=1)
    demand = np.zeros(len(names))
    for source, targets in _demands(topology):
        demand[source] += targets
    urban = demand > np.median(demand)
    nodes = [
        {
            "name": name,
            "lon": float(lon),
            "lat": float(lat),
            "urban": bool(urban[index]),
            "fog": int(fog_of[index]) + 1,
            "role": "cloud" if index == seats[0] else "fog" if index in seats else "edge",
        }
        for index, (name, (lon, lat)) in enumerate(zip(names, positions, strict=True))
    ]
    links = [
        {
            "a": names[edge["source"]],
            "b": names[edge["target"]],
            "km": edge["dist"],
            "capacity_mbps": float(2000 * (1 + index % 5)),
            "owner": f"fog-{fog_of[edge['source']] + 1}",
        }
        for index, edge in enumerate(topology["edges"])
    ]
    twins = [{"name": "cloud-1", "tier": "cloud", "parent": None}]
    twins += [{"name": f"fog-{n + 1}", "tier": "fog", "parent": "cloud-1"} for n in range(fogs)]
    slugs = [name.lower() for name in names]
    twins += [
        {"name": f"edge-{slug}", "tier": "edge", "parent": f"fog-{fog + 1}"}
        for slug, fog in zip(slugs, fog_of, strict=True)
    ]
    twins += [{"name": f"device-{slug}", "tier": "device", "parent": f"edge-{slug}"} for slug in slugs]
    return {"nodes": nodes, "links": links, "twins": twins}


def _demands(topology: Any) -> list[tuple[int, float]]:
    held = topology["graph"]["demands"]
    rows = held.items() if isinstance(held, dict) else enumerate(held)
    return [(int(source), float(sum(targets.values()))) for source, targets in rows]


def scenario(name: str = "germany50 (made-up figures)", fogs: int = 5) -> dict[str, Any]:
    """Return a scenario as `scenario.json` holds it."""
    return {"name": name, "devices": 20_000, "classes": ["video", "control", "ar", "sensing"], "world": world(fogs)}


def write_run(
    folder: Path,
    *,
    epochs: int = 60,
    seed: int = 7,
    policies: Sequence[str] = POLICIES,
    finish: bool = True,
    wanted: int | None = None,
    stop: type[BaseException] | None = None,
) -> RunWriter:
    """Write a made-up run and return its (closed) writer; `finish=False` leaves it interrupted (of `wanted`)."""
    made = scenario()
    writer = RunWriter(folder, made, seed, policies, settings={"epochs": epochs if wanted is None else wanted})
    with writer:
        loads = {}
        for policy in policies:
            for epoch in range(epochs):
                loads[policy] = _epoch(writer, made, policy, epoch, seed)
                writer.commit()
        if stop is not None:
            raise stop
        if finish:
            writer.finish(result(writer.log_hash, policies, epochs, seed))
    return writer


def offered(epoch: int) -> float:
    """Return the day's load of one epoch, 0.35 to 1, with a peak in the morning and one in the evening."""
    hour = 24.0 * (epoch % 60) / 60.0
    peaks = math.exp(-(((hour - 10.5) / 3.2) ** 2)) + 1.15 * math.exp(-(((hour - 19.5) / 2.6) ** 2))
    return 0.35 + 0.55 * peaks


def _epoch(writer: RunWriter, made: dict[str, Any], policy: str, epoch: int, seed: int) -> float:
    draw = np.random.default_rng([seed, epoch])  # one world for all policies
    own = np.random.default_rng([seed, epoch, len(policy)])
    load = offered(epoch) * (1.0 + 0.03 * draw.standard_normal())
    worth, late, miss, energy = _CHARACTER[policy]
    network = _network(policy, epoch, load, own, (worth, late, miss, energy))
    writer.kpis(policy, epoch, network)
    _tiers(writer, made, policy, epoch, load=load, draw=draw)
    links = len(made["world"]["links"])
    capacity = np.repeat([link["capacity_mbps"] for link in made["world"]["links"]], 2).astype(float)
    heavy = np.random.default_rng(seed).beta(2.0, 3.2, 2 * links)
    writer.links(
        policy, epoch, capacity * np.clip(heavy * load * (1.3 if policy == "cloud-only" else 1.0), 0, 0.99), capacity
    )
    writer.event(
        {"epoch": epoch, "kind": "decided", "policy": policy, "twin": "cloud-1", "value": network["objective"]}
    )
    return load


def _network(
    policy: str, epoch: int, load: float, own: np.random.Generator, character: tuple[float, float, float, float]
) -> dict[str, float]:
    worth, late, miss, energy = character
    wobble = 1.0 + 0.02 * own.standard_normal()
    objective = 5200.0 * load * worth
    network = {
        "offered_tasks_per_s": 41_000.0 * load,
        "objective": objective,
        "utility_mean": 0.24 * worth * wobble * (1.15 - 0.3 * load),
        "utilisation": min(0.96, 0.62 * load * wobble + 0.08),
        "latency_mean_ms": 19.0 * late * wobble * (1 + 0.9 * load**3),
        "latency_p50_ms": 13.0 * late * wobble * (1 + 0.5 * load**3),
        "latency_p95_ms": 48.0 * late * wobble * (1 + 1.3 * load**3),
        "latency_p99_ms": 92.0 * late * wobble * (1 + 1.7 * load**3),
        "deadline_miss_ratio": min(1.0, 0.004 * miss * wobble * (1 + 5.0 * load**4)),
        "goodput_mbps": 36_500.0 * load * (1 - 0.004 * miss * (1 + 5.0 * load**4)),
        "energy_per_task_j": 1.32 * energy * wobble,
        "jain": min(0.999, 0.985 * worth**0.2),
        "aoi_p99_ms": 1180.0 * wobble,
        "state_error": 0.021 * wobble,
        "solver_steps": 0.0,
        "local_policy_epochs": 0.0,
        "wall_s": 0.21 * wobble,
    }
    if policy == "hierarchical":
        scale = 6100.0 * load
        gap = (2.1e-4 if epoch else 7e-4) * (1 + 0.6 * abs(own.standard_normal()))
        network |= {
            "lower_bound": objective,
            "upper_bound": objective + gap * scale,
            "scale": scale,
            "certified_gap": gap,
            "gap_of_improvement": 3.4 * gap,
            "rounds": 5.0 if epoch == 0 else float(own.integers(1, 4)),
        }
        if epoch % 10 == 0:
            network["reference"] = objective + 0.4 * gap * scale
    return network


def _tiers(writer: RunWriter, made: dict[str, Any], policy: str, epoch: int, *, load: float, draw: Any) -> None:
    nodes = made["world"]["nodes"]
    share = np.array([1.8 if node["urban"] else 0.7 for node in nodes]) * (0.6 + 0.8 * draw.random(len(nodes)))
    share /= share.sum()
    sites = [f"edge-{node['name'].lower()}" for node in nodes]
    writer.twin_kpis(policy, epoch, "offered_tasks_per_s", "edge", sites, 41_000.0 * load * share)
    writer.twin_kpis(policy, epoch, "utilisation", "edge", sites, np.clip(load * share * len(nodes) * 0.6, 0, 0.98))
    fogs = [twin["name"] for twin in made["world"]["twins"] if twin["tier"] == "fog"]
    writer.twin_kpis(
        policy, epoch, "utilisation", "fog", fogs, np.clip(load * (0.5 + 0.3 * draw.random(len(fogs))), 0, 0.98)
    )
    writer.twin_kpis(policy, epoch, "utilisation", "cloud", ["cloud-1"], [min(0.95, 0.55 * load)])
    for tier, up, down in (("device", 3.1e6, 2.2e5), ("edge", 4.2e5, 9.0e4), ("fog", 6.1e4, 2.1e4)):
        writer.kpis(policy, epoch, {"bytes_up": up * load, "bytes_down": down}, tier=tier)
    known = int((epoch + 1) * 1e9)
    values = 41_000.0 * load * share * (1 + 0.03 * draw.standard_normal(len(nodes)))
    writer.belief(policy, epoch, "cloud-1", known, sites, "offered_tasks_per_s", values, known - 64_000_000)
    writer.decision(policy, epoch, "cloud-1", fogs, "quota_compute", 120.0 * load * np.ones(len(fogs)), unit="GHz")


def result(log_hash: str, policies: Sequence[str] = POLICIES, epochs: int = 60, seed: int = 7) -> dict[str, Any]:
    """Return a made-up object of ``--json``."""
    found: dict[str, Any] = {}
    for policy in policies:
        series = [
            _network(
                policy,
                epoch,
                offered(epoch),
                np.random.default_rng([seed, epoch, len(policy)]),
                _CHARACTER[policy],
            )
            for epoch in range(epochs)
        ]
        values: dict[str, Any] = dict.fromkeys(JSON_KPIS)
        for name in values:
            rows = [row[name] for row in series if name in row]
            if rows:
                values[name] = float(np.mean(rows))
        values["solver_steps"] = values["local_policy_epochs"] = 0
        values["bytes"] = {
            "device-edge": {"up": 186_000_000, "down": 13_200_000},
            "edge-fog": {"up": 25_200_000, "down": 5_400_000},
            "fog-cloud": {"up": 3_660_000, "down": 1_260_000},
        }
        if policy == "hierarchical":
            values |= {"certified_gap_median": 2.4e-4, "gap_of_improvement_median": 8.2e-4}
            values |= {"rounds_cold": 5, "rounds_warm_median": 2}
        values |= {"twin_cpu_s": 9.4, "twin_peak_rss_mb": 412.0, "twin_energy_j": 94.0, "wall_s_per_epoch": 0.21}
        found[policy] = values
    return {"log_hash": log_hash, "scenario": "germany50", "seed": seed, "epochs": epochs, "policies": found}
