"""What-if on a live run: interventions, rules of planning, sweeps, intervals, the plant, stored runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiertwin as tt
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.model.interventions import FailLink, FailNode, ScaleDemand, SetParameter, Situation
from tiertwin.orchestrate.fork import Fork
from tiertwin.orchestrate.outcomes import KPIS
from tiertwin.orchestrate.situations import double_failures, single_failures
from tiertwin.runtime.storedfork import stored_fork


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tt.Result:
    return tt.run("metro", epochs=6, seed=7, out=tmp_path_factory.mktemp("runs") / "metro")


@pytest.fixture(scope="module")
def live(result: tt.Result) -> Fork:
    return result.twin("cloud-1").fork()


def test_nothing_done_changes_nothing(live: Fork) -> None:
    for rule in ("none", "local", "tree"):
        compared = live.fork().compare(rule, intervals=False)
        assert all(row["change"] == 0.0 for row in compared.rows()), rule


def test_the_rules_agree_on_what_is_offered_and_the_tree_plans_best(live: Fork) -> None:
    fork = live.fork().scale_demand(2.5).fail_link("Centre", "Station")
    found = {rule: fork.expect(rule) for rule in ("none", "local", "tree")}
    assert found["none"].value("offered") == found["local"].value("offered") == found["tree"].value("offered")
    assert found["tree"].value("certified_gap") < 0.05
    assert found["tree"].value("objective") >= found["none"].value("objective")


def test_every_intervention_has_a_method(live: Fork) -> None:
    fork = (
        live.fork()
        .degrade_link("Centre", "Harbour", 0.5)
        .fail_group("duct", [("Centre", "Station"), ("Station", "Stadium")])
        .repair_link("Centre", "Station")
        .fail_site("Westhill")
        .fail_node("Lakeside")
        .move_demand("Old Town", "Stadium", 0.5)
        .add_capacity("Stadium", factor=2.0)
        .add_capacity(("Stadium", "Eastwood"), amount=500.0)
        .storm("fog-1", 10.0)
        .set_parameter("objective.energy_utils_per_j", 0.2)
        .scale_demand(1.2, "edge-centre")
    )
    assert len(fork.interventions) == 11
    assert np.isfinite([value for value, _ in fork.expect("local").values.values()]).all()
    assert live.interventions == ()
    with pytest.raises(InputError, match="microwave"):
        fork.rain(50.0)
    with pytest.raises(InputError, match="has one"):
        fork.add_site("Centre", 8.0)
    assert len(fork.interventions) == 11


def test_a_situation_is_all_or_nothing(live: Fork) -> None:
    fork = live.fork()
    with pytest.raises(InputError, match="down already"):
        fork.apply(Situation("twice", (ScaleDemand(2.0), FailNode("Centre"), FailNode("Centre"))))
    assert fork.interventions == ()
    assert fork.compare("none", intervals=False).rows()[0]["change"] == 0.0


def test_a_sweep_is_what_forks_say_one_by_one(live: Fork) -> None:
    situations = single_failures(live.belief.world)
    sweep = live.sweep(situations, threads=2, replan="local")
    assert len(sweep.kpis) == live.belief.world.link_count + live.belief.world.node_count
    for index in (0, 7, len(situations) - 1):
        alone = live.fork().apply(situations[index]).expect("local")
        assert [alone.value(kpi) for kpi in KPIS] == sweep.kpis[index].tolist()
    assert sweep.rows(3)[0]["score"] == sweep.scores.min()
    pairs = double_failures(live.belief.world)
    assert not any(
        isinstance(a, FailLink) and isinstance(b, FailNode) and b.node in a.ends
        for a, b in (s.interventions for s in pairs)
    )


def test_a_sweep_starts_from_what_was_done(live: Fork) -> None:
    busy = live.fork().scale_demand(2.0)
    (row,) = busy.sweep([(FailNode("Harbour"),)], replan="none").kpis
    (other,) = live.sweep([(ScaleDemand(2.0), FailNode("Harbour"))], replan="none").kpis
    assert np.array_equal(row, other)
    with pytest.raises(InputError, match="'again'.*down already"):
        live.fork().fail_node("Harbour").sweep([Situation("again", (FailNode("Harbour"),))])
    with pytest.raises(UnknownNameError, match="'Harbour'"):
        live.sweep([(FailNode("Habour"),)])
    with pytest.raises(InputError, match="none or local"):
        live.sweep([()], replan="tree")
    with pytest.raises(InputError, match="threads"):
        live.sweep([()], threads=0)


def test_intervals_come_from_the_twins_own_errors(result: tt.Result, live: Fork) -> None:
    compared = live.fork().scale_demand(1.5).compare("none")
    assert "errors of the twins' own" in compared.note
    for row in compared.rows():
        assert row["low"] <= row["high"]
    offered = compared.rows()[0]
    assert offered["low"] < offered["change"] < offered["high"]
    young = tt.run("metro", epochs=1, seed=7).twin("cloud-1").fork().scale_demand(1.5).compare("none")
    assert young.intervals == {}
    assert young.note.startswith("No intervals")


def test_a_parameter_changes_what_is_best(live: Fork) -> None:
    dear = live.fork().set_parameter("objective.energy_utils_per_j", 50.0).compare("local", intervals=False)
    change = {row["kpi"]: row["change"] for row in dear.rows()}
    assert change["objective"] < 0.0
    assert change["power"] <= 0.0
    mixed = live.sweep([(), (SetParameter("objective.energy_utils_per_j", 50.0),)])
    assert mixed.kpis[0].tolist() == mixed.base.tolist()
    assert mixed.kpis[1, list(KPIS).index("objective")] == dear.after.value("objective")
    with pytest.raises(InputError, match="scenario of its own"):
        live.fork().set_parameter("sites.core_ghz", 4.0).expect("local")


def test_a_fog_and_an_edge_have_domains_of_their_own(result: tt.Result) -> None:
    fog = result.twin("fog-1").fork()
    inside = fog.belief.world.node_names[int(fog.belief.world.site_node[fog.belief.edges[0].site])]
    assert fog.fail_site(inside).compare("local", intervals=False).after.value("coverage") < 1.0
    edge = result.twin("edge-centre").fork().scale_demand(3.0)
    assert edge.compare("tree", intervals=False).after.value("offered") > 0
    with pytest.raises(InputError, match="domain of edge-centre"):
        edge.scale_demand(2.0, "Harbour")
    with pytest.raises(InputError, match="devices decide nothing"):
        result.twin("dev-centre").fork() if "dev-centre" in {t.name for t in result.world.twins} else _gateway(result)


def _gateway(result: tt.Result) -> Fork:
    return result.twin(next(t.name for t in result.world.twins if t.tier == 0)).fork()


def test_the_plant_has_the_last_word() -> None:
    twin = tt.run("metro", epochs=1, seed=7).twin("cloud-1")
    fork = twin.fork().scale_demand(3.0).fail_node("Harbour")
    played = fork.play(seeds=[1, 2], epochs=1)
    assert played.change("goodput_mbps").samples == 2
    assert played.change("deadline_miss_ratio").mean > 0.0
    assert "no cells" in played.table()
    nothing = twin.fork().play(seeds=[1], epochs=1)
    assert nothing.without == nothing.treated
    assert nothing.without["jain"][0] == played.without["jain"][0]
    with pytest.raises(InputError, match="no plant has a storm"):
        twin.fork().storm("fog-1", 5.0).play(seeds=[1], epochs=1)
    with pytest.raises(InputError, match="each once"):
        fork.play(seeds=[1, 1], epochs=1)


def test_a_stored_run_is_forked_as_believed(result: tt.Result, live: Fork) -> None:
    assert result.folder is not None
    fork, at = stored_fork(result.folder)
    assert at == 5
    believed = np.stack([edge.problem.demand for edge in live.belief.edges])
    stored = np.stack([edge.problem.demand for edge in fork.belief.edges])
    assert np.allclose(stored, believed, rtol=1e-9)
    assert fork.fail_node("Harbour").compare("local").note.startswith("No intervals")
    with pytest.raises(InputError, match="epoch: expected 0"):
        stored_fork(result.folder, 99)
    with pytest.raises(InputError):
        stored_fork(Path(result.folder).parent)
