"""A segment and a snapshot of version 1, byte by byte: read, and written again, for ever."""

from __future__ import annotations

from pathlib import Path

from reference import log as slow
from tiertwin import _core

HERE = Path(__file__).parent / "log"
STREAM, PEER_STREAM, SALT = 0x0102030405060708, 0x1122334455667788, 0x5A5A
HELLO = _core.encode_hello(1, 1, 1, PEER_STREAM, 1, 0, 0, 0, 7, incarnation=2)


def golden(name: str) -> bytes:
    lines = (HERE / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex(" ".join(line.split("#")[0] for line in lines))


def written() -> tuple[_core.LogWriter, bytes]:
    """Return the writer of the golden files, and its segment."""
    writer = _core.LogWriter("edge-a", STREAM, SALT, None, 320)
    segment = bytearray(320)
    writer.mark()
    for _ in range(2):
        group = writer.take()
        content = bytes(group.view())
        for _, offset, begin, size, _ in group.pieces:
            segment[offset : offset + size] = content[begin : begin + size]
        writer.synced()
        if writer.appended == 1:
            writer.append(3, HELLO)
    return writer, bytes(segment)


def test_the_writer_still_writes_them() -> None:
    writer, segment = written()
    assert segment == golden("segment")
    assert writer.snapshot(0, []) == golden("snapshot")


def test_recovery_still_reads_them() -> None:
    segment, snapshot = golden("segment"), golden("snapshot")
    verdict = _core.recover_log("edge-a", [segment], [snapshot])
    assert (verdict.action, verdict.snapshot, verdict.end.position) == ("resume", 0, 2)
    assert (verdict.end.stream, verdict.end.stream_of(3)) == (STREAM, PEER_STREAM)
    assert _core.recover_log("edge-a", [segment], []).frames([segment]) == [(3, HELLO)]


def test_the_slow_reader_reads_the_segment() -> None:
    records, end = slow.records_of(golden("segment"))
    assert [(record.kind, record.peer, record.flags) for record in records] == [("mark", 0, 1), ("frame", 3, 1)]
    assert end == 152 + 16 + 16 + 96


def test_the_page_shows_the_golden_segment() -> None:
    page = (Path(__file__).parents[2] / "docs" / "log-format.md").read_text()
    example = page.split("## Example")[1].split("```")[1].removeprefix("text\n")
    shown = "".join(line[:49] for line in example.splitlines())
    assert bytes.fromhex(shown) == golden("segment")[:280]
