"""Users whom a trace of positions leads over the map of a scenario."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import tiertwin as tt
from tiertwin.errors import InputError
from tiertwin.plant import SimulatedPlant
from tiertwin.runtime.api import replay
from tiertwin.world import load, resolve
from tiertwin.world.world import World

SECOND = 1_000_000_000
WEST, SOUTH, EAST, NORTH = 9.998, 49.999, 10.006, 50.002
LENGTH_M = 572.0  # of the map, a little less


def scenario(trace: dict[str, Any], count: int = 2) -> dict[str, Any]:
    return {
        "name": "one-street",
        "topology": {
            "nodes": [{"name": "Mast", "lon": 10.0, "lat": 50.0}, {"name": "Hub", "lon": 10.004, "lat": 50.001}],
            "links": [{"a": "Mast", "b": "Hub"}],
        },
        "telemetry": {"delay_ms": [20.0, 80.0]},
        "access": {
            "kinds": [{"name": "macro"}],
            "masts": [{"at": "Mast", "kind": "macro"}, {"at": "Hub", "kind": "macro"}],
            "areas": [{"name": "town", "west": WEST, "south": SOUTH, "east": EAST, "north": NORTH}],
            "crowds": [
                {"service": "metering", "count": 20, "area": "town"},
                {"service": "vehicle", "count": count, "area": "town", "moves": "trace", "trace": trace},
            ],
        },
    }


def sumo(rows: list[tuple[float, str, float, float]]) -> str:
    times = sorted({row[0] for row in rows})
    steps = [
        f'<timestep time="{t}">'
        + "".join(f'<vehicle id="{u}" x="{x}" y="{y}" speed="1"/>' for at, u, x, y in rows if at == t)
        + "</timestep>"
        for t in times
    ]
    return f"<fcd-export>{''.join(steps)}</fcd-export>"


DRIVE = [
    (float(t), who, x, y)
    for t in range(21)
    for who, x, y in (("car-0", 20.0 + 26.0 * t, 120.0), ("car-1", 540.0 - 26.0 * t, 200.0))
]


def world_of(folder: Path, text: str, count: int = 2, **changes: Any) -> World:
    (folder / "fcd.xml").write_text(text)
    trace = {"file": str(folder / "fcd.xml"), "lon": WEST, "lat": SOUTH, **changes}
    return resolve(load(scenario(trace, count)))


def test_users_are_where_their_trace_has_them(tmp_path: Path) -> None:
    plant = SimulatedPlant(world_of(tmp_path, sumo(DRIVE)), 1)
    homes = []
    for second in np.arange(0.5, 20.0, 0.7):  # between steps, and not where they begin
        plant.advance(round(float(second) * SECOND), 0)
        step = np.floor(second * 10 + 1e-9) / 10
        x, y, _ = plant.truth_users()["places"][20:].T
        assert x == pytest.approx([20.0 + 26.0 * step, 540.0 - 26.0 * step], abs=1e-6)
        assert y == pytest.approx([120.0, 200.0], abs=1e-6)
        homes.append(plant.truth_device_sites()[20:].tolist())
    assert len({tuple(home) for home in homes}) > 1  # they passed both masts
    assert plant.kpis().radio.handovers > 0  # type: ignore[union-attr]


def test_cuts_of_time_change_nothing(tmp_path: Path) -> None:
    world = world_of(tmp_path, sumo(DRIVE))
    whole, cut = SimulatedPlant(world, 1), SimulatedPlant(world, 1)
    whole.advance(10 * SECOND, 0)
    for time in range(0, 10 * SECOND + 1, 37_000_000):
        cut.advance(time, 0)
    cut.advance(10 * SECOND, 0)
    assert np.array_equal(whole.truth_users()["places"], cut.truth_users()["places"])
    assert np.array_equal(whole.kpis().generated, cut.kpis().generated)
    assert np.array_equal(whole.truth_device_groups(), cut.truth_device_groups())


def test_a_table_in_degrees_leads_like_metres(tmp_path: Path) -> None:
    metre_a_degree = 6_371_000.0 * np.pi / 180
    shrink = np.cos(np.radians((SOUTH + NORTH) / 2))
    lines = ["when,who,east,north"]
    lines += [
        f"{t + 100.0},{who},{WEST + x / (metre_a_degree * shrink):.9f},{SOUTH + y / metre_a_degree:.9f}"
        for t, who, x, y in DRIVE
    ]
    with gzip.open(tmp_path / "drive.csv.gz", "wt") as file:
        file.write("\n".join(lines))
    trace = {
        "file": str(tmp_path / "drive.csv.gz"), "format": "csv", "degrees": True, "starts_at_s": 100.0,
        "time": "when", "user": "who", "x": "east", "y": "north",
    }  # fmt: skip
    table = SimulatedPlant(resolve(load(scenario(trace))), 1)
    metres = SimulatedPlant(world_of(tmp_path, sumo(DRIVE)), 1)
    for plant in (table, metres):
        plant.advance(12 * SECOND, 0)
    there, here = (plant.truth_users()["places"][20:] for plant in (table, metres))
    assert np.abs(there - here).max() < 0.05


def test_who_is_not_known_stands_still(tmp_path: Path) -> None:
    late = [(t, who, x, y) for t, who, x, y in DRIVE if who == "car-0" or t >= 10]
    plant = SimulatedPlant(world_of(tmp_path, sumo(late)), 1)
    plant.advance(0, 0)
    begun = plant.truth_users()["places"][21].copy()
    plant.advance(9 * SECOND, 0)
    assert np.array_equal(plant.truth_users()["places"][21], begun)
    plant.advance(11 * SECOND, 0)
    assert not np.array_equal(plant.truth_users()["places"][21], begun)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(0.0, "a", 10.0, 10.0), (1.0, "a", 9_999.0, 10.0)], "expected places in the map"),
        ([(0.0, who, 10.0, 10.0) for who in "abc"], "expected at most 2 users"),
    ],
)
def test_what_cannot_be_is_refused_or_counted(tmp_path: Path, rows: list[Any], told: str) -> None:
    strict = SimulatedPlant(world_of(tmp_path, sumo(rows)), 1)
    with pytest.raises(InputError, match=told) as caught:
        strict.advance(3 * SECOND, 0)
    assert "fcd.xml" in str(caught.value)
    lenient = SimulatedPlant(world_of(tmp_path, sumo(rows), skip=True), 1)
    lenient.advance(3 * SECOND, 0)
    assert (lenient.truth_users()["places"][:, 0] < LENGTH_M + 2).all()
    said = lenient.traces_told()
    assert "fcd.xml" in said[0]
    assert len(rows) == 3 or said[1] == "10 places outside the map"  # at 0.1 … 1.0 s


def test_rows_that_go_back_in_time_are_refused(tmp_path: Path) -> None:
    back = '<fcd-export><timestep time="5"><vehicle id="a" x="1" y="1"/></timestep>'
    back += '<timestep time="4"><vehicle id="a" x="2" y="1"/></timestep></fcd-export>'
    plant = SimulatedPlant(world_of(tmp_path, back), 1)
    with pytest.raises(InputError, match="time"):
        plant.advance(6 * SECOND, 0)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    plant = SimulatedPlant(world_of(tmp_path, sumo(DRIVE)[:900]), 1)
    with pytest.raises(InputError):
        plant.advance(20 * SECOND, 0)


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        ({"file": "nowhere.xml", "lon": WEST, "lat": SOUTH}, "expected a file, got"),
        ({"file": "fcd.xml"}, "expected lon and lat of its (0, 0)"),
        ({"file": "fcd.xml", "degrees": True, "lon": WEST, "lat": SOUTH}, "expected no lon and lat"),
        ({"file": "fcd.xml", "lon": WEST, "lat": SOUTH, "max_gap_s": -1.0}, "expected a number > 0"),
    ],
)
def test_a_scenario_says_what_is_wrong_with_its_trace(tmp_path: Path, trace: dict[str, Any], told: str) -> None:
    (tmp_path / "fcd.xml").write_text(sumo(DRIVE))
    path = tmp_path / "street.yaml"
    path.write_text(yaml.safe_dump(scenario(trace)))
    with pytest.raises(InputError) as caught:
        load(path)
    assert told in str(caught.value)
    assert "access.crowds[1].trace" in str(caught.value)


def test_a_file_beside_its_scenario_runs_and_replays(tmp_path: Path) -> None:
    (tmp_path / "fcd.xml").write_text(sumo(DRIVE))
    path = tmp_path / "street.yaml"
    path.write_text(yaml.safe_dump(scenario({"file": "fcd.xml", "lon": WEST, "lat": SOUTH})))
    result = tt.run(path, epochs=3, out=tmp_path / "run")
    assert result.to_json()["policies"]["hierarchical"]["utility_mean"] < 0
    assert replay(tmp_path / "run").identical
