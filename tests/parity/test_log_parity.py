"""The log's reader against its slow twin: the same records, the same end, the same answer to "was it synced?"."""

from __future__ import annotations

from random import Random

import pytest

from reference import log as slow
from support.durable_child import STREAM, Device
from tiertwin import _core

SEGMENT_BYTES = 8192


def segments(seed: int) -> list[bytes]:
    """Return a random log of some segments."""
    random = Random(seed)
    writer = _core.LogWriter("edge-a", 5, seed, None, SEGMENT_BYTES)
    files: dict[int, bytearray] = {}
    device, own, events = Device(0), Device(0), Device(0)
    writer.mark()
    writer.append(1, _core.encode_hello(1, 1, 1, STREAM, 1, 0, 0, 0, 0, incarnation=1))
    for _ in range(random.randrange(5, 80)):
        choice = random.randrange(4)
        if choice == 0:
            writer.append(1, device.frame())
        elif choice == 1:
            writer.append(0, own.frame())
        elif choice == 2:
            writer.append(0, events.frame(), event=True)
        elif writer.open_records:
            write(files, writer.take())
            writer.synced()
            writer.mark()
    writer.append(0, own.frame())
    write(files, writer.take())
    return [bytes(files[key]) for key in sorted(files)]


def write(files: dict[int, bytearray], group: _core.LogGroup) -> None:
    content = bytes(group.view())
    for sequence, offset, begin, size, creates in group.pieces:
        if creates:
            files[sequence] = bytearray(creates)
        files[sequence][offset : offset + size] = content[begin : begin + size]


def both(file: bytes) -> None:
    fast, (_, end) = _core.log_records(file)
    records, slow_end = slow.records_of(file)
    assert end == slow_end
    assert [(k, p, o, len_, g, f) for k, p, o, len_, g, f in fast] == [
        (r.kind, r.peer, r.offset, len(r.frame), bool(r.flags & 1), bool(r.flags & 2)) for r in records
    ]


@pytest.mark.parametrize("seed", range(8))
def test_they_read_the_same(seed: int) -> None:
    for file in segments(seed):
        assert _core.log_header(file) == slow.header_of(file)
        both(file)


@pytest.mark.parametrize("seed", range(40))
def test_they_stop_at_the_same_break_and_judge_it_alike(seed: int) -> None:
    random = Random(seed)
    *_, last = segments(seed)
    used = len(last.rstrip(b"\0"))
    broken = bytearray(last)
    for _ in range(random.randrange(1, 3)):
        at = random.randrange(152, used)
        broken[at] ^= 1 << random.randrange(8)
    both(bytes(broken))
    _, end = slow.records_of(bytes(broken))
    if _core.log_header(bytes(broken))["position"] == 0:
        verdict = _core.recover_log("edge-a", [bytes(broken)], [])
        assert (verdict.action == "restart") == slow.was_synced(bytes(broken), end)
