"""The closed loop's study: what a fault cost, by hand; and differences beside the claims."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from support.healing import cause_of, world_of
from tiertwin.errors import InputError
from tiertwin.study.healing import CLAIMS, FOR_S, REST_S, Fault, _difference, _row, healing_study, judged, restored
from tiertwin.study.healingruns import _by_alarms
from tiertwin.world import World, load

FAULT_LINK = cause_of("metro", "link 3 centre–harbour")
FAULT = Fault(cause_of("metro", "server edge centre"), 10)


def run(back_after: int | None, audits: list[list[object]] | None = None, named: int = 13) -> dict[str, object]:
    """Two sites of 100 tasks an epoch each; the first serves 40 from the fault until so many epochs later."""
    served = np.full((FAULT.end_s + REST_S, 2), 100.0)
    if back_after is not None:
        served[FAULT.start_s : FAULT.start_s + back_after, 0] = 40.0
    return {
        "served": served.tolist(),
        "offered": np.full_like(served, 100.0).tolist(),
        "utility": np.zeros(len(served)).tolist(),
        "alarms": [[5, "x", "late", True], [11, "x", "down", True]],
        "named": [[named, FAULT.cause.name]],
        "audits": audits or [],
    }


def test_a_fault_by_hand() -> None:
    runs = {
        "clean": run(None),
        "none": run(FOR_S),
        "twin": run(6, [[14.02, "applied", "", "", 0.1]]),
        "told": run(0, [[11.02, "applied", "", "", 0.1]]),
    }
    nothing, twin, told = (judged(FAULT, runs, arm) for arm in ("none", "twin", "told"))  # type: ignore[arg-type]
    assert nothing["restoration_s"] == FOR_S
    assert nothing["outage_s"] == FOR_S
    assert nothing["lost_percent"] == pytest.approx(100 * 60 * FOR_S / (200 * (FOR_S + REST_S)))
    assert nothing["availability_percent"] == pytest.approx(70.0)
    assert np.isnan(nothing["decide_s"])
    assert twin["restoration_s"] == 6.0
    assert (twin["detect_s"], twin["localise_s"]) == (2.0, 2.0)
    assert twin["decide_s"] == pytest.approx(0.02)
    assert twin["apply_s"] == pytest.approx(1.98)
    assert told["restoration_s"] == 0.0
    assert told["decide_s"] == pytest.approx(0.02)
    seeds = [{arm: [judged(FAULT, runs, arm)] for arm in ("none", "twin", "told")}] * 2  # type: ignore[arg-type]
    row = _row("twin", seeds)
    assert row["restoration_s"] == 6.0
    found = _difference("twin", "none", seeds)
    assert found["restoration_s_percent"] == pytest.approx(-80.0)
    assert found["restoration_s_claimed"] == CLAIMS["restoration_s"] == -25.0


def test_restoration_has_to_stay_and_harmless_faults_have_none() -> None:
    offered, deep = np.full(10, 100.0), np.full(10, 50.0)
    assert np.isnan(restored(np.full(10, 0.3), np.full(10, 0.3), offered))
    assert restored(deep, deep, offered) == 10.0
    flapping = np.array([50, 50, 0, 50, 0, 0, 0, 0, 0, 0.0])
    assert restored(flapping, deep, offered) == 4.0
    assert restored(np.zeros(10), deep, offered) == 0.0


def test_what_makes_no_study_is_told() -> None:
    for seeds, faults, loss in ((range(1, 2), 1, 0.1), (range(1, 3), 0, 0.1), (range(1, 3), 1, 1.0)):
        with pytest.raises(InputError, match="expected two seeds"):
            healing_study(load("metro"), seeds, faults, loss)


def test_without_a_twin_all_routes_go_around_links_in_alarm_and_back() -> None:
    metro = world_of("metro")
    worlds: list[World] = []
    plant = SimpleNamespace(reroute=worlds.append)
    run, down = SimpleNamespace(plant=plant), set[str]()

    def told(*lines: tuple[str, str, bool]) -> None:
        rows = [{"object": name, "observation": what, "raised": raised} for name, what, raised in lines]
        _by_alarms(run, metro, rows, down)  # type: ignore[arg-type]

    name = FAULT_LINK.name
    told(("site centre", "late", True), (name, "errors", True))
    assert not worlds
    told((name, "down", True))
    assert not any((route // 2 == 3).any() for route in worlds[0].route_site_links)
    told((name, "down", True))
    assert len(worlds) == 1
    told((name, "down", False))
    for old, new in zip(metro.route_site_links, worlds[1].route_site_links, strict=True):
        np.testing.assert_array_equal(old, new)
