"""The border of the log: read-only views that outlive their writer, buffers of any kind, errors by name."""

from __future__ import annotations

import gc

import pytest

from support.durable_child import STREAM, Device
from tiertwin import _core

HELLO = _core.encode_hello(1, 1, 1, STREAM, 1, 0, 0, 0, 0, incarnation=1)


def writer(**more: int) -> _core.LogWriter:
    return _core.LogWriter("edge-a", 5, 9, None, more.get("segment_bytes", 4096))


def test_a_view_of_a_group_is_read_only_and_outlives_the_writer():
    one = writer()
    one.append(0, Device(0).frame())
    view = one.take().view()
    before = bytes(view)
    assert view.readonly
    one.synced()
    for number in range(1, 5):
        one.append(0, Device(number).frame())
        one.take()
        one.synced()
    del one
    gc.collect()
    assert bytes(view) == before


def test_frames_may_be_any_buffer():
    frames = [Device(n).frame() for n in range(3)]
    one, other = writer(), writer()
    for kind, frame in zip((bytes, bytearray, memoryview), frames, strict=True):
        one.append(0, kind(frame))
        other.append(0, frame)
    assert bytes(one.take().view()) == bytes(other.take().view())


def test_mistakes_say_what_was_expected():
    one = writer()
    with pytest.raises(ValueError, match="expected a sealed frame"):
        one.append(0, b"nonsense")
    with pytest.raises(ValueError, match="number 2 of peer 0 cannot be the next record: number"):
        one.append(0, Device(1).frame())
    with pytest.raises(ValueError, match="cannot be the next record: stream"):
        one.append(4, Device(0).frame())
    with pytest.raises(ValueError, match="no record was appended"):
        one.take()
    with pytest.raises(ValueError, match="no group is in flight"):
        one.synced()
    with pytest.raises(ValueError, match="expected a node's name"):
        _core.LogWriter("Edge", 5, 9)
    with pytest.raises(ValueError, match="file_short"):
        _core.log_header(b"")
    with pytest.raises(TypeError):
        one.append(0, "text")


def test_a_verdict_is_asked_with_the_files_it_was_made_of():
    one = writer()
    one.append(0, Device(0).frame())
    group = one.take()
    segment = bytes(group.view()).ljust(4096, b"\0")
    verdict = _core.recover_log("edge-a", [segment], [])
    assert verdict.unacked([segment]) == [(0, Device(0).frame())]
    with pytest.raises(ValueError, match="expected the segments that were recovered"):
        verdict.unacked([])
    with pytest.raises(ValueError, match="expected the snapshot that was recovered"):
        verdict.replay(0, [], [segment], b"nonsense")


def test_names_of_faults_are_those_of_the_core():
    assert _core.LOG_FAULTS["ok"] == 0
    assert len(set(_core.LOG_FAULTS.values())) == len(_core.LOG_FAULTS)
    assert _core.recover_log("edge-a", [b"short"], []).why == "file_short"
