"""What children said for one (epoch, round): complete by name, read in roster order, closed once."""

from __future__ import annotations

from tiertwin.orchestrate.gathering import Early, Gathering
from tiertwin.orchestrate.units import Stamp
from tiertwin.twin.attributes import TableId
from tiertwin.twin.twin import Unit

NOW = Stamp(4, 0)


def unit(peer: str, table: TableId) -> Unit:
    return Unit(peer, int(table), {"from": peer}, None)


def both(gathering: Gathering, peer: str, stamp: Stamp = NOW) -> list[bool]:
    return [gathering.take(unit(peer, table), stamp) for table in (TableId.CUT, TableId.POINT)]


def test_it_is_read_in_roster_order_whoever_came_first() -> None:
    gathering = Gathering(["a", "b", "c"], NOW)
    for peer in ("c", "a", "b"):
        assert not gathering.complete
        both(gathering, peer)
    assert gathering.complete
    assert [(index, name) for index, name, _, _ in gathering.close()] == [(0, "a"), (1, "b"), (2, "c")]


def test_cuts_without_points_do_not_count() -> None:
    gathering = Gathering(["a", "b"], NOW)
    both(gathering, "b")
    gathering.take(unit("a", TableId.CUT), NOW)
    assert gathering.missing == ["a"]
    assert [name for _, name, _, _ in gathering.close()] == ["b"]


def test_other_rounds_and_closed_calls_take_nothing() -> None:
    gathering = Gathering(["a"], NOW)
    assert both(gathering, "a", Stamp(4, 1)) == [False, False]
    assert both(gathering, "a", Stamp(3, 0)) == [False, False]
    list(gathering.close())
    assert both(gathering, "a") == [False, False]
    assert gathering.missing == ["a"]


def test_early_units_are_handed_over_once_to_their_epoch() -> None:
    early = Early()
    for table in (TableId.CUT, TableId.POINT):
        early.hold(unit("a", table), NOW)
    early.hold(unit("b", TableId.CUT), Stamp(5, 0))
    gathering = Gathering(["a", "b"], NOW)
    early.give(gathering)
    assert gathering.missing == ["b"]
    again = Gathering(["a", "b"], NOW)
    early.give(again)
    assert again.missing == ["a", "b"]
