"""Faults injected into the plant: what they do, where they show, and that nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.plant_world import tiny_world
from tiertwin import _core
from tiertwin.plant import PlantOptions, SimulatedPlant
from tiertwin.plant.faults import NEVER, FaultPlayer

SECOND = 1_000_000_000
SHARES = np.tile([0.1, 0.3, 0.3, 0.2], (24, 1))
RANDOM = {
    "per_hour": {
        "link": 200.0,
        "degraded": 200.0,
        "node": 150.0,
        "server": 200.0,
        "slow": 200.0,
        "access": 150.0,
        "group": 150.0,
    },
    "from_s": 1.0,
    "capacity": [0.3, 0.9],
    "loss": [0.01, 0.2],
    "speed": [0.2, 0.6],
    "repair": {"mean_s": 4.0, "law": "lognormal", "sigma": 0.5},
}


def plain(*events: dict[str, Any], random: Any = None, groups: Any = ()) -> dict[str, Any]:
    return {"groups": [list(g) for g in groups], "events": list(events), "random": random}


def fault(kind: str, which: int, start_s: float, end_s: float | None = None, **more: float) -> dict[str, Any]:
    return {"kind": kind, "which": which, "start_s": start_s, "end_s": end_s, **more}


def make(faults: dict[str, Any] | None, seed: int = 5, **options: Any) -> SimulatedPlant:
    plant = SimulatedPlant(
        tiny_world(tasks_per_s=np.array([20.0, 4.0])), seed, PlantOptions(faults=faults, loss=0.0, **options)
    )
    plant.actuate(np.arange(24), SHARES)
    return plant


def play(faults: dict[str, Any] | None, until_s: float = 10.0, cuts: tuple[float, ...] = (), **options: Any):
    plant = make(faults, **options)
    for at in (*cuts, until_s):
        plant.advance(int(at * SECOND), 0)
    return plant


def outcome(plant: SimulatedPlant) -> list[Any]:
    told, kpis = plant.telemetry(plant.now_ns), plant.kpis()
    reports = [getattr(part, name) for part in (told.devices, told.servers, told.links) for name in ("id", "values")]
    return [*reports, kpis.generated, kpis.lost, kpis.in_time, kpis.latency_s, kpis.energy_j, kpis.link_load_mbps]


def same(one: list[Any], other: list[Any]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def test_a_plant_in_which_nothing_is_injected_is_as_one_without_faults():
    assert same(outcome(play(None)), outcome(play(plain())))


@pytest.mark.parametrize("cuts", [(), (0.5, 2.0, 2.0, 7.25), tuple(np.arange(0.1, 10.0, 0.1))])
def test_how_time_is_cut_changes_nothing(cuts):
    degraded = fault("degraded", 1, 1.0, 8.0, capacity=0.4, loss=0.1)
    events = plain(fault("link", 0, 2.0, 5.0), degraded, fault("slow", 0, 2.5, speed=0.3))
    assert same(outcome(play(events)), outcome(play(events, cuts=cuts)))


def test_a_link_that_is_down_loses_tasks_and_comes_back():
    plant = make(plain(fault("link", 0, 2.0, 5.0)))
    lost = []
    for second in range(1, 9):
        plant.advance(second * SECOND, 0)
        lost.append(int(plant.kpis().lost.sum()))
    assert lost[:2] == [0, 0]
    assert min(lost[2:5]) > 0
    assert lost[6:] == [0, 0]
    told = plant.telemetry(plant.now_ns).links
    down = (told.id < 2) & (told.values[:, 2] == 0.0)
    assert set(told.id[down]) == {0, 1}
    assert (told.time_ns[down] >= 2 * SECOND).all()
    assert (told.time_ns[down] <= 5 * SECOND).all()


def test_downtime_of_an_injected_fault_is_counted():
    kpis = play(plain(fault("link", 1, 2.0, 5.0), fault("server", 0, 1.0, 1.5))).kpis()
    assert kpis.link_down_s is not None
    assert kpis.link_down_s.tolist()[2:4] == [3.0, 3.0]
    assert kpis.server_down_s.tolist()[0] == 0.5


def test_overlapping_faults_need_both_to_end():
    events = [fault("link", 0, 1.0, 3.0), fault("link", 0, 2.0, 5.0), fault("group", 0, 2.5, 7.0)]
    kpis = play(plain(*events, groups=[(0, 1)])).kpis()
    assert kpis.link_down_s is not None
    assert kpis.link_down_s.tolist() == [6.0, 6.0, 4.5, 4.5, 0.0, 0.0]


def test_a_fault_does_not_bring_back_what_was_taken_down_by_hand():
    plant = make(plain(fault("link", 0, 1.0, 2.0)))
    plant.fail_link(0)
    plant.advance(6 * SECOND, 0)
    told = plant.telemetry(plant.now_ns).links
    assert (told.values[told.id == 0, 2] == 0.0).all()


def test_a_lossy_link_loses_its_share_and_counts_bad_frames():
    loss = 0.2
    plant = play(plain(fault("degraded", 0, 0.0, capacity=1.0, loss=loss)), until_s=60.0)
    counted = plant.take_counters(plant.now_ns).links
    mine = counted.id < 2
    frames, bad, lost = counted.values[mine].sum(axis=0)
    assert bad / frames == pytest.approx(loss, abs=0.01)
    assert counted.values[~mine, 1].sum() == 0.0
    assert lost > 50
    usual = play(plain(), until_s=60.0).kpis()  # some are lost at devices that have too much to do
    assert int(plant.kpis().lost.sum() - usual.lost.sum()) == pytest.approx(lost, abs=10)


def test_a_narrow_link_tells_its_capacity():
    told = play(plain(fault("degraded", 1, 3.0, 6.0, capacity=0.5, loss=0.0))).telemetry(10 * SECOND).links
    full = told.values[(told.id == 2) & (told.time_ns < 3 * SECOND), 1]
    during = (told.time_ns > 3 * SECOND) & (told.time_ns < 6 * SECOND)
    assert np.unique(told.values[(told.id == 2) & during, 1]) == 0.5 * full[0]
    assert np.unique(told.values[(told.id == 2) & (told.time_ns > 6 * SECOND), 1]) == full[0]


@pytest.mark.parametrize("servers", ["weighted", "ps", "fifo"])
def test_a_slow_server_takes_longer_and_does_the_same_work(servers):
    speed = 0.4
    usual, slow = (
        play(faults, until_s=40.0, servers=servers)
        for faults in (plain(), plain(fault("slow", 0, 0.0, speed=speed), fault("slow", 1, 0.0, speed=speed)))
    )
    least = []
    for plant in (usual, slow):
        counted = plant.take_counters(plant.now_ns).servers
        mine = counted.values[counted.id == 0]
        assert mine[:, 2].sum() > 50
        assert (mine[:, 0] <= mine[:, 1])[mine[:, 2] > 0].all()
        least.append(np.nanmin(mine[:, 0]))
    assert least[0] == pytest.approx(1.0, abs=1e-6)
    assert least[1] == pytest.approx(1.0 / speed, abs=1e-6)
    # cycles done by the integral of speed over busy time: as many as its tasks had, whatever the speed
    one, other = usual.kpis(), slow.kpis()
    assert other.server_load_ghz[0] == pytest.approx(one.server_load_ghz[0], rel=0.05)


def test_a_speed_that_changes_on_the_way_is_an_integral():
    server = fault("slow", 0, 5.0, 10.0, speed=0.5)
    plant = make(plain(server))
    done = 0.0
    for second in range(1, 16):
        plant.advance(second * SECOND, 0)
        done += float(plant.kpis().server_load_ghz[0])
    assert done == pytest.approx(15.0 * float(play(plain(server), until_s=15.0).kpis().server_load_ghz[0]), rel=1e-9)


def test_a_dark_node_is_not_heard_and_takes_everything_along():
    plant = make(plain(fault("node", 0, 3.0, 6.0)))
    plant.advance(9 * SECOND, 0)
    told = plant.telemetry(plant.now_ns)
    for part in (told.devices, told.servers, told.links):
        rows = part.of_site(0)
        during = (rows.time_ns > 3.06 * SECOND) & (rows.time_ns < 5.94 * SECOND)
        assert not during.any()
        assert len(rows)
    elsewhere = told.links.of_site(1)
    assert len(elsewhere)
    kpis = plant.kpis()
    assert kpis.server_down_s[0] == 3.0


def test_a_deaf_site_takes_no_uploads_and_its_devices_are_not_heard():
    plant = make(plain(fault("access", 0, 2.0, 6.0)))
    plant.advance(8 * SECOND, 0)
    told = plant.telemetry(plant.now_ns).devices.of_site(0)
    assert not ((told.time_ns > 2.06 * SECOND) & (told.time_ns < 5.94 * SECOND)).any()
    assert int(plant.kpis().lost.sum()) > 0


def test_random_faults_are_the_same_however_time_is_cut_and_other_kinds_change_none():
    def drawn(rules: dict[str, Any], cuts: list[int]) -> list[tuple[Any, ...]]:
        plant = make(plain(random=rules, groups=[(0, 1)]))
        for cut in cuts:
            plant.advance(cut, 0)
        return sorted((e.kind, e.start_ns, e.end_ns, e.links, e.node, e.server, e.site) for e in plant.truth_faults())

    whole = drawn(RANDOM, [300 * SECOND])
    assert whole == drawn(RANDOM, [k * 7 * SECOND for k in range(1, 43)] + [300 * SECOND])
    assert {row[0] for row in whole} == {"link", "degraded", "node", "server", "slow", "access", "group"}
    assert all(row[1] >= SECOND for row in whole)
    only = {**RANDOM, "per_hour": {**dict.fromkeys(RANDOM["per_hour"], 0.0), "slow": 200.0}}
    assert drawn(only, [300 * SECOND]) == [row for row in whole if row[0] == "slow"]


def test_random_faults_come_as_often_as_said_and_last_as_long():
    player = FaultPlayer(tiny_world(), plain(random={**RANDOM, "per_hour": {**RANDOM["per_hour"], "link": 3600.0}}), 3)

    class Deaf:
        def __getattr__(self, name: str) -> Any:
            return lambda *given: None

    while player.next_ns < 2000 * SECOND:
        player.step(Deaf(), player.next_ns)  # type: ignore[arg-type]
    links = [e for e in player.past if e.kind == "link"]
    assert len(links) == pytest.approx(2000, rel=0.1)
    assert np.mean([(e.end_ns - e.start_ns) / SECOND for e in links]) == pytest.approx(4.0, rel=0.1)


def test_the_truth_tells_faults_that_are_over_and_that_last():
    plant = play(plain(fault("link", 0, 1.0, 2.0), fault("server", 1, 3.0)))
    assert [(e.kind, e.start_ns, e.end_ns) for e in plant.truth_faults()] == [
        ("link", SECOND, 2 * SECOND),
        ("server", 3 * SECOND, NEVER),
    ]


def test_what_the_core_refuses():
    plant = make(plain())._core
    for call, words in (
        (lambda: plant.set_link_fault(99, True, 1.0, 0.0), "directed link"),
        (lambda: plant.set_link_fault(0, True, 0.0, 0.0), "share of capacity"),
        (lambda: plant.set_link_fault(0, True, 1.0, float("nan")), "share lost"),
        (lambda: plant.set_server_fault(0, False, 1.5), "share of speed"),
        (lambda: plant.set_server_fault(-1, False, 1.0), "server"),
        (lambda: plant.set_site_fault(7, False, False), "site"),
        (plant.enable_faults, "faults"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    bare = make(None)._core
    with pytest.raises(ValueError, match="enable_faults"):
        bare.set_link_fault(0, True, 1.0, 0.0)
    assert isinstance(bare, _core.Plant)
