"""The plant with wear, weather and sleeping base stations: what they change, and that nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.plant_world import one_of_each, tiny_world
from support.surroundings import rain, wear
from tiertwin.plant import PlantKpis, PlantOptions, SimulatedPlant

SECOND = 1_000_000_000
SERVER = 1 << 32
PARTS = np.array([0, 1, 2, SERVER, SERVER + 1, SERVER + 2, SERVER + 3])
SHARES = np.tile([0.1, 0.3, 0.3, 0.2], (24, 1))


def worn(*laws: dict[str, float], period_s: float = 0.5, keys: Any = PARTS, **air: float) -> dict[str, Any]:
    config = wear(len(keys), *laws, period_s=period_s, **air)
    return {**config, "part_key": np.asarray(keys)}


def weather(cells: list[tuple[float, ...]], links: dict[int, tuple[float, ...]], **changes: float) -> dict[str, Any]:
    """`links`: x0, y0, x1, y1, GHz, margin by link; vertical, up to 4096-QAM."""
    rows = np.array([links[link] for link in sorted(links)], dtype=np.float64).reshape(-1, 6)
    return {
        **rain(cells),
        "period_s": 1.0,
        "hysteresis_db": 1.0,
        **changes,
        "link": np.array(sorted(links), dtype=np.int64),
        "top": np.full(len(links), 12, dtype=np.int64),
        **{name: rows[:, i].copy() for i, name in enumerate(("x0", "y0", "x1", "y1", "ghz"))},
        "tilt": np.full(len(links), 90.0),
        "margin_db": rows[:, 5].copy(),
    }


STORM = (-300.0, 0.0, 0.0, 2.0, 60.0, 600.0, 0.0, 0.0)  # over (0, 0), at its peak at time 0, gone at 300 s
HOPS = {0: (-2.0, 0.0, 2.0, 0.0, 38.0, 3.0), 2: (-1.0, 0.0, 9.0, 0.0, 18.0, 3.0)}
STATIONS = {"station": [0, 3], "after_s": 0.05, "wake_s": 0.01}
FRAIL = {"shape": 1.5, "scale_s": 3.0, "drift_per_s": 0.2, "sigma": 0.3, "repair_s": 0.7, "errors_per_s": 5.0}


def play(cuts: tuple[float, ...] = (), until_s: float = 10.0, seed: int = 5, **options: Any) -> SimulatedPlant:
    plant = SimulatedPlant(tiny_world(tasks_per_s=np.array([20.0, 4.0])), seed, PlantOptions(**options))
    plant.actuate(np.arange(24), SHARES)
    for cut in (*cuts, until_s):
        plant.advance(int(cut * SECOND), 0)
    return plant


def everything(plant: SimulatedPlant, until_ns: int) -> list[Any]:
    telemetry, kpis = plant.telemetry(until_ns), plant.kpis()
    reports = [getattr(telemetry, kind) for kind in ("devices", "servers", "links")]
    named = ("generated", "in_time", "late", "lost", "latency_s", "energy_j", "executed", "latency_histogram")
    more = ("server_load_ghz", "link_load_mbps", "link_utilisation", "cell_airtime")
    return [
        *(getattr(r, name).tobytes() for r in reports for name in ("id", "time_ns", "arrival_ns", "values")),
        *(getattr(kpis, name).tobytes() for name in (*named, *more)),
    ]


def conserved(kpis: PlantKpis) -> None:
    ended = kpis.total("completed") + kpis.total("shed") + kpis.total("lost")
    assert kpis.total("generated") == ended + kpis.in_flight


# -- off, and together -----------------------------------------------------------------------------------------------


def test_surroundings_that_never_act_change_not_a_bit() -> None:
    asked = {
        "wear": worn({"scale_s": 1e12}),
        "weather": weather([], HOPS),
        "stations": {"station": [0, 0], "after_s": 0.0, "wake_s": 0.0},
    }
    assert everything(play(**asked), 10 * SECOND) == everything(play(), 10 * SECOND)


def test_without_them_nothing_of_them_is_told() -> None:
    plant = play()
    kpis, sensors = plant.kpis(), plant.take_sensor_reports(10 * SECOND)
    assert [len(part) for part in (sensors.links, sensors.servers, sensors.weather)] == [0, 0, 0]
    optional = ("link_down_s", "server_failures", "link_capacity_mbps", "station_j", "station_asleep_s")
    assert [getattr(kpis, name) for name in optional] == [None] * len(optional)


def test_how_time_is_cut_changes_nothing() -> None:
    drifting = (-100.0, -3.0, 0.0, 2.0, 60.0, 200.0, 400.0, 90.0)
    asked = {"wear": worn(FRAIL), "weather": weather([drifting], HOPS, period_s=0.3), "stations": STATIONS}
    once, often = play(**asked), play(cuts=(0.0, 0.1, 0.5, 0.55, 2.0, 3.25, 9.0), **asked)
    told = [plant.take_sensor_reports(10 * SECOND) for plant in (once, often)]
    for kind in ("links", "servers", "weather"):
        one, two = (getattr(t, kind) for t in told)
        assert len(one) > 20
        assert one.values.tobytes() == two.values.tobytes()
        assert one.arrival_ns.tolist() == two.arrival_ns.tolist()
    assert [part.tolist() for part in once.truth_wear()] == [part.tolist() for part in often.truth_wear()]
    assert everything(once, 10 * SECOND) == everything(often, 10 * SECOND)


def test_kpis_of_parts_of_a_run_add_up() -> None:
    asked = {"wear": worn(FRAIL), "weather": weather([STORM], HOPS), "stations": STATIONS}
    whole, parts = play(**asked).kpis(), []
    plant = play(until_s=2.5, **asked)
    for until in (2.5, 4.0, 10.0):
        plant.advance(int(until * SECOND), 0)
        parts.append(plant.kpis())
    merged = PlantKpis.merge(parts)
    for name in ("link_down_s", "server_down_s", "station_j", "station_asleep_s", "link_capacity_mbps"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-12, err_msg=name)
    assert merged.link_failures is not None
    assert whole.link_failures is not None
    assert merged.link_failures.tolist() == whole.link_failures.tolist()
    assert merged.total("generated") == whole.total("generated")


# -- wear ------------------------------------------------------------------------------------------------------------


def test_what_fails_loses_its_tasks_and_they_are_counted() -> None:
    kpis, sound = play(wear=worn(FRAIL)).kpis(), play().kpis()
    conserved(kpis)
    assert kpis.total("lost") > 100 > sound.total("lost")
    assert kpis.generated.tolist() == sound.generated.tolist()
    assert kpis.link_failures is not None
    assert kpis.link_failures.sum() >= 3
    assert kpis.link_down_s is not None
    assert (kpis.link_down_s[0::2] == kpis.link_down_s[1::2]).all()
    assert ((kpis.link_down_s > 0) == (np.repeat(kpis.link_failures, 2) > 0)).all()


def test_a_part_is_down_exactly_from_failure_to_repair() -> None:
    """Drift alone: down from 1 s to 3 s of each cycle; the link's reports and the lost tasks say so."""
    law = {"drift_per_s": 1.0, "repair_s": 2.0, "repair_sigma": 1e-9}
    plant = play(wear=worn(law, keys=[2], period_s=0.1), until_s=9.0, loss=0.0, delay_s=(0.0, 0.0), report_s=0.1)
    kpis = plant.kpis()
    assert kpis.link_down_s is not None
    np.testing.assert_allclose(kpis.link_down_s, [0, 0, 0, 0, 6, 6], atol=1e-6)
    reports = plant.telemetry(9 * SECOND).links
    there = reports.id == 4
    down = (reports.time_ns[there] / SECOND) % 3.0 > 1.0
    assert ((reports.values[there, 2] == 0.0) == down).all()
    cloud = kpis.executed.sum(axis=0)[3]
    assert cloud == pytest.approx(play(until_s=9.0).kpis().executed.sum(axis=0)[3] / 3, rel=0.3)


