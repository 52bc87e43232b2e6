"""The event log: canonical lines, the hash over them, and the check of a replay against it."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.fake_run import write_run
from tiertwin.store import EventLog, ReplayCheck, canonical, open_run
from tiertwin.store.log import read_lines

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_canonical_form():
    line = canonical({"b": 0.1, "a": [1, True, None], "ü": np.float64(1e16), "n": np.int64(3), "v": np.array([1.5, 2])})
    assert line == '{"a":[1,true,null],"b":0.1,"n":3,"v":[1.5,2.0],"ü":1e+16}\n'.encode()


@settings(max_examples=100)
@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_canonical_reads_back_and_ignores_key_order(event):
    line = canonical(event)
    assert json.loads(line) == event
    assert canonical(dict(reversed(event.items()))) == line
    assert line.count(b"\n") == 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.array([1.0, np.nan])])
def test_what_json_cannot_say_is_refused(bad):
    with pytest.raises(ValueError, match="finite numbers only"):
        canonical({"value": bad})


def test_objects_are_refused():
    with pytest.raises(TypeError, match="expected JSON values or numpy arrays in an event, got set"):
        canonical({"value": {1}})


def test_hash_is_blake2b_over_the_file(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    for number in range(50):
        log.write({"number": number})
    log.close()
    assert log.count == 50
    assert log.log_hash == hashlib.blake2b(path.read_bytes(), digest_size=32).hexdigest()
    silent = EventLog(None)
    for number in range(50):
        silent.write({"number": number})
    assert silent.log_hash == log.log_hash


def test_nothing_is_on_disk_before_the_flush_and_all_after(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    log.write({"number": 1})
    assert path.read_bytes() == b""
    log.flush()
    assert path.read_bytes() == b'{"number":1}\n'
    log.abandon()


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_torn_last_line_is_left_out(tmp_path, cut):
    path = tmp_path / "events.jsonl"
    whole = canonical({"number": 1}) + canonical({"number": 2})
    path.write_bytes(whole[:-cut])
    assert list(read_lines(path)) == [canonical({"number": 1})]


def _replay(run, events):
    check = ReplayCheck(run)
    for event in events:
        check.write(event)
    return check.report()


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "complete"
    write_run(folder, epochs=3, policies=("hierarchical",))
    return open_run(folder)


def test_an_identical_replay(complete):
    report = _replay(complete, complete.events())
    assert report.identical
    assert report.difference is None
    assert report.log_hash == report.recorded_hash == complete.log_hash == complete.recorded_hash
    assert report.events == report.recorded_events == 3


def test_the_first_difference_is_named(complete):
    events = list(complete.events())
    events[1]["value"] += 1.0
    events[2]["twin"] = "fog-1"
    report = _replay(complete, events)
    assert not report.identical
    assert report.difference.number == 1
    assert report.difference.path == "value"
    assert report.difference.replayed["value"] == report.difference.recorded["value"] + 1.0


@pytest.mark.parametrize(("keep", "number"), [(2, 2), (0, 0)])
def test_a_shorter_replay_differs_where_it_ends(complete, keep, number):
    report = _replay(complete, list(complete.events())[:keep])
    assert (report.difference.number, report.difference.replayed) == (number, None)
    assert report.recorded_hash == complete.log_hash


def test_a_longer_replay_differs_unless_the_run_was_interrupted(complete, tmp_path):
    extra = [*complete.events(), {"kind": "more"}]
    assert _replay(complete, extra).difference.recorded is None
    write_run(tmp_path / "cut", epochs=3, policies=("hierarchical",), finish=False)
    report = _replay(open_run(tmp_path / "cut"), extra)
    assert report.identical
    assert report.log_hash == report.recorded_hash


def test_paths_of_differences_go_into_lists(complete):
    check = ReplayCheck(complete)
    check._recorded = iter([canonical({"load": [1, {"x": 2}]})])
    check.write({"load": [1, {"x": 3}]})
    assert check.differs
    assert check.report().difference.path == "load[1].x"
