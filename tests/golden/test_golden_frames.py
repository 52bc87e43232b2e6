"""Every golden frame decodes to what its comments say, and what they say encodes to the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reference import codec
from tiertwin import _core

HERE = Path(__file__).parent
EPOCH = 3 << 32 | 7
CHILD_STREAM = 0x1122334455667788
FIXED = {
    "hello": (1, 1, 0, CHILD_STREAM, 1, 0, 0, 0, EPOCH),
    "welcome": (1, 1, 2, 0, 0x0102030405060708, 5, 9, CHILD_STREAM, 0, 4 << 32 | 7, 64, 4 << 20, 250),
    "ack": (15, 0, 9, 64, 4 << 20),
    "resync": (15, 1, 0),
    "heartbeat": (41, 40, 12, 15, 0x0123456789ABCDEF, EPOCH, 85, 1),
    "bye": (2, "session unknown: say HELLO"),
    "barrier": (EPOCH,),
}
SECOND = 1_000_000_000
Table = _core.StateTable


def golden(name: str) -> bytes:
    lines = (HERE / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex(" ".join(line.split("#")[0] for line in lines))


def incarnation(frame: bytes) -> int:
    return _core.decode_header(frame).incarnation


def rows(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint32)


def telemetry() -> _core.StateTable:
    registry = _core.AttributeRegistry()
    registry.add(1, "load.sum", "tasks/s", "rate", "f64", "sum", 0.0, 1e6, 2000)
    registry.add(2, "cpu", "GHz", "gauge", "f32", "sum", 0.0, 100.0, 2000)
    registry.add(7, "count", "1", "counter", "u32", "sum", 0.0, 4294967295.0, 2000)
    return _core.StateTable(registry, 1, [1, 2, 7], 4)


def one_column(table: int, name: str, *, type_: str, unit: str, kind: str, high: float, max_age_ms: int) -> Table:
    registry = _core.AttributeRegistry()
    low = 0.0 if type_ != "bytes" else -high
    registry.add(1, name, unit, kind, type_, "none", low, high, max_age_ms)
    return _core.StateTable(registry, table, [1], 4)


def names() -> _core.StateTable:
    return one_column(3, "names.telemetry", type_="bytes", unit="", kind="event", high=np.inf, max_age_ms=0)


def budget() -> _core.StateTable:
    return one_column(16, "quota.compute", type_="f64", unit="GHz", kind="gauge", high=1e4, max_age_ms=60000)


def test_there_is_a_frame_of_every_kind():
    kinds = {_core.decode_header(golden(path.stem)).kind for path in HERE.glob("*.hex")}
    assert kinds == set(codec.KINDS.values())


def test_the_wire_page_shows_the_golden_delta():
    page = (HERE.parents[1] / "docs" / "wire-format.md").read_text()
    example = page.split("## Example")[1].split("```")[1].removeprefix("text\n")
    shown = "".join(line[:49] for line in example.splitlines())
    assert bytes.fromhex(shown) == golden("delta")


@pytest.mark.parametrize("name", sorted(path.stem for path in HERE.glob("*.hex")))
def test_the_slow_reference_accepts_it_too(name):
    header = codec.decode_header(golden(name))
    assert header.kind == codec.KINDS[name.split("_")[0]]


@pytest.mark.parametrize("kind", sorted(FIXED))
def test_fixed_bodies_both_ways(kind):
    frame = golden(kind)
    assert getattr(_core, f"decode_{kind}")(frame) == FIXED[kind]
    assert getattr(_core, f"encode_{kind}")(*FIXED[kind], incarnation=incarnation(frame)) == frame


def test_delta_both_ways():
    frame = golden("delta")
    table = telemetry()
    assert _core.ingest(table, frame) == 6
    assert table.column(1)[[0, 3]].tolist() == [1.5, 2.0]
    assert table.times(1)[[0, 3]].tolist() == [SECOND, SECOND]
    assert table.numbers(1).tolist() == [10, 0, 0, 11]
    assert table.column(2)[:3].tolist() == [0.5, 1.0, 1.25]
    assert table.times(2)[:3].tolist() == [SECOND, SECOND + 20_000, SECOND + 1_000_000]
    assert np.isnan(table.column(7)).all()
    assert table.opaque() == [500]
    assert (table.column(500)[3], table.times(500)[3], table.numbers(500)[3]) == (-5.0, -1000, 15)

    sender = telemetry()
    sender.add_opaque(500, "i64")
    sender.set(1, rows(0, 3), np.array([1.5, 2.0]), SECOND)
    for row, value, late in [(0, 0.5, 0), (1, 1.0, 20_000), (2, 1.25, 1_000_000)]:
        sender.set(2, rows(row), np.array([value]), SECOND + late)
    sender.set(500, rows(3), np.array([-5.0]), -1000)
    assert _core.encode_delta(sender, 10, incarnation(frame)) == [frame]
    assert sender.digest() == table.digest()


def test_names_both_ways():
    frame = golden("delta_names")
    table = names()
    assert _core.ingest(table, frame) == 2
    assert [table.get_bytes(1, row) for row in range(3)] == [b"essen", b"ulm", None]

    sender = names()
    sender.set_bytes(1, 1, b"ulm", 0)
    sender.set_bytes(1, 0, b"essen", 0)
    assert _core.encode_delta(sender, 1, incarnation(frame)) == [frame]


def test_budget_both_ways():
    frame = golden("delta_budget")
    lease = (4 << 32 | 8, 77, 3000, 120, 41, 2)
    assert _core.decode_lease(frame) == lease
    table = budget()
    assert _core.ingest(table, frame) == 1
    assert (table.column(1)[0], table.times(1)[0]) == (40.25, 8 * SECOND)

    sender = budget()
    sender.set(1, rows(0), np.array([40.25]), 8 * SECOND)
    assert _core.encode_unit(sender, 3, incarnation(frame), lease, plan=True) == [frame]


def test_snapshot_both_ways():
    frame = golden("snapshot")
    table = telemetry()
    stage = _core.SnapshotStage([table])
    assert stage.add(frame)
    assert np.isnan(table.column(1)).all()  # until the swap
    stage.commit([table])
    assert table.column(1)[[0, 3]].tolist() == [1.5, 2.0]
    assert table.numbers(1).tolist() == [11, 0, 0, 11]
    assert stage.as_of == 11

    sender = telemetry()
    sender.set(1, rows(0, 3), np.array([1.5, 2.0]), SECOND)
    assert sender.settle(10) == 2
    assert _core.encode_snapshot([sender], 11, incarnation(frame)) == [frame]


def test_solve_both_ways():
    frame = golden("solve")
    *fields, blocks = _core.decode_solve(frame)
    assert fields == [99, 200, 2, 1, [3, 4, 0, 0]]
    assert [(b[0], b[1]) for b in blocks] == [(1, "f64"), (2, "u32")]
    assert blocks[0][2] is None
    assert blocks[0][3].tolist() == [1.0, -1.0]
    assert (blocks[1][2].tolist(), blocks[1][3].tolist()) == ([5], [17.0])
    assert _core.encode_solve(*fields, blocks, incarnation(frame)) == frame


def test_solved_both_ways():
    frame = golden("solved")
    *fields, blocks = _core.decode_solved(frame)
    assert fields == [99, 1, 1, 3150]
    assert blocks[0][3].tolist() == [0.25, 0.75]
    assert _core.encode_solved(*fields, blocks, incarnation(frame)) == frame