def test_who_took_it_down_must_bring_it_back() -> None:
    law = {"drift_per_s": 1.0, "repair_s": 1.0, "repair_sigma": 1e-9}
    plant = play(wear=worn(law, keys=[0]), until_s=0.5)
    plant.fail_link(0)
    plant.advance(int(2.5 * SECOND), 0)  # worn from 1 s to 2 s
    kpis = plant.kpis()
    assert kpis.link_down_s is not None
    assert kpis.link_down_s[0] == pytest.approx(2.0, abs=1e-6)
    plant.repair_link(0)
    plant.advance(int(2.9 * SECOND), 0)
    kpis = plant.kpis()
    assert kpis.link_down_s is not None
    assert kpis.link_down_s[0] == 0.0
    plant.advance(int(3.5 * SECOND), 0)  # worn again from 3 s
    plant.repair_link(0)  # orders do not mend what is worn
    plant.advance(int(3.75 * SECOND), 0)
    kpis = plant.kpis()
    assert kpis.link_down_s is not None
    assert kpis.link_down_s[0] == pytest.approx(0.75, abs=1e-6)


def test_temperature_follows_the_load() -> None:
    law = {"scale_s": 1e12, "idle_w": 10.0, "max_w": 110.0, "k_per_w": 0.5}
    options = {"loss": 0.0, "noise": 0.0, "delay_s": (0.0, 0.0)}
    plant = play(wear=worn(law, period_s=10.0, ambient_c=20.0), until_s=10.0, **options)
    kpis, told = plant.kpis(), plant.take_sensor_reports(10 * SECOND)
    order = np.argsort(told.servers.id)
    np.testing.assert_allclose(told.servers.values[order, 0], 25 + 50 * kpis.server_utilisation, rtol=1e-9)
    busier = kpis.link_utilisation.reshape(-1, 2).max(axis=1)
    np.testing.assert_allclose(told.links.values[np.argsort(told.links.id), 0], 25 + 50 * busier, rtol=1e-9)
    assert told.links.site_ptr.tolist() == [0, 1, 2, 3]  # of links 0 and 1 at their sites, of link 2 at none
    assert (told.links.values[:, 3] == 1.0).all()


