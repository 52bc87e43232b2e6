"""The radio access network against naive formulas: one station slot by slot, SINR, power control, energy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.access import Station, block_power_mw, earth_w, prb_bits, sinr_down
from support.access_scenes import PLANNED, SECOND, cells, network
from tiertwin import _core
from tiertwin.plant.accessconfig import AccessRadio

MS = 1_000_000
ARRIVAL = st.tuples(st.integers(0, 30 * MS), st.integers(0, 3), st.integers(1, 12), st.integers(1, 20_000))


def u32(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.uint32)


def batches(found: dict[str, np.ndarray]) -> list[tuple[int, int, int]]:
    """One row a packet: flow, born, received."""
    rows = zip(found["flow"].tolist(), found["born_ns"].tolist(), found["received_ns"].tolist(), strict=True)
    return sorted(row for row, n in zip(rows, found["packets"].tolist(), strict=True) for _ in range(n))


@given(
    prbs=st.integers(1, 60),
    in_order=st.booleans(),
    buffer=st.lists(st.integers(1, 30), min_size=4, max_size=4),
    bits=st.lists(st.sampled_from([0, 1, 90, 333, 1332]), min_size=4, max_size=4),
    most=st.lists(st.integers(1, 60), min_size=4, max_size=4),
    arrivals=st.lists(ARRIVAL, max_size=25),
    cuts=st.lists(st.integers(0, 60 * MS), max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_a_station_deals_its_blocks_as_one_by_one(
    prbs: int,
    in_order: bool,
    buffer: list[int],
    bits: list[int],
    most: list[int],
    arrivals: list[tuple[int, int, int, int]],
    cuts: list[int],
) -> None:
    until = 60 * MS
    columns = [list(column) for column in zip(*arrivals, strict=True)] or [[], [], [], []]
    found = _core.play_station(
        prbs, in_order, u32(buffer), u32(bits), u32(most), np.array(columns[0], dtype=np.int64),
        u32(columns[1]), u32(columns[2]), u32(columns[3]), np.array([*sorted(cuts), until], dtype=np.int64),
    )  # fmt: skip
    naive = Station(prbs, in_order, buffer, bits, most)
    naive.play(arrivals, until)
    met = sorted((p.flow, p.born, p.received) for p in naive.packets if p.received != -2)
    assert batches(found) == met
    assert found["used_prbs"] == naive.used
    assert found["under_way"] == sum(p.received == -2 for p in naive.packets)


def test_waiting_is_that_of_the_slotted_queue() -> None:
    """Poisson packets of a slot each: half a slot to the next, rho / (2 (1 - rho)) slots of others, one's own."""
    load, count = 0.7, 400_000
    gaps = np.random.Generator(np.random.Philox(5)).exponential(MS / load, count)
    time, one = np.cumsum(gaps).astype(np.int64), np.ones(count, dtype=np.uint32)
    end = np.array([int(time[-1]) + SECOND])
    found = _core.play_station(
        10, False, u32([10_000]), u32([100]), u32([10]), time, one * u32([0]), one, one * u32([1000]), end
    )
    delay = (found["received_ns"] - found["born_ns"]).mean() / MS
    assert delay == pytest.approx(0.5 + load / (2 * (1 - load)) + 1.0, rel=0.02)


def test_sinr_power_and_rates_are_those_of_the_formulas() -> None:
    plan, radio = cells(), AccessRadio()
    plant = network(walkers=60, still=60, cells=plan)
    plant.advance(SECOND)
    truth, hidden = plant.truth_users(), plant.truth_cells()
    noise = 10 ** ((-174 + radio.user_noise_db) / 10) * 10e6
    noise_up = 10 ** ((-174 + 5) / 10) * 180e3
    carrier = [0] * len(plan["cell_x"])
    for u in np.flatnonzero(truth["serving"] >= 0).tolist():
        own = int(truth["serving"][u])
        levels = (10 ** (truth["received_dbm"][u] / 10)).tolist()
        heard = truth["heard"][u].tolist()
        beam = 10 ** (_core.array_gain(4, 8, hidden["azimuth"][own : own + 1], hidden["tilt"][own : own + 1])[0] / 10)
        load = hidden["load_down"].tolist()
        down = sinr_down(own, carrier, heard, levels, load, noise, beam)
        assert math.isclose(10 * math.log10(down), truth["sinr_down_db"][u], abs_tol=1e-9)
        assert abs(prb_bits(down, hidden["efficiency"][own]) - truth["down_bits"][u]) <= 1
        gain = levels[heard.index(own)] / 10**4.1
        power, most = block_power_mw(radio.p0_dbm, radio.alpha, radio.user_dbm, gain)
        up = power * gain * beam / (noise_up + hidden["disturbed_up_mw"][own])
        assert math.isclose(10 * math.log10(up), truth["sinr_up_db"][u], abs_tol=1e-9)
        assert truth["up_most_prbs"][u] in (0, min(52, most))
    assert hidden["load_down"].max() > 0.01
    assert hidden["disturbed_up_mw"].max() > 0.0


def test_the_hidden_loss_is_all_that_a_plan_without_antenna_errors_misses() -> None:
    """Received as planned, less the loss; by the radio module's own search over the planned cells."""
    plan = cells()
    users = network(secrets=PLANNED).truth_users()
    off = network(secrets=type(PLANNED)(3.0, 0.0, 0.0, 0.7, 0.7, 0.0, 0.0))
    seen, loss = off.truth_users(), off.truth_cells()["loss_db"]
    assert 1.0 < loss.std() < 6.0
    for u in range(len(users["serving"])):
        planned = dict(zip(users["heard"][u].tolist(), users["received_dbm"][u].tolist(), strict=True))
        for cell, level in zip(seen["heard"][u].tolist(), seen["received_dbm"][u].tolist(), strict=True):
            if cell >= 0 and cell in planned:
                assert math.isclose(level, planned[cell] - loss[cell], abs_tol=1e-5)
    assert len(plan["cell_x"]) == len(loss)


def test_energy_is_earths() -> None:
    assert earth_w(6, 130, 4.7, 75, 120, 1.0, asleep=False) == 1344
    assert earth_w(6, 130, 4.7, 75, 120, 0.0, asleep=False) == 780
    assert earth_w(6, 130, 4.7, 75, 120, 0.0, asleep=True) == 450
    plant = network()
    plant.advance(2 * SECOND)
    counts = plant.take_kpis().cells
    radiated = 10**4.1 / 1e3
    load = counts["prbs_down"] / (52 * 2000)
    expected = [2 * earth_w(2, 130, 4.7, 75, radiated, share, asleep=False) for share in load.tolist()]
    assert np.allclose(counts["energy_j"], expected, rtol=1e-12)
