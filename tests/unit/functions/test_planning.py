"""What to build in a network: the states it is planned for, candidates, and the plan."""

from __future__ import annotations

import ctypes
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tiertwin.allocate.placement import NONE
from tiertwin.allocate.placement_milp import choose
from tiertwin.allocate.placement_search import exhaustive
from tiertwin.allocate.placement_stage import Stage, growth
from tiertwin.cli import main
from tiertwin.cli.aside import solvers_aside
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.functions.whatif.candidates import (
    Candidate,
    NewLink,
    every_candidate,
    misfit,
    parse_candidate,
    read_candidates,
    with_built,
)
from tiertwin.functions.whatif.plan import cvar, plan, score
from tiertwin.functions.whatif.planning import Aim, placement_problem
from tiertwin.functions.whatif.states import state_of
from tiertwin.functions.whatif.trees import tree_of
from tiertwin.model.interventions import (
    AddCapacity,
    AddSite,
    DegradeLink,
    FailGroup,
    FailLink,
    FailNode,
    FailSite,
    MoveDemand,
    Rain,
    RepairLink,
    ScaleDemand,
    Situation,
)
from tiertwin.study.planning import compare_plans, planning_situations
from tiertwin.world import load, resolve

WORLD = resolve(load("metro"))
NAMES = WORLD.node_names
A, B = NAMES[WORLD.link_tail[0]], NAMES[WORLD.link_head[0]]
TWICE = [Situation("as it is", (), 0.5), Situation("twice", (ScaleDemand(2.0),), 0.5)]


def state(*interventions: object) -> object:
    return state_of(WORLD, Situation("", tuple(interventions)))  # type: ignore[arg-type]