def test_sensor_reports_are_late_lossy_and_noisy_as_stated() -> None:
    law = {"scale_s": 1e12, "vibration": 2.0}
    plant = play(wear=worn(law, period_s=0.01, ambient_c=-10.0), until_s=20.0, loss=0.2, noise=0.1, delay_s=(0.3, 0.5))
    told = plant.take_sensor_reports(20 * SECOND).servers
    assert len(told) == pytest.approx(4 * 1960 * 0.8, rel=0.05)
    delay = (told.arrival_ns - told.time_ns) / SECOND
    assert delay.min() >= 0.3
    assert delay.max() <= 0.5 + 1e-9
    assert told.values[:, 0].mean() == pytest.approx(-10.0, rel=0.02)
    assert told.values[:, 1].std() == pytest.approx(0.2, rel=0.05)
    late = plant.take_sensor_reports(21 * SECOND).servers
    assert 0 < len(late) <= 4 * 50


def test_reports_that_nobody_takes_are_dropped_and_counted() -> None:
    keys = [0, 1, 2]
    plant = play(wear=worn({"scale_s": 1e12}, keys=keys, period_s=0.001), until_s=100.0, loss=0.0, report_s=1e5)
    told = plant.take_sensor_reports(101 * SECOND).links
    assert plant.truth_sensor_reports_dropped() == 131_072
    assert len(told) == 300_000 - 131_072
    assert told.time_ns.max() == 100 * SECOND


# -- weather ---------------------------------------------------------------------------------------------------------


def test_rain_slows_a_microwave_link_step_by_step() -> None:
    plant = play(weather=weather([STORM], HOPS), until_s=0.0, loss=0.0, noise=0.0, delay_s=(0.0, 0.0))
    bits, seen = [], []
    for t in range(0, 300, 5):
        plant.advance(t * SECOND, 0)
        loss_db, now = plant.truth_weather()
        bits.append(now.astype(int).tolist())
        margin = 39.1 + 3.0 - loss_db
        needed = [round(3 + 10 * np.log10(2.0 ** int(b) - 1), 1) if b else -np.inf for b in now]
        assert (margin >= needed).all()
        seen.append(loss_db[0])
    assert (np.diff(seen) < 0).all()  # the storm dies
    first = [row[0] for row in bits]
    assert first == sorted(first)
    assert first[0] < 9
    assert first[-1] == 12
    told = plant.take_sensor_reports(300 * SECOND).weather
    np.testing.assert_allclose(told.values[:, 2], np.where(told.id == 0, 1000.0, 2000.0) * told.values[:, 1] / 12)
    links = plant.telemetry(300 * SECOND).links
    steps = links.values[links.id == 1, 1] * 12 / 1000
    np.testing.assert_allclose(steps, np.rint(steps))  # the twins' own telemetry shows the capacity of the step
    assert len(set(steps.tolist())) > 2
    assert (links.values[:, 1] > 0).all()


