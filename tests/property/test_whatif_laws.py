"""Laws of the what-if engine: nothing changed is the base to the bit; any threads, any order; capacity helps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.whatif import LOCAL, NONE, Row, belief_of, rows_of, sweep
from tiertwin.orchestrate.outcomes import KPIS

METRO = belief_of("metro")
BUSY = belief_of("metro", 3.0)
COLUMN = {kpi: k for k, kpi in enumerate(KPIS)}
WORLD = METRO.world


@pytest.mark.parametrize("replan", [NONE, LOCAL])
def test_nothing_changed_is_the_base_to_the_bit(replan: int) -> None:
    (base,) = sweep(METRO.engine, [[]], replan)
    idle: list[list[Row]] = [
        [(0, 3, 0, 1.0)],
        [(1, 3, 0, 1.0)],
        [(2, 3, 0, 0.0)],
        [(3, 2, 0, 1.0)],
        [(8, 1, 0, 1.0)],
        [(9, 1, 2, 0.0)],
    ]
    for row in sweep(METRO.engine, idle, replan):
        assert np.array_equal(row, base)


@pytest.mark.parametrize("replan", [NONE, LOCAL])
def test_any_number_of_threads_gives_the_same_bits(replan: int) -> None:
    situations: list[list[Row]] = [[(0, a, 0, 0.0), (0, b, 0, 0.0)] for a in range(WORLD.link_count) for b in range(a)]
    one = sweep(METRO.engine, situations, replan)
    for threads in (2, 3, 7):
        assert np.array_equal(sweep(METRO.engine, situations, replan, threads), one)
    order = np.random.default_rng(3).permutation(len(situations))
    assert np.array_equal(sweep(METRO.engine, [situations[i] for i in order], replan, 2), one[order])


@settings(max_examples=60, deadline=None)
@given(rows_of(BUSY, 3))
def test_figures_are_what_they_say(rows: list[Row]) -> None:
    for row in sweep(BUSY.engine, [rows, rows], NONE):
        value = dict(zip(KPIS, row.tolist(), strict=True))
        assert np.isfinite(row).all()
        assert 0.0 <= value["served"] <= value["offered"] * (1 + 1e-12)
        assert value["loss_share"] == pytest.approx(
            1 - value["served"] / value["offered"] if value["offered"] else 0, abs=1e-9
        )
        assert value["loss_share"] - 1e-12 <= value["deadline_miss_ratio"] <= 1.0
        assert value["goodput"] <= value["throughput"] * (1 + 1e-12)
        assert 0.0 <= value["coverage"] <= 1.0
        assert 0.0 <= value["local_share"] <= 1.0


more = st.one_of(
    st.tuples(st.just(1), st.integers(0, WORLD.link_count - 1), st.just(0), st.floats(1.0, 4.0)),
    st.tuples(st.just(3), st.integers(0, len(METRO.server_ghz) - 1), st.just(0), st.floats(1.0, 4.0)),
    st.tuples(st.just(4), st.integers(0, len(METRO.server_ghz) - 1), st.just(0), st.floats(0.0, 64.0)),
)


@settings(max_examples=80, deadline=None)
@given(rows_of(BUSY, 2), st.lists(more, min_size=1, max_size=3))
def test_more_capacity_never_lowers_what_standing_plans_serve(rows: list[Row], extra: list[Row]) -> None:
    less, much = sweep(BUSY.engine, [rows, [*rows, *extra]], NONE)
    assert much[COLUMN["served"]] >= less[COLUMN["served"]] * (1 - 1e-12)
    assert much[COLUMN["goodput"]] >= less[COLUMN["goodput"]] * (1 - 1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, WORLD.site_count - 1), st.floats(1.0, 4.0))
def test_an_edge_that_plans_anew_is_worth_more_with_a_faster_server(site: int, factor: float) -> None:
    (base,), (more_,) = sweep(BUSY.engine, [[]], LOCAL), sweep(BUSY.engine, [[(3, site, 0, factor)]], LOCAL)
    assert more_[COLUMN["objective"]] >= base[COLUMN["objective"]] - 1e-6 * abs(base[COLUMN["objective"]])


@settings(max_examples=60, deadline=None)
@given(rows_of(METRO, 4), st.randoms(use_true_random=False))
def test_interventions_that_commute_do_so(rows: list[Row], random: object) -> None:
    """Factors and additions on different parts; moves and shares are left out, they do not."""
    seen, chosen = set(), []
    for row in rows:
        if (
            row[0] in (1, 2, 3, 4, 6, 7, 8)
            and row[:2] not in seen
            and (row[0] not in (1, 2, 3, 4) or row[1] not in {c[1] for c in chosen})
        ):
            seen.add(row[:2])
            chosen.append(row)
    mixed = list(chosen)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    for replan in (NONE, LOCAL):
        one, other = sweep(METRO.engine, [chosen, mixed], replan)
        assert np.array_equal(one, other)


@settings(max_examples=30, deadline=None)
@given(rows_of(METRO, 3))
def test_an_edge_that_plans_anew_is_never_worse_than_its_standing_plan_by_its_own_problem(rows: list[Row]) -> None:
    """What users ask for is met at least as well when edges may answer to a change of demand."""
    demand = [row for row in rows if row[0] == 8 and row[3] >= 1.0]
    standing, anew = sweep(METRO.engine, [demand], NONE)[0], sweep(METRO.engine, [demand], LOCAL)[0]
    assert anew[COLUMN["objective"]] >= standing[COLUMN["objective"]] - 2e-2 * abs(standing[COLUMN["objective"]])


def test_demand_is_moved_not_made() -> None:
    move: list[Row] = [(9, 0, 1, 0.4)]
    base, moved = sweep(METRO.engine, [[], move], NONE)
    assert moved[COLUMN["offered"]] == pytest.approx(base[COLUMN["offered"]], rel=1e-12)
    site0 = METRO.edges[0].problem.demand.sum()
    doubled = sweep(METRO.engine, [[(8, 0, 0, 2.0)]], NONE)[0]
    assert doubled[COLUMN["offered"]] == pytest.approx(base[COLUMN["offered"]] + site0, rel=1e-12)


def test_a_site_is_moved_as_its_groups_are() -> None:
    groups = WORLD.groups_per_site
    whole: list[Row] = [(9, 0, 1, 0.4)]
    each: list[Row] = [(10, g, groups + g, 0.4) for g in range(groups)]
    one, other = sweep(METRO.engine, [whole, each], LOCAL)
    assert np.array_equal(one, other)


def test_a_group_that_moves_to_another_of_its_site_is_still_there() -> None:
    base, moved = sweep(METRO.engine, [[], [(10, 0, 1, 1.0)]], NONE)
    assert moved[COLUMN["offered"]] == pytest.approx(base[COLUMN["offered"]], rel=1e-12)


def test_a_dead_site_covers_nobody() -> None:
    dead: list[Row] = [(3, 0, 0, 0.0), (6, 0, 0, 0.0)]
    base, gone = sweep(METRO.engine, [[], dead], NONE)
    users = np.array([edge.users.sum() for edge in METRO.edges])
    assert base[COLUMN["coverage"]] == 1.0
    assert gone[COLUMN["coverage"]] == pytest.approx(1 - users[0] / users.sum(), rel=1e-12)
