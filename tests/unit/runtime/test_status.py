"""What a node says of itself: true to the twin, whole through the table, and looking changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from support.inprocess import cut_off, played, started
from tiertwin import _core
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.status import (
    LIVE,
    NodeBook,
    NodeStatus,
    ProcessBook,
    Waiting,
    read_status,
    status_of,
    status_table,
    waits_for,
    write_status,
    written_at,
)
from tiertwin.twin.attributes import registry


@pytest.fixture(scope="module")
def run() -> InProcessRun:
    return played("metro", 2)


def look(run: InProcessRun, name: str) -> NodeStatus:
    return status_of(run.twins[name], run.now, NodeBook(), ProcessBook(12.5, 7, 1))


def order_of(run: InProcessRun, name: str) -> list[str]:
    return sorted(run.twins[name].neighbours, key=Roster(run.world).index)


def test_a_healthy_tree_is_led_from_the_root_down(run: InProcessRun) -> None:
    root = look(run, "cloud-1")
    assert (root.epoch, root.decided, root.alone, root.lease_epoch) == (1, 1, 0, -1)
    assert 0 <= root.gap < 0.1
    for name in ("fog-1", "edge-centre", "device-centre"):
        status = look(run, name)
        assert (status.epoch, status.alone, status.lease_epoch, status.gap) == (1, 0, 1, -1), name
        assert status.lease_left_ms > 0
        assert all(link.session == LIVE and link.attached == 1 for link in status.links), name
    assert (root.rss_mb, root.pool_asked, root.pool_late) == (12.5, 7, 1)


def test_a_table_carries_it_whole(run: InProcessRun) -> None:
    for name in ("cloud-1", "fog-2", "edge-harbour", "device-harbour"):
        status, order = look(run, name), order_of(run, name)
        table = status_table(registry(), len(order))
        assert read_status(table, name, order) is None
        write_status(table, status, order, 5_000_000)
        read = read_status(table, name, order)
        assert read is not None
        assert read.epoch == status.epoch
        assert {link.peer: link for link in read.links} == {link.peer: link for link in status.links}
        assert [link.peer for link in read.links] == order
        assert written_at(table) == 5_000_000


def test_both_ends_agree_on_the_table_by_the_number_of_neighbours_alone() -> None:
    assert status_table(registry(), 3).fingerprint() == status_table(registry(), 3).fingerprint()
    assert status_table(registry(), 3).fingerprint() != status_table(registry(), 4).fingerprint()


def test_looking_changes_nothing(run: InProcessRun) -> None:
    before = {name: twin.digests() for name, twin in run.twins.items()}
    for name in run.twins:
        look(run, name)
    assert {name: twin.digests() for name, twin in run.twins.items()} == before


def test_books_count_what_went_over_a_link(run: InProcessRun) -> None:
    book = NodeBook()
    book.link("fog-1").came(100, run.now - 3_000_000)
    book.link("fog-1").went(40)
    book.link("device-centre").went(2)
    status = status_of(run.twins["edge-centre"], run.now, book, ProcessBook())
    links = {link.peer: link for link in status.links}
    assert (links["fog-1"].bytes_in, links["fog-1"].bytes_out, links["fog-1"].silent_ms) == (100, 40, 3.0)
    assert links["device-centre"].silent_ms == -1
    assert status.frames_out == 2


def test_who_is_cut_off_waits_for_its_parent_and_its_parent_for_it() -> None:
    run = started("metro")
    run.run_epoch(0)
    cut_off(run, "fog-1")
    for epoch in range(1, 6):
        run.run_epoch(epoch)
    assert waits_for(run.twins["fog-1"], run.now) == (Waiting.PARENT, frozenset({"cloud-1"}))
    fog = look(run, "fog-1")
    assert fog.alone == 1
    assert fog.lease_left_ms < 0 <= fog.lease_epoch
    links = {link.peer: link for link in look(run, "cloud-1").links}
    assert links["fog-1"].session != LIVE
    assert links["fog-2"].session == LIVE


def test_a_wait_is_timed_from_its_beginning_and_anew_in_each_epoch() -> None:
    run = started("metro")
    run.run_epoch(0)
    twin, book = run.twins["edge-centre"], NodeBook()
    book.note(twin, 10)
    assert (book.waiting, book.since) == (Waiting.NOTHING, 10)
    twin.epoch += 1
    controller = twin.controller
    controller.version = twin.epoch + 1  # type: ignore[attr-defined]  as when the epoch began and no budget came
    for now in (20, 30):
        book.note(twin, now)
        assert (book.waiting, book.since) == (Waiting.BUDGET, 20)
    status = status_of(twin, 20 + 7_000_000, book, ProcessBook())
    assert (status.waiting, status.waiting_since_ms) == (Waiting.BUDGET, 7.0)
    assert [link.peer for link in status.links if link.awaited] == ["fog-1"]
    twin.epoch += 1
    controller.version += 1  # type: ignore[attr-defined]
    book.note(twin, 40)
    assert book.since == 40


def test_the_registry_takes_every_value_a_status_may_have() -> None:
    """Ranges are those of the wire: a value outside would make a bad frame."""
    table = status_table(registry(), 1)
    for attribute in table.attributes:
        found = table.attribute(attribute)
        assert found.low <= 0 <= found.high
        assert found.unit
    assert isinstance(table, _core.StateTable)
    assert np.isnan(table.column(table.attributes[0])).all()