def test_mean_capacity_is_the_integral_over_its_steps() -> None:
    plant = play(weather=weather([STORM], HOPS), until_s=0.0)
    expected, last = np.zeros(2), plant.truth_weather()[1]
    for t in range(1, 301):
        expected += np.maximum(last, 2) / 12
        plant.advance(t * SECOND, t // 60)  # the background moves with the epoch meanwhile
        last = plant.truth_weather()[1]
    kpis = plant.kpis()
    assert kpis.link_capacity_mbps is not None
    np.testing.assert_allclose(kpis.link_capacity_mbps[[0, 4]], expected / 300 * [1000.0, 2000.0], rtol=1e-9)
    np.testing.assert_allclose(kpis.link_capacity_mbps[[2, 3]], 1000.0, rtol=1e-12)
    assert (kpis.link_utilisation <= 1.0 + 1e-9).all()
    conserved(kpis)


def test_a_heavier_storm_takes_the_link_away_and_gives_it_back() -> None:
    heavy = (-300.0, 0.0, 0.0, 6.0, 150.0, 600.0, 0.0, 0.0)
    links = {2: (-8.0, 0.0, 8.0, 0.0, 80.0, 2.0)}
    plant = play(weather=weather([heavy], links), until_s=30.0)
    kpis = plant.kpis()
    conserved(kpis)
    assert plant.truth_weather()[1].tolist() == [0.0]
    assert kpis.executed.sum(axis=0)[3] == 0
    assert kpis.link_down_s is not None
    np.testing.assert_allclose(kpis.link_down_s, [0, 0, 0, 0, 30.0, 30.0])
    plant.advance(320 * SECOND, 0)
    assert plant.truth_weather()[1].tolist() == [12.0]
    plant.kpis()
    plant.advance(330 * SECOND, 0)
    kpis = plant.kpis()
    assert kpis.executed.sum(axis=0)[3] > 100
    assert kpis.link_down_s is not None
    assert kpis.link_down_s.sum() == 0


def test_background_yields_to_the_weather_and_comes_back() -> None:
    storm = (-300.0, 0.0, 0.0, 6.0, 20.0, 600.0, 0.0, 0.0)
    plant = SimulatedPlant(
        tiny_world(background_mbps=np.array([600.0, 50.0, 200.0, 20.0, 500.0, 100.0])), 1,
        PlantOptions(weather=weather([storm], {0: (-2.0, 0.0, 2.0, 0.0, 38.0, 1.0)})),
    )  # fmt: skip
    before = plant.truth_background_mbps()[0]
    bits = plant.truth_weather()[1][0]
    assert 0 < bits <= 6
    assert before == pytest.approx(min(540.0, 0.99 * 1000 * bits / 12))
    plant.advance(330 * SECOND, 0)
    assert plant.truth_background_mbps()[0] == pytest.approx(540.0)


# -- base stations ---------------------------------------------------------------------------------------------------


def one_upload(at: list[float], until_s: float, **stations: Any) -> tuple[PlantKpis, SimulatedPlant]:
    """One device that sends 10 Mb at the times `at`, 0.1 s each, over one cell of kind macro to its edge."""
    world = one_of_each(ring_rate_mbps=np.array([100.0]), megabits=np.array([10.0]), deadline_s=np.array([10.0]))
    options = PlantOptions(
        report_s=0.0, radio_factor=(1.0,), traces={0: (np.array(at), 0.0)}, stations={"station": [0], **stations}
    )
    plant = SimulatedPlant(world, 1, options)
    plant.actuate(np.array([0]), np.array([[0.0, 1.0, 0.0, 0.0]]))
    plant.advance(int(until_s * SECOND), 0)
    return plant.kpis(), plant


def test_energy_of_a_station_that_never_sleeps() -> None:
    kpis, _ = one_upload([1.0, 5.0], 10.0, after_s=0.0, wake_s=0.0)
    assert kpis.station_j is not None
    assert kpis.station_j[0] == pytest.approx(780.0 * 10 + (1344.0 - 780.0) * 0.2)
    assert kpis.latency_mean_s == pytest.approx(0.1, abs=1e-6)


def test_energy_and_delay_of_a_station_that_sleeps() -> None:
    """Idle from 0: asleep 2..3, wakes 3..3.5, sends to 3.6 (two tasks: 3.7), idle, asleep 5.7..10."""
    kpis, plant = one_upload([3.0, 3.2], 10.0, after_s=2.0, wake_s=0.5)
    asleep = 1.0 + 4.3
    assert kpis.station_asleep_s is not None
    assert kpis.station_asleep_s[0] == pytest.approx(asleep)
    assert kpis.station_j is not None
    assert kpis.station_j[0] == pytest.approx(450.0 * asleep + 780.0 * (10 - asleep) + (1344.0 - 780.0) * 0.2)
    assert kpis.latency_s.sum() == pytest.approx(0.7 + 0.5)  # both share the cell from 3.5 to 3.7
    plant.advance(12 * SECOND, 0)
    later = plant.kpis()
    assert later.station_j is not None
    assert later.station_j[0] == pytest.approx(450.0 * 2)


def calm(**options: Any) -> SimulatedPlant:
    plant = SimulatedPlant(tiny_world(tasks_per_s=np.array([2.0, 0.1])), 5, PlantOptions(**options))
    plant.actuate(np.arange(24), SHARES)
    plant.advance(20 * SECOND, 0)
    return plant


def test_sleep_saves_energy_and_loses_no_task() -> None:
    awake, asleep = (calm(stations={**STATIONS, "after_s": after}).kpis() for after in (0.0, 0.05))
    conserved(asleep)
    assert asleep.generated.tolist() == awake.generated.tolist()
    assert asleep.total("lost") == awake.total("lost")
    assert asleep.station_j is not None
    assert awake.station_j is not None
    assert (asleep.station_j < awake.station_j).all()
    assert asleep.latency_mean_s > awake.latency_mean_s
