"""The border of the performance model: exact dtypes, clear refusals, fresh arrays, lifetimes, threads."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.functions.performance import (
    Observed,
    PathFlows,
    PathLinks,
    PerformanceModel,
    PerformanceState,
    Sizes,
)

PTR, PATHS = np.array([0, 2, 3]), np.array([0, 1, 1])
SIZES = Sizes.exponential(1000.0)


def traffic() -> dict[str, Any]:
    return PerformanceModel(2, (PTR, PATHS)).traffic(PathLinks(8e6), PathFlows(300.0, SIZES))


def predict(given: dict[str, Any], **more: Any) -> dict[str, Any]:
    words = {"coefficients": _core.perf_coefficients(), "log_factor": np.zeros(2), "variance": np.zeros(2), "z": 1.6}
    return _core.PerformanceModel(2, PTR, PATHS).predict(given, **{**words, **more})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("link_rate_bps", [8e6, 0.0], r"link_rate_bps\[1\]: expected a rate in bit/s above 0, got 0"),
        ("link_rate_bps", [8e6], "link_rate_bps: expected 2 values .one per link., got 1"),
        ("link_delay_ns", [np.nan, 0.0], r"link_delay_ns\[0\]"),
        ("link_buffer", [-1, 3], r"link_buffer\[0\]: expected a number of packets"),
        ("link_kind", [0, 3], r"link_kind\[1\]"),
        ("link_idle_w", [-1.0, 0.0], r"link_idle_w\[0\]: expected a power"),
        ("flow_pps", [1.0, np.inf], r"flow_pps\[1\]: expected packets a second"),
        ("flow_size", [0.0, 1.0], r"flow_size\[0\]: expected a mean packet size"),
        ("flow_size2", [2e6, 1.0], r"flow_size2\[1\]: expected the second moment"),
        ("flow_size3", [1e9, 1e9], r"flow_size3\[0\]: expected the third moment"),
        ("flow_smallest", [2000.0, 1.0], r"flow_smallest\[0\]: expected a size from 0 to the mean"),
        ("flow_largest", [9000.0, np.nan], r"flow_largest\[1\]"),
        ("flow_ca2", [-0.1, 1.0], r"flow_ca2\[0\]: expected an index of dispersion"),
        ("flow_burst_s", [0.0, -1.0], r"flow_burst_s\[1\]"),
        ("flow_class", [0, 64], r"flow_class\[1\]: expected a priority class from 0 to 63, got 64"),
    ],
)
def test_a_value_that_cannot_be_is_named(field: str, value: list[Any], message: str) -> None:
    given = traffic()
    given[field] = np.array(value, dtype=given[field].dtype)
    with pytest.raises(ValueError, match=message):
        predict(given)


def test_losses_are_for_fifo_links() -> None:
    given = traffic()
    given["link_kind"], given["link_buffer"] = np.array([1, 0]), np.array([20, 20])
    with pytest.raises(ValueError, match=r"link_buffer\[0\]: expected 2147483647 .unlimited. at a sharing"):
        predict(given)


@pytest.mark.parametrize(
    ("links", "ptr", "paths", "message"),
    [
        (2, [0, 2], [0, 2], r"path_links\[1\]: expected a link from 0 to 1, got 2"),
        (2, [0, 0, 1], [0], r"path_ptr\[1\]: expected more than 0 .flow 0 needs a link"),
        (2, [0, 3], [0, 1], "path_ptr: expected to begin with 0 and to end with 2"),
        (2, [], [], "path_ptr"),
        (-1, [0], [], "links: expected a number of links"),
    ],
)
def test_paths_that_cannot_be_are_refused(links: int, ptr: list[int], paths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _core.PerformanceModel(links, np.array(ptr, dtype=np.int64), np.array(paths, dtype=np.int64))


def test_wrong_types_and_fields_are_told() -> None:
    given = traffic()
    with pytest.raises(TypeError, match="flow_pps: expected a one-dimensional C-order array of float64, got int64"):
        predict({**given, "flow_pps": np.array([1, 2])})
    with pytest.raises(TypeError, match="not contiguous"):
        predict({**given, "flow_pps": np.arange(4.0)[::2]})
    with pytest.raises(TypeError, match="field 'flow_ca2' is missing"):
        predict({k: v for k, v in given.items() if k != "flow_ca2"})
    with pytest.raises(TypeError, match=r"unknown fields \['color'\]"):
        predict({**given, "color": 1})
    with pytest.raises(TypeError):
        _core.PerformanceModel(2, PTR.astype(np.int32), PATHS)


def test_states_coefficients_and_windows_are_checked() -> None:
    given = traffic()
    with pytest.raises(ValueError, match="coefficients: expected 13 values"):
        predict(given, coefficients=np.ones(3))
    with pytest.raises(ValueError, match="state: expected 2 values"):
        predict(given, variance=np.ones(3))
    with pytest.raises(ValueError, match=r"state\[1\]: expected a logarithm"):
        predict(given, log_factor=np.array([0, np.nan]))
    with pytest.raises(ValueError, match="z: expected"):
        predict(given, z=-1.0)
    model = PerformanceModel(2, (PTR, PATHS))
    links, flows = PathLinks(8e6), PathFlows(300.0, SIZES)
    with pytest.raises(ValueError, match="seconds: expected a window's length above 0"):
        model.calibrate(links, flows, Observed(0.0))
    with pytest.raises(ValueError, match="forget: expected a factor above 0"):
        model.calibrate(links, flows, Observed(1.0), forget=0.0)
    with pytest.raises(ValueError, match="flow_delay: expected a number or 2 of them"):
        model.calibrate(links, flows, Observed(1.0, np.zeros(3), 1.0))


def test_python_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"kind\[0\]: expected one of fifo, sharing, priority, got 'lifo'"):
        PerformanceModel(1, [[0]]).predict(PathLinks(1e6, kind="lifo"), PathFlows(1.0, SIZES))
    with pytest.raises(TypeError, match=r"paths\[0\]: expected whole numbers"):
        PerformanceModel(1, [[0.5]])
    with pytest.raises(ValueError, match="pps: expected a number or 1 of them"):
        PerformanceModel(1, [[0]]).predict(PathLinks(1e6), PathFlows([1.0, 2.0], SIZES))
    with pytest.raises(ValueError, match="state: expected shape"):
        PerformanceState.from_array(np.zeros(4))


def test_state_goes_through_arrays_and_forks() -> None:
    state = PerformanceState(np.array([0.1, -0.2]), np.array([0.01, 0.02]))
    again = PerformanceState.from_array(state.to_array())
    assert again.to_array().tolist() == state.to_array().tolist()
    copy = state.copy()
    copy.log_factor[0] = 9
    assert state.log_factor[0] == 0.1


def test_results_are_fresh_and_inputs_are_left_alone() -> None:
    given = traffic()
    before = {k: v.copy() for k, v in given.items()}
    model = _core.PerformanceModel(2, PTR, PATHS)
    words = (_core.perf_coefficients(), np.zeros(2), np.zeros(2), 1.6)
    found, again = model.predict(given, *words), model.predict(given, *words)
    del model
    gc.collect()
    assert all((given[k] == v).all() for k, v in before.items())
    for name, values in found.items():
        assert values.flags.owndata
        assert values.flags.writeable
        values[...] = 1
        assert again[name] is not values


def test_empty_networks_are_networks() -> None:
    found = PerformanceModel(0, []).predict(PathLinks(1e6), PathFlows(1.0, SIZES))
    assert found.mean.shape == found.utilisation.shape == (0,)
    assert PerformanceModel(3, []).predict(PathLinks(1e6), PathFlows(1.0, SIZES)).utilisation.tolist() == [0, 0, 0]


def test_threads_get_the_same() -> None:
    model = PerformanceModel(2, (PTR, PATHS))
    links, flows = PathLinks(8e6), PathFlows(300.0, SIZES)
    want, found = model.predict(links, flows).p99.tolist(), []

    def run() -> None:
        found.extend(model.predict(links, flows).p99.tolist() for _ in range(50))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [want] * 200
