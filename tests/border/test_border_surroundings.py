"""The border of wear, weather and sleep: exact dtypes, every refusal with what was expected, time forward only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.plant_world import config_of, tiny_world
from support.surroundings import rain, wear
from tiertwin import _core
from tiertwin.plant.surroundings import arrays

SECOND = 1_000_000_000
LAW = {"scale_s": 100.0}


def plant() -> _core.Plant:
    return _core.Plant(1, config_of(tiny_world()))


def weather(**changes: Any) -> dict[str, Any]:
    hop = {
        "period_s": 1.0, "hysteresis_db": 1.0, "link": [0], "top": [12], "x0": [0.0], "y0": [0.0], "x1": [5.0],
        "y1": [0.0], "ghz": [38.0], "tilt": [90.0], "margin_db": [3.0],
    }  # fmt: skip
    return arrays({**rain(), **hop, **changes})


WRONG_LAWS = [
    ({"shape": 0.0, **LAW}, "shape: expected a number above 0"),
    ({"shape": -2.0, **LAW}, "shape: expected a number above 0"),
    ({"shape": float("nan"), **LAW}, "shape: expected"),
    ({"scale_s": float("inf")}, "scale_s: expected"),
    ({}, "expected a Weibull process .* or degradation"),
    ({"sigma": 1.0}, r"drift_per_s \(with sigma\): expected a number above 0"),
    ({"drift_per_s": 1.0, "limit": 0.0}, "limit: expected a number above 0"),
    ({"repair_s": 0.0, **LAW}, "repair_s: expected a number above 0"),
    ({"idle_w": 5.0, "max_w": 4.0, **LAW}, "max_w: expected a number from 5"),
    ({"drift_per_s": 1.0, "limit": 9.0, "errors_per_s": 1.0}, "errors_per_s .* expected a number from 0.* up to 500"),
    ({"hazard_per_k": -1.0, **LAW}, "hazard_per_k: expected a number from 0"),
]


@pytest.mark.parametrize(("law", "match"), WRONG_LAWS)
def test_an_impossible_law_is_refused_by_name(law: dict[str, float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        plant().enable_wear(wear(2, law))


@pytest.mark.parametrize(
    ("field", "value", "error", "match"),
    [
        ("part_key", np.array([1, 0]), ValueError, r"part_key\[1\]: expected keys .* ascending"),
        ("part_key", np.array([0, 3]), ValueError, r"part_key\[1\]: expected an undirected link below 3"),
        ("part_key", np.array([0, (1 << 32) + 4]), ValueError, "or 2.32 . a server below 4, got 4294967300"),
        ("part_law", np.array([0, 1]), ValueError, r"part_law\[1\]: expected a law"),
        ("part_law", np.array([0]), ValueError, "part_law: expected 2 values"),
        ("scale_s", np.array([1.0, 2.0]), ValueError, r"scale_s: expected 1 values \(one per law"),
        ("scale_s", np.array([1.0], dtype=np.float32), TypeError, "scale_s: expected .* float64, got float32"),
        ("part_key", np.array([0.0, 1.0]), TypeError, "part_key: expected .* int64, got float64"),
        ("period_s", 0.0, ValueError, "period_s: expected a number from 0.001"),
        ("ambient_c", "warm", TypeError, "ambient_c: expected a number, got <class 'str'>"),
        ("ambient_c", 200.0, ValueError, "ambient_c: expected"),
    ],
)
def test_a_wrong_configuration_of_wear_is_refused(field: str, value: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        plant().enable_wear({**wear(2, LAW), field: value})


@pytest.mark.parametrize(
    ("field", "value", "match"),
    [
        ("link", [3], r"link\[0\]: expected an undirected link from 0 to 2, got 3"),
        ("link", [-1], r"link\[0\]: expected an undirected link"),
        ("top", [1], "expected 2 to 12 bits a symbol, got 1"),
        ("top", [2**40], "expected 2 to 12 bits"),
        ("ghz", [0.5], r"ghz\[0\]: expected a number from 1"),
        ("tilt", [-1.0], r"tilt\[0\]: expected"),
        ("margin_db", [0.5], r"margin_db\[0\] .*hysteresis"),
        ("x0", [float("nan")], r"x0\[0\]: expected"),
        ("x1", [1.0, 2.0], "x1: expected 1 values"),
        ("per_hour", -1.0, "per_hour: expected a number from 0"),
        ("peak_mm_h", -5.0, "peak_mm_h: expected a number from 0"),
        ("radius_km", 0.0, "radius_km: expected"),
        ("east", -21.0, r"east \(of west\): expected"),
        ("cell_peak_mm_h", [10.0], "cells of rain: peak: expected 0 values"),
    ],
)
def test_wrong_weather_is_refused(field: str, value: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        plant().enable_weather(weather(**{field: value}))


def test_a_cell_of_negative_rain_is_refused() -> None:
    good = (0.0, 0.0, 0.0, 2.0, 10.0, 60.0, 0.0, 0.0)
    with pytest.raises(ValueError, match=r"cells of rain: peak\[1\]: expected a number from 0.* got -3"):
        _core.RainField(1, rain([good, (*good[:4], -3.0, *good[5:])]))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"station": [0]}, r"station: expected 2 values \(one per site\), got 1"),
        ({"station": [0, 5]}, r"expected 0 \(macro\).*4 \(femto\), got 5"),
        ({"after_s": -1.0}, "after_s: expected a number from 0"),
        ({"wake_s": float("nan")}, "wake_s: expected"),
    ],
)
def test_wrong_base_stations_are_refused(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        plant().enable_sleep(arrays({"station": [0, 1], "after_s": 1.0, "wake_s": 0.1, **changes}))


def test_missing_and_unknown_fields_are_named() -> None:
    config = wear(1, LAW)
    del config["limit"]
    with pytest.raises(TypeError, match="wear: field 'limit' is missing"):
        plant().enable_wear(config)
    with pytest.raises(TypeError, match=r"weather: unknown fields \['wind'\]"):
        plant().enable_weather({**weather(), "wind": 3.0})
    with pytest.raises(TypeError, match="base stations: field 'station' is missing"):
        plant().enable_sleep({})


@pytest.mark.parametrize("kind", ["wear", "weather", "sleep"])
def test_surroundings_come_once_and_at_the_start(kind: str) -> None:
    configs = {
        "wear": wear(2, LAW),
        "weather": weather(),
        "sleep": arrays({"station": [0, 1], "after_s": 1.0, "wake_s": 0.1}),
    }
    late, twice = plant(), plant()
    late.run_until(SECOND)
    with pytest.raises(ValueError, match=f"{kind}: expected a plant at time 0 without it, got one at 1000000000 ns;"):
        getattr(late, f"enable_{kind}")(configs[kind])
    getattr(twice, f"enable_{kind}")(configs[kind])
    with pytest.raises(ValueError, match="that has it; make another plant"):
        getattr(twice, f"enable_{kind}")(configs[kind])


def test_a_refused_configuration_leaves_the_plant_as_it_was() -> None:
    tried, untouched = plant(), plant()
    with pytest.raises(ValueError, match="shape"):
        tried.enable_wear(wear(2, {"shape": -1.0, **LAW}))
    for each in (tried, untouched):
        each.run_until(2 * SECOND)
    assert tried.take_kpis()["latency_s"].tobytes() == untouched.take_kpis()["latency_s"].tobytes()
    tried_again = plant()
    tried_again.enable_wear(wear(2, LAW))


def test_rain_goes_forward_only() -> None:
    field = _core.RainField(1, rain(per_hour=10.0))
    field.advance(5 * SECOND)
    with pytest.raises(ValueError, match="expected a time of at least 5000000000 ns .* got 4000000000"):
        field.advance(4 * SECOND)


def test_arrays_of_other_types_or_sizes_are_refused() -> None:
    field = _core.RainField(1, rain())
    with pytest.raises(TypeError):
        field.rates(np.zeros(3, dtype=np.float32), np.zeros(3))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="arrays of one length"):
        field.rates(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match="load: expected 2 values"):
        _core.wear_history(1, wear(2, LAW), np.zeros(3), SECOND, False)
    with pytest.raises(ValueError, match="snr: expected 2 values"):
        _core.backhaul_step(np.array([2, 3]), np.zeros(1), 12, 1.0)
    with pytest.raises(ValueError, match="2 to 12 bits a symbol, or 0"):
        _core.backhaul_step(np.array([1]), np.zeros(1), 12, 1.0)
    with pytest.raises(ValueError, match="a number of dB, got nan"):
        _core.backhaul_step(np.array([2]), np.array([np.nan]), 12, 1.0)
    with pytest.raises(ValueError, match="hysteresis: expected at least 0 dB"):
        _core.backhaul_step(np.array([2]), np.zeros(1), 12, -1.0)
    with pytest.raises(ValueError, match="at index 1: load of a base station: expected 0 to 1, got 1.5"):
        _core.base_station_power("macro", np.array([0.5, 1.5]))
    with pytest.raises(ValueError, match="expected macro, rrh, micro, pico or femto, got 'giant'"):
        _core.base_station_power("giant", np.zeros(1))


def test_what_is_returned_is_the_callers_own() -> None:
    core = plant()
    core.enable_wear(wear(2, LAW))
    wear_now, up, failures = core.truth_wear()
    wear_now[:] = 7.0
    assert core.truth_wear()[0].tolist() == [0.0, 0.0]
    assert up.tolist() == [1.0, 1.0]
    assert failures.tolist() == [0.0, 0.0]
    core.run_until(3 * SECOND)
    for part in core.take_sensors(3 * SECOND):
        assert part[4].flags.owndata
        assert part[4].flags.writeable
