"""Writes the corpus of `log_fuzz`: ``python tests/fuzz/make_corpus.py``; small logs and snapshots of every shape.

An input is a byte (bit 0: a snapshot; bit 1: put checksums right first) and a file, or several segments, each behind
its length.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from support.durable_child import STREAM, Device
from tiertwin import _core

FOLDER = Path(__file__).parent / "corpus" / "log"
HELLO = _core.encode_hello(1, 1, 1, STREAM, 1, 0, 0, 0, 0, incarnation=1)
Files = dict[int, bytearray]


def put(files: Files, writer: _core.LogWriter) -> None:
    """Write and sync the open group."""
    group = writer.take()
    content = bytes(group.view())
    for sequence, offset, begin, size, creates in group.pieces:
        if creates:
            files[sequence] = bytearray(creates)
        files[sequence][offset : offset + size] = content[begin : begin + size]
    writer.synced()


def logs() -> dict[str, list[bytes]]:
    """Return lists of segments by name."""
    out: dict[str, list[bytes]] = {}
    for name, segment_bytes, steps in (("mark", 256, 0), ("one", 512, 2), ("some", 1024, 7), ("many", 512, 12)):
        writer, files = _core.LogWriter("edge-a", 5, 9, None, segment_bytes), {}
        device, own, events = Device(0), Device(0), Device(0)
        writer.mark()
        put(files, writer)
        if steps:
            writer.append(1, HELLO)
        for step in range(steps):
            writer.append(1, device.frame())
            if step % 3 == 0:
                writer.append(0, events.frame(), event=True)
            if step % 3 == 1:
                writer.append(0, own.frame(), from_spill=True)
            if step % 2:
                put(files, writer)
        if writer.open_records:
            put(files, writer)
        out[name] = [bytes(files[key]) for key in sorted(files)]
    torn = bytearray(out["one"][0])
    torn[len(bytes(torn).rstrip(b"\0")) - 5] ^= 1
    out["torn"] = [bytes(torn)]
    return out


def snapshots() -> dict[str, bytes]:
    """Return snapshot files by name."""
    writer, files = _core.LogWriter("edge-a", 5, 9), {}
    empty = writer.snapshot(0, [])
    device = Device(0)
    writer.append(1, HELLO)
    for _ in range(3):
        writer.append(1, device.frame())
    put(files, writer)
    device.table.set(1, np.array([9], dtype=np.uint32), np.array([2.5]), 5000)
    writer.append(1, *_core.encode_delta(device.table, 4, 1))
    frames = [(1, frame) for frame in _core.encode_snapshot([device.table], 4, 1)]
    unmarked = bytearray(empty)
    unmarked[-9] = 0  # flags of the mark: once accepted
    return {"empty": empty, "table": writer.snapshot(0, frames), "unmarked": bytes(unmarked)}


def main() -> None:
    """Write all of it, as it is and to be put right."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, segments in logs().items():
        body = b"".join(struct.pack("<I", len(s)) + s for s in segments)
        (FOLDER / f"log-{name}").write_bytes(b"\0" + body)
        (FOLDER / f"log-{name}-repaired").write_bytes(b"\2" + body)
    for name, content in snapshots().items():
        (FOLDER / f"snapshot-{name}").write_bytes(b"\1" + content)
        (FOLDER / f"snapshot-{name}-repaired").write_bytes(b"\3" + content)


if __name__ == "__main__":
    main()