def test_states_are_what_was_done() -> None:
    usual = state_of(WORLD, Situation())
    assert usual.demand.sum() == pytest.approx(float((WORLD.group_devices * WORLD.tasks_per_s[:, None]).sum()))
    assert usual.world.route_site_links is WORLD.route_site_links
    cut = state_of(WORLD, Situation("", (FailLink(A, B),)))
    assert cut.link_mbps[0] == 0.0
    assert all(0 not in route // 2 for route in (*cut.world.route_site_links, *cut.world.route_fog_links))
    assert state_of(WORLD, Situation("", (FailLink(A, B), RepairLink(A, B)))).link_mbps[0] == usual.link_mbps[0]
    group = state_of(WORLD, Situation("", (FailGroup("duct", ((A, B),)),)))
    assert (group.link_mbps == cut.link_mbps).all()
    half = state_of(WORLD, Situation("", (DegradeLink(A, B, 0.5),)))
    assert half.link_mbps[0] == pytest.approx(0.5 * usual.link_mbps[0])
    site = int(np.flatnonzero(WORLD.site_node == WORLD.link_tail[0])[0])
    dark = state_of(WORLD, Situation("", (FailSite(A),)))
    assert dark.site_ghz[site] == dark.cells[site] == 0.0
    assert dark.link_mbps[0] == usual.link_mbps[0]
    gone = state_of(WORLD, Situation("", (FailNode(A),)))
    assert gone.site_ghz[site] == 0.0
    assert (
        gone.link_mbps[(WORLD.link_tail == WORLD.link_tail[0]) | (WORLD.link_head == WORLD.link_tail[0])] == 0
    ).all()
    more = state_of(WORLD, Situation("", (AddCapacity(A, amount=8.0), AddCapacity((A, B), factor=2.0))))
    assert more.site_ghz[site] == usual.site_ghz[site] + 8.0
    assert more.link_mbps[0] == 2.0 * usual.link_mbps[0]
    moved = state_of(WORLD, Situation("", (MoveDemand(A, B, 0.5),)))
    assert moved.demand.sum() == pytest.approx(usual.demand.sum())
    assert moved.demand[site].sum() == pytest.approx(0.5 * usual.demand[site].sum())
    fog = state_of(WORLD, Situation("", (ScaleDemand(3.0, "fog-1"),)))
    assert (fog.demand[WORLD.site_fog == 0] == 3.0 * usual.demand[WORLD.site_fog == 0]).all()
    assert (fog.demand[WORLD.site_fog == 1] == usual.demand[WORLD.site_fog == 1]).all()


def test_states_say_what_they_do_not_know() -> None:
    with pytest.raises(UnknownNameError, match="situation 'x'.*Did you mean"):
        state_of(WORLD, Situation("x", (FailNode(A + "x"),)))
    with pytest.raises(InputError, match="a planner knows no other"):
        state_of(WORLD, Situation("wet", (Rain(50.0),)))
    apart = next(n for n in NAMES if n != A and misfit(WORLD, Candidate("c", NewLink(A, n, 1.0))) is None)
    with pytest.raises(InputError, match="no link joins"):
        state_of(WORLD, Situation("", (FailLink(A, apart),)))


def test_candidates_are_read_as_they_are_written(tmp_path: Path) -> None:
    assert parse_candidate("add-site Ulm,64: 2.5") == Candidate("add-site Ulm,64", AddSite("Ulm", 64.0), 2.5)
    assert parse_candidate("new-link Ulm,Bremen,1000").adds == NewLink("Ulm", "Bremen", 1000.0)
    wide = parse_candidate("add-capacity Ulm,Stuttgart,x2 : 3")
    assert (wide.adds, wide.cost) == (AddCapacity(("Ulm", "Stuttgart"), factor=2.0), 3.0)
    for text in (
        "site Ulm,64",
        "add-site Ulm",
        "new-link Ulm,Ulm,3",
        "new-link A,B",
        "add-site Ulm,64: -1",
        "new-link A,B,0",
    ):
        with pytest.raises(InputError):
            parse_candidate(text)
    path = tmp_path / "candidates"
    path.write_text(f"# what we could build\nadd-site {A},64: 2\n\nnew-link {A},{B},100  # joined already\n")
    assert [one.cost for one in read_candidates(path)] == [2.0, 1.0]
    path.write_text("add-site\nnew-link A,B,x\n")
    with pytest.raises(InputError, match=r"2 problems\n.*line 1(.|\n)*line 2"):
        read_candidates(path)
    with pytest.raises(InputError, match="text file"):
        read_candidates(tmp_path / "none")


def test_what_is_built_is_in_the_world() -> None:
    apart = next(n for n in NAMES if n != A and misfit(WORLD, Candidate("c", NewLink(A, n, 1.0))) is None)
    site = int(np.flatnonzero(WORLD.site_node == NAMES.index(A))[0])
    built = with_built(
        WORLD,
        [
            Candidate("s", AddSite(A, 64.0)),
            Candidate("w", AddCapacity((A, B), factor=2.0)),
            Candidate("n", NewLink(A, apart, 5_000.0, km=0.5)),
        ],
    )
    assert built.site_cores[site] == WORLD.site_cores[site] + 32
    assert built.link_capacity_mbps[0] == 2.0 * WORLD.link_capacity_mbps[0]
    assert built.link_count == WORLD.link_count + 1
    assert built.link_km[-1] == 0.5
    assert len(built.background_mbps) == 2 * built.link_count
    assert with_built(WORLD, [Candidate("n", NewLink(A, apart, 1.0))]).link_km[-1] > 0.0
    with pytest.raises(InputError, match="joins"):
        with_built(WORLD, [Candidate("n", NewLink(A, B, 5_000.0))])


def test_the_problem_is_that_of_the_world() -> None:
    candidates = every_candidate(WORLD, 64.0)[:4]
    problem = placement_problem(WORLD, candidates, TWICE, 2)
    assert problem.weight.tolist() == [0.5, 0.5]
    assert problem.demand[problem.situation == 1].sum() == pytest.approx(
        2 * problem.demand[problem.situation == 0].sum()
    )
    assert (problem.needs == NONE).all()
    one = Stage(problem)
    assert one.value(np.array([0, 1])) >= one.value(np.array([0])) >= one.value(np.empty(0, dtype=np.int64)) - 1e-9
    lone = placement_problem(WORLD, candidates, TWICE, 2, aim=Aim(1.0, 0.0, 0.0))
    assert set(np.round(lone.gain / np.array([WORLD.b.max()]), 9)) >= {0.0} or lone.in_time.all()
    with pytest.raises(InputError, match="probabilities above 0"):
        placement_problem(WORLD, candidates, [Situation("x", (), 0.0)], 2)
    for wrong in ((-1.0, 0, 0, 0.8), (0.0, 0, 0, 0.8), (1.0, 0, 0, 0.0), (1.0, 0, 0, 1.1)):
        with pytest.raises(InputError, match="aim"):
            Aim(*wrong)


def test_a_new_link_is_a_way_only_when_it_is_built() -> None:
    far = int(np.argmax([len(r) for r in WORLD.route_site_links]))
    a, b = NAMES[WORLD.site_node[far]], NAMES[WORLD.fog_node[WORLD.site_fog[far]]]
    candidate = Candidate("way", NewLink(a, b, 10_000.0, km=0.1))
    problem = placement_problem(WORLD, [candidate], [Situation()], 1)
    over = problem.needs == 0
    assert over.any()
    stage = Stage(problem)
    assert stage.serve(np.empty(0, dtype=np.int64)).flow[over].sum() == 0.0
    assert (problem.latency_s[over] < 1.0).all()
    cut = placement_problem(WORLD, [candidate], [Situation("", (FailNode(a),))], 1)
    assert not (cut.needs == 0).any()


def test_the_plan_is_the_best_of_all_pairs_and_says_why_not() -> None:
    candidates = [
        *every_candidate(WORLD, 32.0)[:6],
        Candidate("there", NewLink(A, B, 10.0)),
        Candidate("far", AddSite("Xx", 3.0)),
    ]
    candidates.append(Candidate("dear", AddSite(A, 640.0), 99.0))
    found = plan(WORLD, candidates, 2, 4.0, TWICE)
    every = exhaustive(Stage(found.problem))
    assert found.chosen.worth.value == pytest.approx(every.value, rel=1e-6)
    assert found.chosen.status == "optimal"
    assert found.cost <= 4.0
    assert len(found.built) <= 2
    reasons = {row["candidate"]: row["reason"] for row in found.rows()}
    assert "joins" in reasons["there"]
    assert "expected a node, got 'Xx'" in reasons["far"]
    assert "costs 99, more than the whole budget of 4" in reasons["dear"]
    assert found.after.value >= found.before.value
    assert found.after.growth >= found.before.growth - 1e-9
    assert {row["kpi"] for row in found.outcome_rows()} == set(vars(found.before))
    assert (
        0.0
        <= found.after.coverage_worst
        <= found.after.coverage_cvar + 1e-12
        <= found.after.coverage + 1e-9
        <= 1.0 + 1e-6
    )


def test_the_twin_agrees_that_more_servers_help() -> None:
    found = plan(WORLD, every_candidate(WORLD, 64.0)[:5], 2, np.inf, TWICE)
    for one in score(WORLD, found, TWICE):
        assert one.after > one.before
        assert one.gap < 0.02
    leaves = [leaf.name for leaf in tree_of(state_of(WORLD, Situation())).leaves()]
    assert sorted(leaves) == sorted(twin.name for twin in WORLD.twins if twin.tier == 1)


def test_what_cannot_be_planned_is_told() -> None:
    candidates = every_candidate(WORLD, 64.0)[:2]
    with pytest.raises(InputError, match=r"3 problems(.|\n)*k: (.|\n)*budget: (.|\n)*candidates: "):
        plan(WORLD, [], 0, -1.0)
    with pytest.raises(InputError, match="a name of its own"):
        plan(WORLD, candidates[:1] * 2, 1)
    nothing = plan(WORLD, [Candidate("there", NewLink(A, B, 10.0))], 1)
    assert nothing.built == ()
    assert nothing.reasons["there"]


def test_growth_is_how_far_all_can_grow() -> None:
    problem = placement_problem(WORLD, every_candidate(WORLD, 64.0)[:2], [Situation()], 2)
    none = np.empty(0, dtype=np.int64)
    usual = growth(problem, none, 0)
    twice = placement_problem(WORLD, every_candidate(WORLD, 64.0)[:2], [Situation("", (ScaleDemand(2.0),))], 2)
    assert growth(twice, none, 0) == pytest.approx(usual / 2.0, rel=1e-6)
    assert growth(problem, np.array([0, 1]), 0) >= usual - 1e-9


def test_cvar_is_the_mean_of_the_worst_tenth() -> None:
    values = np.arange(20, dtype=float)
    assert cvar(values, np.full(20, 0.05)) == pytest.approx(0.5)
    assert cvar(values, np.full(20, 0.05), worst=1.0) == pytest.approx(9.5)
    assert cvar(np.array([5.0, 1.0]), np.array([0.95, 0.05])) == pytest.approx(3.0)


def test_situations_of_a_planner_and_ways_to_choose() -> None:
    situations = planning_situations(WORLD, (1.0, 2.0), 3, 0.4)
    assert sum(one.probability for one in situations) == pytest.approx(1.0)
    assert sum(one.probability for one in situations[2:]) == pytest.approx(0.4)
    assert len(situations) == 5
    found = plan(WORLD, every_candidate(WORLD, 64.0)[:5], 2, np.inf, situations)
    rows = {row["method"]: row for row in compare_plans(WORLD, found, situations, 1)}
    assert rows["milp"]["value"] == pytest.approx(rows["exhaustive"]["value"], rel=1e-6)
    assert rows["greedy"]["value"] <= rows["milp"]["value"] * (1.0 + 1e-6)
    assert rows["exhaustive"]["trials"] == 16
    assert rows["milp"]["twin"] > 0.0


def test_at_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "candidates"
    path.write_text(f"add-site {NAMES[0]},64: 1\nadd-site {NAMES[1]},64: 2\n")
    arguments = ["plan", "metro", "--candidates", str(path), "--candidate", "add-site Nowhere,3", "--build", "1"]
    arguments += ["--failures", "0", "--growth", "2", "--score", "0"]
    told = CliRunner().invoke(main, [*arguments, "--json"], env={"COLUMNS": "200"})
    assert told.exit_code == 0, told.output
    assert len(json.loads(told.stdout)["built"]) == 1
    plain = CliRunner().invoke(main, [*arguments, "--compare"], env={"COLUMNS": "200"})
    assert "exhaustive" in plain.output
    assert "expected a node, got 'Nowhere'" in plain.output
    wrong = CliRunner().invoke(main, ["plan", "metro"], env={"COLUMNS": "200"})
    assert wrong.exit_code == 2
    assert "expected at least one" in wrong.output


def test_what_solvers_print_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    libc = ctypes.CDLL(None)
    with solvers_aside():
        os.write(1, b"who I am\n")
        libc.puts(b"buffered")
    print("answer")
    found = capfd.readouterr()
    assert found.out == "answer\n"
    assert set(found.err.split("\n")) == {"who I am", "buffered", ""}


def test_a_limit_of_nothing_builds_nothing() -> None:
    problem = placement_problem(WORLD, every_candidate(WORLD, 64.0)[:2], [Situation()], 0)
    assert choose(problem).built == ()
