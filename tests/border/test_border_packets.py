"""The border of networks of packets: exact dtypes, clear refusals, fresh arrays, lifetimes, threads."""

from __future__ import annotations

import gc
import pickle
import threading
from typing import Any

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.plant.packets import UNLIMITED, PacketFlows, PacketLinks, PacketPlant, PacketTrace

SECOND = 1_000_000_000
LINKS = PacketLinks([8_000_000, 10_000_000, 10_000_000], 1000, 5, [0, 1, 2], [1, 2, 0])
FLOWS = PacketFlows([[0, 1], [1, 2], [2]], 500.0, ["poisson", "on-off", "trace"], "exponential")
TRACE = PacketTrace([0, 0, 5], [2, 2, 2], [100, 31, 9000])


@pytest.fixture
def config() -> dict[str, Any]:
    return PacketPlant(1, LINKS, FLOWS, trace=TRACE, stop_ns=SECOND, record=True).config


def test_building_leaves_the_dictionary_alone(config: dict[str, Any]) -> None:
    before = dict(config)
    _core.PacketNetwork(1, config)
    assert list(config) == list(before)
    assert all(config[name] is before[name] for name in config)


def test_the_network_keeps_nothing_of_its_inputs(config: dict[str, Any]) -> None:
    kept, changed = _core.PacketNetwork(1, config), _core.PacketNetwork(1, config)
    kept.run_until(SECOND // 2)
    for value in config.values():
        if isinstance(value, np.ndarray):
            value[...] = 0
    del config
    gc.collect()
    for network in (kept, changed):
        network.run_to_end()
    assert kept.packets()["delay_ns"].tolist() == changed.packets()["delay_ns"].tolist() != []


def test_results_are_fresh_arrays(config: dict[str, Any]) -> None:
    network = _core.PacketNetwork(1, config)
    network.run_to_end()
    books = [network.flows(), network.links(), network.packets()]
    again = [network.flows(), network.links(), network.packets()]
    at = network.quantiles(np.array([0.5]))
    del network
    gc.collect()
    for book, other in zip(books, again, strict=True):
        for name, values in book.items():
            assert values.flags.writeable
            assert values.flags.owndata
            values[...] = -7
            assert (other[name] != -7).any() or not values.size
    assert at.shape == (3, 1)
    assert (at > 0).all()


@pytest.mark.parametrize("name", ["link_rate_bps", "link_tail", "flow_pps", "trace_time_ns", "stop_ns", "record"])
def test_a_missing_field_is_named(config: dict[str, Any], name: str) -> None:
    del config[name]
    with pytest.raises(TypeError, match=f"'{name}' is missing"):
        _core.PacketNetwork(1, config)


def test_an_unknown_field_is_named(config: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"PacketNetwork: unknown fields.*link_rate"):
        _core.PacketNetwork(1, {**config, "link_rate": np.ones(3)})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("link_rate_bps", np.ones(3), "expected a one-dimensional C-order array.*float64"),
        ("link_rate_bps", np.ones(3, dtype=np.int32), "int32"),
        ("flow_pps", [1.0] * 3, "list"),
        ("flow_pps", np.ones((3, 1)), "2 dimensions"),
        ("path_links", np.ones(10, dtype=np.int64)[::2], "not contiguous"),
        ("stop_ns", 1e9, "a whole number, got.*float"),
        ("stop_ns", True, "a whole number, got.*bool"),
        ("record", 1, "True or False"),
    ],
)
def test_wrong_kinds_are_refused_with_what_came(config: dict[str, Any], name: str, value: Any, told: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: .*{told}"):
        _core.PacketNetwork(1, {**config, name: value})


@pytest.mark.parametrize(
    ("name", "index", "value", "told"),
    [
        ("link_rate_bps", 1, 0, r"link_rate_bps\[1\]: expected a rate in bit/s from 1 to .*, got 0"),
        ("link_rate_bps", 1, -5, "got -5"),
        ("link_rate_bps", 0, 10**16, r"link_rate_bps\[0\]"),
        ("link_delay_ns", 2, -1, r"link_delay_ns\[2\]: expected a propagation delay in ns from 0 .*, got -1"),
        ("link_delay_ns", 2, 2**53 + 1, r"link_delay_ns\[2\]"),
        ("link_buffer", 0, -1, r"link_buffer\[0\]: expected a number of packets that may wait from 0 to .*, got -1"),
        ("link_buffer", 0, 2**31, r"link_buffer\[0\]"),
        ("link_tail", 1, 0, r"path_links\[1\]: expected a link from node 1, where link 0 of flow 0 ends, got link 1"),
        ("path_links", 0, 3, r"path_links\[0\]: expected a link from 0 to 2, got 3"),
        ("path_links", 4, -1, r"path_links\[4\]: expected a link from 0 to 2, got -1"),
        ("path_ptr", 0, 1, "path_ptr: expected to begin with 0"),
        ("path_ptr", 3, 4, "path_ptr: expected .* to end with 5"),
        ("path_ptr", 1, 0, r"path_ptr\[1\]: expected more than 0 \(flow 0 needs a link at least\)"),
        ("path_ptr", 1, 99, r"path_ptr\[1\]: expected .* at most 5, got 99"),
        ("flow_key", 0, -1, r"flow_key\[0\]"),
        ("flow_arrival", 0, 4, r"flow_arrival\[0\]: expected an arrival \(0 Poisson"),
        ("flow_size", 0, 3, r"flow_size\[0\]: expected a size law"),
        ("flow_bytes", 0, 9001, r"flow_bytes\[0\]: expected a size in bytes from 1 to 9000, got 9001"),
        ("flow_bytes", 0, 0, r"flow_bytes\[0\]"),
        ("flow_phase_ns", 0, -2, r"flow_phase_ns\[0\]"),
        ("flow_pps", 0, -1.0, r"flow_pps\[0\]: expected packets a second"),
        ("flow_pps", 0, np.nan, r"flow_pps\[0\].*got nan"),
        ("flow_pps", 0, np.inf, r"flow_pps\[0\].*got inf"),
        ("flow_pps", 1, 1e-4, r"flow_pps\[1\]: expected at least 0.001000 packets in a mean on and off time"),
        ("flow_on_s", 1, 0.0, r"flow_on_s\[1\]: expected a mean on time"),
        ("flow_off_s", 1, -1.0, r"flow_off_s\[1\]: expected a mean off time"),
        ("trace_time_ns", 0, -1, r"trace_time_ns\[0\]: expected a time in ns from 0 .*, got -1"),
        ("trace_time_ns", 1, 9, r"trace_time_ns\[2\]: expected times that do not go back within flow 2, got 5 after 9"),
        ("trace_flow", 1, 3, r"trace_flow\[1\]: expected a flow from 0 to 2, got 3"),
        ("trace_flow", 1, 0, r"trace_flow\[1\]: flow 0 makes its own packets"),
        ("trace_bytes", 1, 9001, r"trace_bytes\[1\]: expected a size in bytes from 1 to 9000, got 9001"),
    ],
)
def test_wrong_values_are_refused_where_they_stand(
    config: dict[str, Any], name: str, index: int, value: float, told: str
) -> None:
    config[name][index] = value
    with pytest.raises(ValueError, match=told):
        _core.PacketNetwork(1, config)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("stop_ns", -1, "stop_ns: expected a time in ns from 0"),
        ("stop_ns", 2**53 + 1, "stop_ns"),
        ("stop_ns", 2**70, "stop_ns: expected a whole number of 64 bits"),
        ("warm_up_ns", -1, "warm_up_ns"),
        ("most_packets", 0, "most_packets: expected a number of packets from 1"),
        ("most_packets", 2**31 + 1, "most_packets"),
    ],
)
def test_wrong_numbers_are_refused_by_name(config: dict[str, Any], name: str, value: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        _core.PacketNetwork(1, {**config, name: value})


@pytest.mark.parametrize("name", ["link_delay_ns", "link_buffer", "link_head", "path_ptr", "flow_pps", "trace_flow"])
def test_arrays_of_the_wrong_length_say_one_per_what(config: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}: expected \d \w+.*\(one per .*\), got {len(config[name]) + 1}"):
        _core.PacketNetwork(1, {**config, name: np.append(config[name], config[name][-1])})


def test_times_outside_the_horizon_are_refused_and_change_nothing(config: dict[str, Any]) -> None:
    network = _core.PacketNetwork(1, config)
    for time in (-1, 2**53 + 1):
        with pytest.raises(ValueError, match="time_ns: expected a time in ns from 0"):
            network.run_until(time)
    network.run_until(2**53)
    assert network.ended


def test_who_passes_the_bound_on_packets_is_told_and_stops(config: dict[str, Any]) -> None:
    config["most_packets"] = 10
    network = _core.PacketNetwork(1, config)
    with pytest.raises(ValueError, match="most_packets: expected at most 10 packets kept, got one more at"):
        network.run_to_end()
    with pytest.raises(ValueError, match="stopped at an earlier error"):
        network.run_until(0)
    flows = PacketFlows([[0]], 1e4)
    overload = PacketPlant(1, PacketLinks([1000], 0, UNLIMITED), flows, stop_ns=SECOND, most_packets=50)
    with pytest.raises(ValueError, match="at most 50 packets under way, got one more at .* ns; give links buffers"):
        overload.run_until(SECOND)


@pytest.mark.parametrize("q", [-0.1, 1.1, np.nan])
def test_quantiles_are_asked_from_0_to_1(config: dict[str, Any], q: float) -> None:
    with pytest.raises(ValueError, match="q: expected numbers from 0 to 1, got"):
        _core.PacketNetwork(1, config).quantiles(np.array([q]))


def test_networks_of_nothing() -> None:
    """No flow, no link, no packet: nothing happens, nothing breaks."""
    for links, flows in ((PacketLinks([], []), PacketFlows([])), (PacketLinks([1], 0), PacketFlows([[0]], 0.0))):
        plant = PacketPlant(1, links, flows, stop_ns=SECOND)
        assert plant.ended
        plant.run_to_end()
        plant.run_until(SECOND)
        assert plant.now_ns == SECOND
        assert plant.flows()["sent"].sum() == plant.links()["busy_ns"].sum() == 0
        assert (plant.quantiles([0.5]) == -1).all()
        assert np.isnan(plant.flows()["mean_ns"]).all()


@pytest.mark.parametrize(
    ("build", "error", "told"),
    [
        (lambda: PacketLinks([1e6], 0).config(), TypeError, "rate_bps: expected whole numbers, got float64"),
        (lambda: PacketLinks([1, 2], [0, 0, 0]).config(), ValueError, "delay_ns: expected a number or 2 of them"),
        (lambda: PacketLinks([[1]], 0).config(), ValueError, "rate_bps: expected one-dimensional, got shape"),
        (lambda: PacketLinks(np.array([2**63], np.uint64), 0).config(), ValueError, "rate_bps: expected at most"),
        (lambda: PacketFlows([[0]], "much").config(), TypeError, "pps: expected numbers"),
        (lambda: PacketFlows([[0.5]]).config(), TypeError, r"paths\[0\]: expected whole numbers"),
        (
            lambda: PacketFlows([[0]], arrival="often").config(),
            ValueError,
            r"arrival\[0\]: expected one of poisson, con",
        ),
        (lambda: PacketFlows([[0]], size=["imix"] * 2).config(), ValueError, "size: expected a number or 1 of them"),
    ],
)
def test_the_python_side_says_what_is_wrong(build: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        build()


def test_networks_are_not_pickled(config: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(_core.PacketNetwork(1, config))


def test_networks_run_side_by_side_in_threads(config: dict[str, Any]) -> None:
    networks = [_core.PacketNetwork(1, config) for _ in range(4)]
    threads = [threading.Thread(target=network.run_to_end) for network in networks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({network.packets()["delay_ns"].tobytes() for network in networks}) == 1
