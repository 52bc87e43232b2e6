"""The border of radio access networks: exact dtypes, clear refusals, fresh arrays, lifetimes, threads."""

from __future__ import annotations

import gc
import pickle
import threading
from typing import Any

import numpy as np
import pytest

from support.access_scenes import BUSY, MAP, QUIET, SECOND, ZONE, cells, network, people
from tiertwin import _core
from tiertwin.plant.access import AccessPlant
from tiertwin.plant.accessconfig import AccessUsers


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the wrapper gives the core."""
    kept: list[Any] = []

    class Spy:
        def __init__(self, *given: Any) -> None:
            kept.extend(given)

    with monkeypatch.context() as patch:
        patch.setattr(_core, "AccessNetwork", Spy)
        network()
    return {"seed": kept[0], "config": kept[1], "zones": kept[2]}


def test_building_leaves_the_dictionary_alone(config: dict[str, Any]) -> None:
    before = dict(config["config"])
    _core.AccessNetwork(**config)
    assert list(config["config"]) == list(before)
    assert all(config["config"][name] is before[name] for name in before)


def test_the_network_keeps_nothing_of_its_inputs(config: dict[str, Any]) -> None:
    kept, changed = _core.AccessNetwork(**config), _core.AccessNetwork(**config)
    kept.run_until(SECOND)
    for value in config["config"].values():
        if isinstance(value, np.ndarray):
            value[...] = 0
    config.clear()
    gc.collect()
    changed.run_until(SECOND)
    for network_ in (kept, changed):
        network_.run_until(2 * SECOND)
    at = np.array([0.5])
    assert kept.take_kpis(at)[0]["received"].tolist() == changed.take_kpis(at)[0]["received"].tolist()
    assert kept.truth_users()["places"].tolist() == changed.truth_users()["places"].tolist()


def test_results_are_fresh_arrays() -> None:
    plant = network(record=True)
    plant.advance(SECOND)
    books = [plant.truth_users(), plant.truth_cells(), plant.truth_packets()]
    again = [plant.truth_users(), plant.truth_cells(), plant.truth_packets()]
    reports = plant.take_reports(SECOND)
    del plant
    gc.collect()
    for book, other in zip(books, again, strict=True):
        for name, values in book.items():
            if isinstance(values, np.ndarray):
                assert values.flags.writeable
                values[...] = 0
                assert other[name] is not values
    assert np.any(again[0]["places"] != 0)
    assert reports.users.values.flags.owndata
    assert len(reports.users.site_ptr) == 4 + 2


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "cell_x",
            np.zeros(12, np.float32),
            "cell_x: expected a one-dimensional C-order array of float64, got float32",
        ),
        ("cell_x", np.zeros((12, 1)), "cell_x: expected a one-dimensional"),
        ("cell_x", np.zeros(24)[::2], "not contiguous"),
        ("user_class", np.zeros(80), "user_class: expected a one-dimensional C-order array of int64"),
        ("loss", "much", "loss: expected a number"),
        ("heard", 3.0, "heard: expected a whole number"),
        ("record", 1, "record: expected True or False"),
    ],
)
def test_wrong_types_are_refused(config: dict[str, Any], name: str, value: Any, said: str) -> None:
    config["config"][name] = value
    with pytest.raises(TypeError, match=said):
        _core.AccessNetwork(**config)


def test_missing_and_unknown_fields_are_refused(config: dict[str, Any]) -> None:
    given = config["config"]
    with pytest.raises(TypeError, match="unknown fields .*colour"):
        _core.AccessNetwork(config["seed"], {**given, "colour": 1}, config["zones"])
    del given["alpha"]
    with pytest.raises(TypeError, match="field 'alpha' is missing"):
        _core.AccessNetwork(**config)
    with pytest.raises(TypeError, match="there is no rule 'wings'"):
        _core.AccessNetwork(config["seed"], {**given, "alpha": 0.8}, [({"wings": 2.0}, [])])


def test_wrong_sizes_are_refused(config: dict[str, Any]) -> None:
    config["config"]["cell_y"] = np.zeros(11)
    with pytest.raises(ValueError, match=r"cell_y: expected 12 values \(one per cell\), got 11"):
        _core.AccessNetwork(**config)
    with pytest.raises(ValueError, match="x_m: expected a number or 2 of them"):
        network(users=AccessUsers([0, 0], x_m=[1.0, 2.0, 3.0]))
    with pytest.raises(TypeError, match="kind: expected whole numbers"):
        network(users=AccessUsers([0.5]))


def test_calls_refuse_other_dtypes_and_shapes() -> None:
    plant = network()
    with pytest.raises(TypeError):
        plant.lead(np.array([0], np.int32), np.zeros((1, 3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="places: expected x, y and z of 1 users, got 2 numbers"):
        plant.lead(np.array([0]), np.zeros(2))
    with pytest.raises(ValueError, match="after_ms: expected 0"):
        plant.set_sleep(-1)
    core = plant._core
    with pytest.raises(ValueError, match="q: expected numbers from 0 to 1"):
        core.take_kpis(np.array([1.5]))
    one = np.ones(1, np.uint32)
    with pytest.raises(ValueError, match="arrival 0: expected a flow below 1"):
        _core.play_station(1, False, one, one, one, np.zeros(1, np.int64), one, one, one, np.zeros(1, np.int64))
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(core)


def test_other_threads_run_while_it_plays() -> None:
    plant = AccessPlant(1, cells(), people(1500, 0), [ZONE], map_m=MAP, classes=(BUSY, QUIET))
    seen: list[int] = []
    stop = threading.Event()

    def count() -> None:
        while not stop.is_set():
            seen.append(plant.now_ns >= 0)

    thread = threading.Thread(target=count)
    thread.start()
    plant.advance(SECOND)
    stop.set()
    thread.join()
    assert len(seen) > 1
