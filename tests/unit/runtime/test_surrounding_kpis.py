"""KPIs of failures, weather, base stations and radio access: there where the scenario has them, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from tiertwin.model.kpis import kpi
from tiertwin.plant import PlantKpis, SimulatedPlant
from tiertwin.runtime.measure import surroundings
from tiertwin.world import load, resolve
from tiertwin.world.mixedscenario import mixed_scenario

SECOND = 1_000_000_000
LAW = {"degradation": {"drift_per_s": 1.0, "activation_ev": 0.0}, "repair": {"mean_s": 1e6}}


def books(**sections: Any) -> PlantKpis:
    plant = SimulatedPlant(resolve(load("metro", **sections)), 1)
    plant.advance(3 * SECOND, 0)
    return plant.kpis()


def test_nothing_asked_nothing_told() -> None:
    assert surroundings(books()) == {}


def test_failures_and_downtime_count_a_link_once() -> None:
    """Drift alone: both fail after 1 s and stay down for the two seconds left."""
    own = [{"link": ["Centre", "Station"], "law": LAW}, {"site": "Harbour", "law": LAW}]
    found = surroundings(books(failures={"own": own}))
    assert found["failures"] == 2.0
    assert found["downtime_s"] == pytest.approx(4.0)
    assert set(found) == {"failures", "downtime_s"}


def test_energy_of_base_stations_lies_between_sleep_and_full_load() -> None:
    kpis = books(base_stations={"urban": "macro", "rural": "macro"})
    cells = resolve(load("metro")).site_cells.sum()
    joule = surroundings(kpis)["base_station_energy_j"]
    assert 3 * 780.0 * cells <= joule <= 3 * 1344.0 * cells


def test_radio_access_counts_what_its_books_hold() -> None:
    plant = SimulatedPlant(resolve(load(mixed_scenario(1_000, 100))), 1)
    plant.advance(10 * SECOND, 0)
    kpis = plant.kpis()
    found = surroundings(kpis)
    assert kpis.radio is not None
    assert found["handovers"] == kpis.radio.handovers > 0
    assert 0.0 <= found["ping_pong_ratio"] <= 1.0
    assert found["down_delay_ms"] > 0.5  # half of the first slot at least
    assert 0.0 <= found["down_loss_ratio"] < 1.0
    assert found["base_station_energy_j"] > 0.0
    for name in set(found) - {"downtime_s"}:
        assert kpi(name).per == "epoch", name


@pytest.mark.parametrize("name", ["failures", "downtime_s", "base_station_energy_j"])
def test_they_are_in_the_table(name: str) -> None:
    assert kpi(name).per == "epoch"
    assert kpi(name).better == "lower"
