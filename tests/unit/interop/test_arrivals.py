"""Traces of arrivals in a scenario: what may stand in the file, what is said when it does not, what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import tiertwin as tt
from tiertwin.errors import InputError
from tiertwin.interop.arrivals import MAX_BYTES, read_times
from tiertwin.model.parse import parse_scenario
from tiertwin.model.scenario import scenario_schema
from tiertwin.model.services import MAX_TRACE_TIMES
from tiertwin.plant import SimulatedPlant
from tiertwin.runtime.api import replay
from tiertwin.world import offered_tasks, resolve


def sensor(**changes: Any) -> dict[str, Any]:
    """A class whose tasks come by a trace; None takes a key out."""
    row = {
        "name": "sensor",
        "share": 0.5,
        "megabits": 0.1,
        "cycles_per_bit": 100,
        "deadline_s": 1,
        "arrival": "trace",
        "trace": {"file": "times.csv", "repeat_s": 10},
        **changes,
    }
    return {key: value for key, value in row.items() if value is not None}


def scenario(**changes: Any) -> dict[str, Any]:
    steady = {"name": "steady", "share": 0.5, "tasks_per_s": 1, "megabits": 0.1, "cycles_per_bit": 100, "deadline_s": 1}
    return {
        "name": "traced",
        "topology": {
            "nodes": [{"name": "A"}, {"name": "B"}, {"name": "C"}],
            "links": [{"a": "A", "b": "B", "km": 10}, {"a": "B", "b": "C", "km": 20}],
        },
        "devices": {"count": 60, "minimum_per_site": 10},
        "classes": [steady, sensor(**changes)],
    }


def written(folder: Path, times: str, **changes: Any) -> Path:
    (folder / "times.csv").write_text(times, encoding="utf-8")
    path = folder / "traced.yaml"
    path.write_text(yaml.safe_dump(scenario(**changes)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "0.5\n1\n1\n2.5e0\n",
        "time_s\n0.5\n1\n1\n2.5\n",
        "\ufeff# measured on Monday\n\n id , time_s \r\n a, 0.5\r\n\r\nb,1\r\nb,1\r\nc,2.5",
        'time_s,note\n0.5,"a, b"\n1,\n1,\n2.5,\n',
    ],
    ids=["one a line", "header", "byte order mark, comments, blanks, CRLF", "quotes"],
)
def test_the_two_forms_of_a_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8", newline="")
    assert read_times(tmp_path / "t.csv") == [0.5, 1.0, 1.0, 2.5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected at least one time, got none"),
        ("# nothing\n\n", "expected at least one time, got none"),
        ("time_s\n", "expected at least one time, got none"),
        ("1\n2\nnan\n", "line 3: expected a time in s, got 'nan'"),
        ("1\n1e999\n", "line 2: expected a time of 0 s or later, got 1e999"),
        ("\n-1\n", "line 2: expected a time of 0 s or later, got -1"),
        ("1\nsoon\n", "line 2: expected a time in s, got 'soon'"),
        ("1\n1_0\n", "line 2: expected a time in s, got '1_0'"),
        ("5\n3\n", "line 2: expected ascending times, got 3 after 5; sort them"),
        ("time_s\n1,2\n", "line 2: expected 1 column, got 2"),
        ("when,what\n1,2\n", "line 1: expected one time a line or a header with a column time_s, got 'when,what'"),
        ("1\n" * (MAX_TRACE_TIMES + 1), f"line {MAX_TRACE_TIMES + 1}: expected at most {MAX_TRACE_TIMES} times"),
        ("#" * (MAX_BYTES + 1), "expected at most 8 MiB, got more"),
        ("1\n" + "9" * 200_000 + ",1\n", "line 2: expected a row of a CSV file, got one with field larger than"),
    ],
)
def test_a_wrong_file_is_named_with_path_and_line(tmp_path: Path, text: str, expected: str) -> None:
    path = written(tmp_path, text)
    line = 1 + path.read_text().splitlines().index("    file: times.csv")
    with pytest.raises(InputError) as caught:
        tt.load(path)
    assert caught.value.where == str(path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"line {line}: classes[1].trace.file: {tmp_path / 'times.csv'}: {expected}")


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    path = written(tmp_path, "1\n")
    (tmp_path / "times.csv").write_bytes(b"1\n2\n\xff\xfe\n")
    with pytest.raises(InputError, match=r"times.csv: line 3: expected UTF-8 text; is it binary\?"):
        tt.load(path)
    (tmp_path / "times.csv").unlink()
    with pytest.raises(InputError, match=r"times.csv: expected a file of times, got nothing there"):
        tt.load(path)
    (tmp_path / "times.csv").mkdir()
    with pytest.raises(InputError, match=r"times.csv: expected a file of times, got a folder"):
        tt.load(path)
    for name in ("x" * 4000, "a\0b"):
        with pytest.raises(InputError, match=r"classes\[1\].trace.file: .*: expected a "):
            tt.load(scenario(trace={"file": name}))


def test_a_wrong_file_hides_no_other_mistake(tmp_path: Path) -> None:
    """Files come with everything else, at once."""
    path = written(tmp_path, "2\n1\n", deadline_s=-1)
    with pytest.raises(InputError) as caught:
        tt.load(path, devices__count=-3)
    told = "\n".join(caught.value.problems)
    assert "ascending" in told
    assert "classes[1].deadline_s" in told
    assert "devices.count" in told


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"trace": None}, "classes[1].trace: required with arrival: trace, but missing"),
        ({"trace": {}}, "classes[1].trace: expected exactly one of file or times_s, got neither"),
        ({"trace": {"times_s": []}}, "classes[1].trace: expected exactly one of file or times_s, got neither"),
        (
            {"trace": {"times_s": [1], "file": "t"}},
            "classes[1].trace: expected exactly one of file or times_s, got both",
        ),
        ({"trace": {"times_s": [1, 3, 2]}}, "classes[1].trace.times_s[2]: expected ascending times, got 2 after 3"),
        ({"trace": {"times_s": [-1]}}, "classes[1].trace.times_s[0]: expected a number >= 0.0, got -1"),
        ({"trace": {"times_s": [float("nan")]}}, "classes[1].trace.times_s[0]: expected a finite number, got nan"),
        (
            {"trace": {"times_s": [1, 3], "repeat_s": 2}},
            "classes[1].trace.repeat_s: expected at least the last time of the trace, 3 s, got 2",
        ),
        (
            {"trace": {"times_s": [0, 0], "repeat_s": 1e-6}},
            "classes[1].trace.repeat_s: expected at most 1e+06 tasks/s, got 2 in 1e-06 s",
        ),
        ({"trace": {"times_s": [1], "repeat_s": 0}}, "classes[1].trace.repeat_s: expected a number > 0.0, got 0"),
        (
            {"trace": {"times_s": [1]}, "tasks_per_s": 3},
            "classes[1].tasks_per_s: expected none with arrival: trace, whose mean rate counts, got 3",
        ),
        (
            {"trace": {"times_s": [1]}, "arrival": "poisson", "tasks_per_s": 3},
            "classes[1].trace: expected only with arrival: trace, got it with arrival: poisson",
        ),
        ({"trace": None, "arrival": "onoff"}, "classes[1].tasks_per_s: required, but missing"),
    ],
)
def test_what_does_not_go_together(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        tt.load(scenario(**changes))
    (problem,) = caught.value.problems
    assert problem.startswith(expected)


def test_a_scenario_that_skipped_the_reading_is_told_where_to_go() -> None:
    with pytest.raises(InputError, match=r"classes\[1\].trace.file: expected its times; .* tiertwin.load"):
        parse_scenario(scenario())


def test_the_schema_knows_both_forms_of_a_class() -> None:
    rule = scenario_schema()["$defs"]["ServiceClass"]
    assert rule["if"] == {"properties": {"arrival": {"const": "trace"}}, "required": ["arrival"]}
    assert (rule["then"], rule["else"]) == ({"required": ["trace"]}, {"required": ["tasks_per_s"]})
    assert "tasks_per_s" not in rule["required"]


def test_the_nominal_rate_is_the_mean_of_the_trace() -> None:
    """Over the period; of one played once over the day, or over itself where it is longer."""
    rates = []
    for trace in ({"times_s": [1, 2, 9], "repeat_s": 10}, {"times_s": [1, 2, 9]}, {"times_s": [1, 2, 90]}):
        rates.append(resolve(tt.load(scenario(trace=trace))).tasks_per_s[1])
    assert rates == [pytest.approx(0.3), pytest.approx(3 / 60), pytest.approx(3 / 90)]


def test_the_day_leaves_a_trace_as_it_is_and_brings_the_others_to_the_stated_peak() -> None:
    world = resolve(tt.load(scenario(trace={"times_s": [0], "repeat_s": 0.1})))
    offered = np.array([offered_tasks(world, e) for e in range(world.epochs_per_day)])
    assert np.ptp(offered[:, :, 1], axis=0).max() == 0.0
    assert np.ptp(offered[:, :, 0], axis=0).max() > 0.0
    load = offered[:, :, 0].sum(axis=(1, 2))
    assert load.max() / load.mean() == pytest.approx(1.1 / 0.7)


def test_all_classes_may_be_traces() -> None:
    data = scenario()
    data["classes"] = [sensor(share=1, trace={"times_s": [1], "repeat_s": 4})]
    world = resolve(tt.load(data))
    assert offered_tasks(world, 5).sum() == pytest.approx(60 / 4)
    assert world.site_cores.min() >= 1


def test_the_plant_plays_it(tmp_path: Path) -> None:
    """Once: all devices of the class at the stated times. Repeated: as many a period, each at its own phase."""
    for repeat, counts in ((None, [0, 3, 0, 0]), (1.0, [3, 3, 3, 3])):
        trace = {"file": "times.csv"} | ({} if repeat is None else {"repeat_s": repeat})
        times = "1.25\n1.5\n1.75\n" if repeat is None else "0.25\n0.5\n0.75\n"
        world = resolve(tt.load(written(tmp_path, times, trace=trace)))
        plant = SimulatedPlant(world, 7)
        devices = int(world.group_devices[:, 1].sum())
        made = []
        for second in range(1, 5):
            plant.advance(second * 1_000_000_000, 0)
            made.append(plant.kpis().by_site_class("generated")[:, 1].sum())
        assert made == [devices * count for count in counts]


def test_a_run_stands_alone_and_replays(tmp_path: Path) -> None:
    """The run directory holds the times: the files may be gone, the log is the same."""
    path = written(tmp_path, "time_s\n0.1\n0.35\n0.7\n", trace={"file": "times.csv", "repeat_s": 1})
    done = tt.run(path, epochs=2, policies=["nearest"], out=tmp_path / "run")
    path.unlink()
    (tmp_path / "times.csv").unlink()
    held = json.loads((tmp_path / "run" / "scenario.json").read_text(encoding="utf-8"))
    assert held["classes"][1]["trace"] == {"file": None, "times_s": [0.1, 0.35, 0.7], "repeat_s": 1.0}
    report = replay(tmp_path / "run")
    assert report.identical
    assert tt.run(tt.load(done.scenario), epochs=2, policies=["nearest"]).log_hash == done.log_hash
