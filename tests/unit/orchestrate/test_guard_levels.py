"""Before and since, site by site: only sites told both times, those concerned by themselves, the others apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from support.guarding import Bench, good
from support.healing import world_of
from tiertwin.functions.heal.actions import Actions, CompensateCell, FallBack, MoveService, Reroute
from tiertwin.functions.heal.concerned import concerned, sharing
from tiertwin.functions.heal.scores import Predicted
from tiertwin.orchestrate.guardlevels import Watch, before, gain, since
from tiertwin.orchestrate.guardwords import SECOND, Measured, Reason, State

METRO = world_of("metro")
NAN = float("nan")
MS = 1_000_000
MOVE = MoveService(0, 0, 1, 2)


def by_site(*values: float, error: float = 0.01, until: int = 0) -> Measured:
    told = [v for v in values if not math.isnan(v)]
    return Measured(sum(told), 0.1, until - SECOND, until, 0, values, tuple(error for _ in values))


def test_gains_are_of_sites_told_both_times() -> None:
    was = before([by_site(1.0, 2.0, NAN, 4.0)])
    assert was is not None
    now = since([by_site(1.5, NAN, 3.0, 3.0), by_site(1.7, NAN, 3.0, NAN)])
    gained, error = gain(now, was)
    assert gained == pytest.approx(0.6 - 1.0)
    assert error == pytest.approx(0.01 * math.sqrt(2.0 + 0.5 + 1.0))
    only = np.array([True, True, False, False])
    assert gain(now, was, only)[0] == pytest.approx(0.6)
    assert math.isnan(gain(now, was, ~only & np.array([True, True, True, False]))[0])


def test_before_is_the_lowest_of_each_site_and_the_mean_of_the_whole() -> None:
    lowest = before([by_site(1.0, 2.0, NAN), by_site(3.0, NAN, NAN)])
    assert lowest is not None
    np.testing.assert_array_equal(lowest.value, [1.0, 2.0, NAN])
    whole = before([Measured(1.0, 0.3, 0, 1, 0), Measured(2.0, 0.4, 1, 2, 0)])
    assert whole is not None
    assert whole.whole == 1.5
    assert whole.whole_error == pytest.approx(0.25)
    assert before([]) is None


def test_what_is_told_late_of_the_time_before_counts_as_before() -> None:
    watch = Watch(3 * SECOND)
    watch.note(by_site(5.0, 5.0, until=9 * SECOND))
    watch.begin(np.array([True, False]), np.array([False, True]), 0, 10 * SECOND)
    watch.late(by_site(1.0, 5.0, until=10 * SECOND), 10 * SECOND)
    watch.take(by_site(3.0, 5.0, until=12 * SECOND))
    assert watch.gained()[0] == pytest.approx(2.0)
    watch.late(by_site(9.0, 5.0, until=10 * SECOND), 10 * SECOND)  # too late: it has been judged already
    assert watch.gained()[0] == pytest.approx(2.0)


def site_values(first: float, others: float = 1.0) -> tuple[float, ...]:
    return (first, *([others] * (METRO.site_count - 1)))


def promising(actions: Actions) -> Predicted:
    return good(float(bool(actions)))


def bench_with(before_values: tuple[float, ...], error: float = 0.01) -> Bench:
    bench = Bench.of(promising)
    bench.wait(SECOND)
    bench.tell(by_site(*before_values, error=error, until=bench.now))
    bench.propose(MOVE)
    bench.wait(20 * MS)
    assert bench.state is State.WATCHED
    bench.wait(SECOND)
    return bench


def test_noise_of_sites_that_are_not_concerned_takes_nothing_back() -> None:
    bench = bench_with(site_values(1.0), error=0.5)
    bench.tell(by_site(*site_values(1.2, 0.8), error=0.5, until=bench.now))
    assert bench.state is State.WATCHED
    assert bench.said("measured")[-1].numbers["measured"] == pytest.approx(METRO.site_count + 0.2)


def test_the_site_concerned_getting_worse_takes_it_back() -> None:
    bench = bench_with(site_values(1.0))
    bench.tell(by_site(*site_values(0.9, 1.5), until=bench.now))
    assert bench.said("rolled_back")[0].reason == Reason.DISAGREES


def test_harm_to_those_who_share_what_is_loaded_takes_it_back() -> None:
    bench = bench_with(site_values(1.0))
    shared = np.where(METRO.site_fog == METRO.site_fog[0], 0.9, 1.0)
    bench.tell(by_site(1.5, *shared[1:].tolist(), until=bench.now))
    told = bench.said("rolled_back")[0]
    assert told.reason == Reason.DISAGREES
    assert "other sites lost" in told.detail


def test_what_happens_to_those_who_share_nothing_is_something_else() -> None:
    bench = bench_with(site_values(1.0))
    apart = np.where(METRO.site_fog == METRO.site_fog[0], 1.0, 0.2)
    assert apart.min() < 1.0
    bench.tell(by_site(1.5, *apart[1:].tolist(), until=bench.now))
    assert bench.state is State.WATCHED


def test_whom_actions_load() -> None:
    own = METRO.site_fog == METRO.site_fog[0]
    own[0] = False
    assert sharing(METRO, (MOVE,)).tolist() == own.tolist()
    assert not sharing(METRO, (MoveService(0, 0, 2, 1), MoveService(0, 1, 1, 0))).any()
    assert sharing(METRO, (MoveService(0, 0, 1, 3),)).sum() == METRO.site_count - 1
    over = [s for s, route in enumerate(METRO.route_site_links) if np.isin(route // 2, (7, 1)).any()]
    found = np.flatnonzero(sharing(METRO, (Reroute(4, (15, 3)),)))
    assert set(over) - {4} <= set(found.tolist())
    assert 4 not in found


def test_where_the_sites_concerned_are_not_told_nothing_is_judged() -> None:
    bench = bench_with(site_values(1.0))
    bench.tell(by_site(*site_values(NAN, 1.0), until=bench.now))
    assert bench.state is State.WATCHED
    assert "bound" not in bench.said("measured")[-1].numbers
    bench.wait(5 * SECOND)
    assert bench.said("rolled_back")[0].reason == Reason.UNWATCHED


def test_measurements_by_site_have_to_be_sound() -> None:
    bench = bench_with(site_values(1.0))
    for wrong in (by_site(float("inf"), until=bench.now), by_site(1.0, error=-1.0, until=bench.now)):
        bench.tell(wrong)
        assert bench.audits[-1].reason == Reason.NON_FINITE
    assert Measured(1.0, 0.1, 0, 1, 0, (1.0, NAN), (0.1, NAN)).is_sound
    assert not Measured(1.0, 0.1, 0, 1, 0, (1.0, 2.0), (0.1,)).is_sound


def test_whom_actions_are_about() -> None:
    sites, fog = METRO.site_count, 1
    assert np.flatnonzero(concerned(METRO, (MoveService(3, 0, 1, 2),))).tolist() == [3]
    assert np.flatnonzero(concerned(METRO, (Reroute(4, (15, 3)),))).tolist() == [4]
    of_fog = np.flatnonzero(METRO.site_fog == fog).tolist()
    assert np.flatnonzero(concerned(METRO, (Reroute(sites + fog, (0,)),))).tolist() == of_fog
    far = next(site for site in range(sites) if len(METRO.route_site_links[site]))
    assert concerned(METRO, (FallBack(int(METRO.route_site_links[far][0]) // 2, 0.5),))[far]
    assert not concerned(METRO, ()).any()
    mixed = world_of("mixed")
    assert mixed.access is not None
    owner = mixed.access.cells["cell_site"]
    cells = (0, int(np.flatnonzero(owner != owner[0])[0]))
    expected = sorted({int(owner[cell]) for cell in cells})
    assert np.flatnonzero(concerned(mixed, (CompensateCell(cells[0], (cells[1],)),))).tolist() == expected
