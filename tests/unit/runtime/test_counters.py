"""The registry of counters: names are unique and stable, nothing that is counted is missing, nothing is invented."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from support.inprocess import cut_off, played, started
from tiertwin import _core
from tiertwin.runtime.counters import BY_NAME, COUNTERS, LAUNCHER, NODE, PROCESS, TRAVELLING
from tiertwin.runtime.countertable import by_scope, counter_table, read_counts, write_counts
from tiertwin.runtime.counting import controller_counts, launcher_counts, node_counts, process_counts
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.livepool import LivePool
from tiertwin.runtime.status import NodeBook
from tiertwin.twin.attributes import registry
from tiertwin.twin.effects import Record

PACKAGE = Path(_core.__file__).parent
RULE = re.compile(r"P([1-9]|1[0-6])|R([1-9]|[1-4]\d|5[0-2])|S[1-8]")
LEFT_OUT = {"bytes_in", "bytes_out", "duplicates", "fresh_bytes", "units", "chunks"}  # of a peer: told elsewhere


@pytest.fixture(scope="module")
def run() -> InProcessRun:
    return played("metro", 2)


def keys_of(*sources: str) -> set[str]:
    return {c.source[1] for c in COUNTERS if c.source[0] in sources}


def test_every_row_says_what_it_is() -> None:
    assert len(BY_NAME) == len(COUNTERS) == len({c.source for c in COUNTERS})
    for counter in COUNTERS:
        assert re.fullmatch(r"[a-z][a-z_]+(\.[a-z0-9_]+)?", counter.name), counter.name
        assert RULE.fullmatch(counter.rule), counter
        assert counter.unit
        assert counter.help[0].islower() or counter.help.startswith("HELLO"), counter
        assert not counter.help.endswith("."), counter
    assert {c.scope for c in COUNTERS} == {NODE, PROCESS, LAUNCHER}


def test_a_family_has_reasons_or_none_one_unit_and_one_scope() -> None:
    for family in {c.family for c in COUNTERS}:
        rows = [c for c in COUNTERS if c.family == family]
        assert len(rows) == 1 or all(c.reason for c in rows), family
        assert len({(c.unit, c.scope, c.source[0]) for c in rows}) == 1, family


def test_every_reason_of_the_codec_has_a_row_and_no_other() -> None:
    assert keys_of("refused") == {*_core.REASONS, "unknown_peer", "unit"} - {"ok"}


def test_every_counter_of_a_peer_has_a_row_or_is_told_elsewhere(run: InProcessRun) -> None:
    peer = next(iter(run.twins["fog-1"].neighbours.values())).peer
    counted = {key for key in peer.counters() if not key.startswith(("in.", "out.", "refused.", "unlisted."))}
    assert counted == (keys_of("peer") - {"unlisted"}) | LEFT_OUT


def test_every_counter_of_the_sockets_has_a_row_and_is_one_in_the_code() -> None:
    text = "\n".join(path.read_text() for path in (PACKAGE / "wire").glob("*.py") if path.name != "memory.py")
    in_code = set(re.findall(r'"(R\d\d [^"]+)"', text))
    in_rows = {key for key in keys_of("endpoint", "door") if key != "admitted"}
    assert in_code == in_rows


def test_every_counter_of_pool_loop_and_observers_has_a_row() -> None:
    assert set(LivePool(lambda *_: True, 1).counters) == keys_of("pool")
    for file, source in (("livehost.py", "host"), ("observers.py", "observers"), ("launcher.py", "launcher")):
        text = "".join((PACKAGE / "runtime" / name).read_text() for name in (file, "liveprocess.py", "keeper.py"))
        in_code = set(re.findall(r'counters\["([^"]+)"\] \+?=', text))
        assert in_code >= keys_of(source) - {"served"}, file


def test_notes_are_entries_that_twins_write() -> None:
    code = "\n".join(p.read_text() for folder in ("twin", "orchestrate") for p in (PACKAGE / folder).glob("*.py"))
    written = set(re.findall(r'Record\("(\w+)"', code)) | set(re.findall(r'what = "(\w+)" if', code))
    for key in keys_of("note") - {"stale", "reconnect"}:
        assert key.split(".")[0] in written, key


def test_what_a_log_says_is_counted() -> None:
    book = NodeBook()
    book.logged(Record("timeout", 3, {"name": "gather"}))
    book.logged(Record("bounds", 3, {"stale": 4}))
    book.logged(Record("bounds", 4, {"stale": 0}))
    assert dict(book.notes) == {"timeout.gather": 1, "bounds": 2, "stale": 4}


def test_counts_of_a_run_are_true_and_travel_whole(run: InProcessRun) -> None:
    twin = run.twins["edge-centre"]
    counts = node_counts(twin, {"decision": 7}, {"R41 banned": 2})
    counts += process_counts({"admitted": 3}, {"late": 1}, {"observers": 2}, {"reports dropped": 5})
    table, other = counter_table(registry()), counter_table(registry())
    assert table.fingerprint() == other.fingerprint()
    write_counts(table, counts, 1)
    read = read_counts(table)
    controller = twin.controller
    assert read["decisions"] == 7
    assert read["messages_refused.banned"] == 2
    assert read["queries_answered"] == controller.tally.queries > 0  # type: ignore[attr-defined]
    assert read["ladder_steps.s2"] == controller.tally.steps[2]  # type: ignore[attr-defined]
    assert read["frames_sent"] == sum(n.peer.counters()["fresh_frames"] for n in twin.neighbours.values())
    assert by_scope(read, PROCESS) == {
        "handshakes_admitted": 3,
        "solves_late": 1,
        "observers_admitted": 2,
        "reports_dropped": 5,
    }
    assert all(count > 0 for count in read.values())


def test_only_what_changed_is_written_again() -> None:
    table = counter_table(registry())
    counts = np.zeros(len(TRAVELLING))
    write_counts(table, counts, 1)
    assert table.dirty_count == len(TRAVELLING)
    table = counter_table(registry())
    write_counts(table, counts, 1_000_000)
    counts[5] = 1
    before = table.times(table.attributes[0]).copy()
    write_counts(table, counts, 2_000_000)
    changed = np.flatnonzero(table.times(table.attributes[0]) != before)
    assert changed.tolist() == [5]


def test_the_controllers_of_every_tier_count(run: InProcessRun) -> None:
    assert set(controller_counts(run.twins["device-centre"].controller)) == {"local_epochs", "clipped"}
    edge = controller_counts(run.twins["edge-centre"].controller)
    assert {"guarded", "queries", "local_epochs", "step.2"} <= set(edge)
    assert {"refused", "local_epochs", "step.2"} <= set(controller_counts(run.twins["fog-1"].controller))


def test_who_is_cut_off_counts_its_local_policy() -> None:
    run = started("metro")
    run.run_epoch(0)
    cut_off(run, "fog-1")
    for epoch in range(1, 6):
        run.run_epoch(epoch)
    counts = node_counts(run.twins["fog-1"], {}, {})
    assert counts[[c.name for c in TRAVELLING].index("local_policy_epochs")] > 0


def test_the_launcher_counts_by_name() -> None:
    told = launcher_counts({"solvers killed": 2, "waiting": 9})
    assert told["solvers_killed"] == 2
    assert told["pool_served"] == 0
    assert set(told) == {c.name for c in COUNTERS if c.scope == LAUNCHER}
