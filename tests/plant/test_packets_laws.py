"""Laws of networks of packets: conservation, order, least delays, steps, textbook queues."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.packets import transmission_ns
from tiertwin import _core
from tiertwin.plant.packets import UNLIMITED, PacketFlows, PacketLinks, PacketPlant
from tiertwin.study.scenes import scene

SECOND = 1_000_000_000
MS = 1_000_000


@pytest.fixture(scope="module")
def played() -> PacketPlant:
    """A lossy network to its end, every packet kept."""
    plant = PacketPlant(
        1, *scene("sndlib/germany50", "each", "exponential", 5), stop_ns=2 * SECOND, warm_up_ns=SECOND // 2, record=True
    )
    plant.run_to_end()
    return plant


def test_sent_is_received_and_lost_and_under_way(played: PacketPlant) -> None:
    flows, links, packets = played.flows(), played.links(), played.packets()
    assert played.ended
    assert played.under_way == 0
    assert np.array_equal(flows["sent"], flows["received"] + flows["lost"])
    assert flows["lost"].sum() == links["dropped"].sum() == (packets["delay_ns"] == -1).sum() > 100
    assert links["waiting"].sum() == 0
    assert packets["born_ns"].min() >= SECOND // 2
    assert packets["born_ns"].max() < 2 * SECOND
    assert np.all(np.diff(packets["born_ns"]) >= 0)


def test_nothing_is_lost_without_limits_and_no_queue_passes_its_buffer(played: PacketPlant) -> None:
    assert played.links()["peak"].max() == 5
    plant = PacketPlant(1, *scene("sndlib/germany50", "each", "exponential", UNLIMITED), stop_ns=SECOND)
    plant.run_to_end()
    assert plant.flows()["lost"].sum() == 0
    assert plant.links()["peak"].max() > 5


def test_packets_that_are_under_way_are_counted_so() -> None:
    plant = PacketPlant(1, *scene("sndlib/abilene", "each", "imix", 5), stop_ns=SECOND, record=True)
    for ms in range(0, 1200, 50):
        plant.run_until(ms * MS)
        flows = plant.flows()
        assert flows["sent"].sum() == flows["received"].sum() + flows["lost"].sum() + plant.under_way
        assert (plant.packets()["delay_ns"] == -2).sum() == plant.under_way
        assert plant.now_ns == ms * MS
    assert plant.ended


def test_no_packet_is_faster_than_its_path_and_none_overtakes_another_of_its_flow(played: PacketPlant) -> None:
    config, packets = played.config, played.packets()
    rate, delay = config["link_rate_bps"].tolist(), config["link_delay_ns"].tolist()
    last: dict[int, int] = {}
    columns = [packets[name].tolist() for name in ("flow", "born_ns", "bytes", "delay_ns")]
    for flow, born, size, took in zip(*columns, strict=True):
        path = config["path_links"][config["path_ptr"][flow] : config["path_ptr"][flow + 1]].tolist()
        if took >= 0:
            assert took >= sum(transmission_ns(size, rate[k]) + delay[k] for k in path)
            assert born + took > last.get(flow, -1)
            last[flow] = born + took


@given(st.lists(st.sampled_from([300.0, 900.0, 2500.0]), min_size=1, max_size=5), st.integers(0, 20))
def test_a_link_is_first_in_first_out(pps: list[float], buffer: int) -> None:
    """One link: packets leave in the order of their births, one after the other, and it never idles while one waits."""
    rate = 10_000_000
    flows = PacketFlows([[0]] * len(pps), pps, size="exponential")
    plant = PacketPlant(len(pps), PacketLinks([rate], 100, buffer), flows, stop_ns=SECOND // 5, record=True)
    plant.run_to_end()
    packets = plant.packets()
    free, leaves = 0, list[int]()
    for born, size, took in zip(*(packets[name].tolist() for name in ("born_ns", "bytes", "delay_ns")), strict=True):
        waiting = sum(start > born for start in leaves[-buffer - 1 :]) if buffer else int(free > born)
        if took == -1:
            assert waiting >= max(buffer, 1)
            continue
        start = max(born, free)
        free = start + transmission_ns(size, rate)
        leaves.append(start)
        assert born + took == free + 100


@given(st.lists(st.integers(0, 700 * MS), max_size=12), st.booleans())
def test_how_time_is_cut_changes_nothing(cuts: list[int], to_end: bool) -> None:
    network = scene("sndlib/abilene", "each", "exponential", 5, arrival="on-off", on_s=0.02, off_s=0.03, flows=20)
    plants = [PacketPlant(2, *network, stop_ns=SECOND // 2, warm_up_ns=SECOND // 10, record=True) for _ in range(2)]
    plants[0].run_until(SECOND)
    for cut in cuts:  # some go back: they change nothing
        plants[1].run_until(cut)
    if to_end:
        plants[1].run_to_end()
    plants[1].run_until(SECOND)
    assert everything(plants[0]) == everything(plants[1])


def everything(plant: PacketPlant) -> list[Any]:
    """Return all there is to see."""
    books = [plant.flows(), plant.links(), plant.packets()]
    found = [(name, values.tobytes()) for book in books for name, values in book.items()]
    numbers = plant.now_ns, plant.ended, plant.under_way, plant.packet_hops
    return [*found, plant.quantiles([0.0, 0.5, 0.99, 1.0]).tobytes(), numbers]


def test_keeping_packets_changes_nothing_else() -> None:
    network = scene("sndlib/abilene", "each", "imix", 5)
    plants = [PacketPlant(2, *network, stop_ns=SECOND // 2, record=record) for record in (False, True)]
    for plant in plants:
        plant.run_to_end()
    assert len(plants[0].packets()["flow"]) == 0
    assert plants[0].flows()["delay_ns"].tolist() == plants[1].flows()["delay_ns"].tolist()
    assert plants[0].links()["busy_ns"].tolist() == plants[1].links()["busy_ns"].tolist()


def test_quantiles_are_those_of_the_packets(played: PacketPlant) -> None:
    packets, at = played.packets(), [0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0]
    found = played.quantiles(at)
    for f in range(len(found)):
        delays = np.sort(packets["delay_ns"][(packets["flow"] == f) & (packets["delay_ns"] >= 0)])
        rank = np.maximum(np.ceil(np.array(at) * len(delays)).astype(int), 1) - 1
        np.testing.assert_allclose(found[f], delays[rank], rtol=1 / 256)


def test_a_warm_up_is_left_out() -> None:
    """The run is the same; packets and link time of the first half are not counted."""
    network = scene("sndlib/abilene", "common", "fixed", 20)
    whole, later = (PacketPlant(4, *network, stop_ns=SECOND, warm_up_ns=w, record=True) for w in (0, SECOND // 2))
    whole.run_until(SECOND // 2)
    before = whole.links()["busy_ns"]
    for plant in (whole, later):
        plant.run_to_end()
    packets = whole.packets()
    kept = packets["born_ns"] >= SECOND // 2
    for name, values in later.packets().items():
        assert np.array_equal(values, packets[name][kept]), name
    np.testing.assert_allclose(later.links()["busy_ns"], whole.links()["busy_ns"] - before, atol=1)
    assert later.packet_hops == whole.packet_hops


def one_link(seed: int, size: str, load: float, seconds: int, buffer: int = UNLIMITED) -> PacketPlant:
    """A link of 8 Mb/s, 1 ms a mean packet of 1000 bytes, loaded by one Poisson flow."""
    flows = PacketFlows([[0]], 1000 * load, "poisson", size, 1000)
    plant = PacketPlant(seed, PacketLinks([8_000_000], 0, buffer), flows, stop_ns=seconds * SECOND, warm_up_ns=SECOND)
    plant.run_to_end()
    return plant


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_md1_and_mm1(load: float) -> None:
    """Mean delays by Pollaczek-Khinchine within 3 standard errors of ten seeds.

    M/D/1: 1 + load / (2 (1 - load)) service times. Exponential sizes are cut at 31 and at 9000 bytes, so M/M/1 is taken
    with the moments of what is drawn.
    """
    mean = 1.0
    rows = [("fixed", mean, 1.0), ("exponential", *exponential_moments())]
    for size, first, second in rows:
        plants = [one_link(seed, size, load, 60) for seed in range(10)]
        means = [float(p.flows()["mean_ns"][0]) / MS for p in plants]
        expected = first + load * second / (2 * (1 - load * first))
        error = np.std(means, ddof=1) / np.sqrt(len(means))
        assert abs(np.mean(means) - expected) < 3 * error
        busy = [p.links()["busy_ns"][0] / (59 * SECOND) for p in plants]
        assert np.mean(busy) == pytest.approx(load * first, rel=0.01)


def exponential_moments() -> tuple[float, float]:
    """First two moments of clamp(round(1000 Exp), 31, 9000) / 1000, from the law itself."""
    sizes = np.arange(31, 9001)
    upper = np.exp(-(sizes + 0.5) / 1000)
    lower = np.exp(-(sizes - 0.5) / 1000)
    lower[0], upper[-1] = 1.0, 0.0
    share = lower - upper
    return float((share * sizes).sum()) / 1e3, float((share * sizes**2).sum()) / 1e6


def test_mm1k_loss() -> None:
    """Load 0.9, 9 waiting and 1 in service: loss of M/M/1/10 = (1 - r) r^10 / (1 - r^11), within 5 %."""
    flows = [one_link(seed, "exponential", 0.9, 100, 9).flows() for seed in range(5)]
    lost = sum(f["lost"][0] for f in flows) / sum(f["sent"][0] for f in flows)
    expected = _core.mm1k_loss(np.array([0.9]), np.ones(1), np.array([10]))[0]
    assert lost == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(("arrival", "share"), [("poisson", 1.0), ("on-off", 1.0), ("constant", 1.0)])
def test_rates_and_sizes_are_those_asked_for(arrival: str, share: float) -> None:
    flows = PacketFlows([[0]] * 60, 200.0, arrival, ["fixed", "exponential", "imix"] * 20, 500, on_s=0.05, off_s=0.1)
    plant = PacketPlant(3, PacketLinks([10**10], 0), flows, stop_ns=50 * SECOND, record=True)
    plant.run_to_end()
    packets = plant.packets()
    # on-off: each burst of 50 ms carries 30 packets on average, which widens the count's spread
    deviation = {"poisson": 1.0, "on-off": 7.0, "constant": 0.01}[arrival]
    expected = 60 * 200 * 50 * share
    assert abs(len(packets["flow"]) - expected) < 5 * deviation * np.sqrt(expected)
    for law, mean in enumerate((500, 500, (7 * 64 + 4 * 594 + 1518) / 12)):
        assert packets["bytes"][packets["flow"] % 3 == law].mean() == pytest.approx(mean, rel=0.01)


def test_bursts_are_bursty() -> None:
    """The squared variation of gaps is that of an interrupted Poisson process: 1 + 2 rate end / (end + back)^2."""
    on, off, pps = 0.05, 0.1, 200.0
    flows = PacketFlows([[0]] * 20, pps, "on-off", on_s=on, off_s=off)
    plant = PacketPlant(3, PacketLinks([10**10], 0), flows, stop_ns=100 * SECOND, record=True)
    plant.run_to_end()
    packets = plant.packets()
    gaps = np.concatenate([np.diff(packets["born_ns"][packets["flow"] == f]) for f in range(20)])
    # packets at `rate` while on; on times end at the rate `end`, off times at the rate `back`
    rate, end, back = pps * (on + off) / on, 1 / on, 1 / off
    expected = 1 + 2 * rate * end / (end + back) ** 2
    assert (gaps.std() / gaps.mean()) ** 2 == pytest.approx(expected, rel=0.05)
