"""Conflicts between loops by hand: the three kinds, and who gives way."""

from __future__ import annotations

from support.healing import cause_of, model_of, world_of
from tiertwin.functions.heal.actions import Actions, CompensateCell, FallBack, MoveService, Reroute
from tiertwin.functions.heal.candidates import candidates
from tiertwin.functions.heal.scores import Predicted
from tiertwin.orchestrate.conflicts import Oscillation, Request, declared, direct, indirect, resolve, together

METRO = world_of("metro")


def test_actions_declare_what_they_load_free_and_narrow() -> None:
    route = METRO.route_site_links[4].tolist()
    assert route == [7]
    request = declared(
        METRO,
        "healing",
        (Reroute(4, (15, 3)), FallBack(2, 0.5), MoveService(0, 1, 1, 3), CompensateCell(1, (2,), -3.0)),
    )
    assert request.moves == {
        ("load", "link", 7): -1,
        ("load", "link", 3): 1,
        ("load", "link", 15): 1,
        ("capacity", "link", 4): -1,
        ("capacity", "link", 5): -1,
        ("load", "server", 0): -1,
        ("load", "server", 17): 1,
        ("power", "cell", 2): -1,
    }  # fmt: skip
    assert ("route", "4") in request.knobs


def test_one_knob_set_twice_is_direct() -> None:
    a, b = (declared(METRO, loop, (FallBack(2, rate),)) for loop, rate in (("healing", 0.5), ("weather", 0.25)))
    found = direct(a, b)
    assert found is not None
    assert (found.kind, found.loops, found.about) == ("direct", ("healing", "weather"), "rate 2")
    assert direct(a, a) is None


def test_loading_what_another_narrows_is_indirect() -> None:
    reroute = declared(METRO, "healing", (Reroute(4, (15, 3)),))
    narrow = declared(METRO, "weather", (FallBack(1, 0.5),))  # links 2 and 3
    found = indirect(reroute, narrow)
    assert found is not None
    assert found.about == "load and capacity of link 3"
    assert indirect(narrow, reroute) is not None
    assert indirect(reroute, declared(METRO, "weather", (FallBack(5, 0.5),))) is None
    there, back = (declared(METRO, loop, (MoveService(0, 0, *way),)) for loop, way in (("a", (1, 2)), ("b", (2, 1))))
    assert indirect(there, back) is not None


def test_a_model_sees_what_nobody_declared() -> None:
    class Room:
        """Room for one of the two at the fog."""

        def score(self, actions: Actions) -> Predicted:
            mean = {0: 0.0, 1: 1.0, 2: -3.0}[len(actions)]
            return Predicted(mean, mean, 0.0)

    one, other = (
        declared(METRO, loop, (MoveService(site, 0, 1, 2),)) for loop, site in (("healing", 0), ("energy", 4))
    )
    assert indirect(one, other) is None
    found = together(one, other, Room())
    assert found is not None
    assert found.kind == "indirect"
    winners, losers = resolve([one, other], Room())
    assert [w.loop for w in winners] == ["energy"]  # by name: nothing else tells them apart
    assert [(loser.loop, c.about) for loser, c in losers] == [("healing", "the score of both together")]


def test_the_quick_model_finds_two_remedies_that_do_not_go_together() -> None:
    cause = cause_of("metro", "link 3 centre–harbour")
    model = model_of(METRO, cause)
    around = candidates(METRO, [(cause, 1.0)])[1].actions
    healing = declared(METRO, "healing", around)
    narrowed = {action.links[0] // 2 for action in around if isinstance(action, Reroute)}
    weather = Request("weather", {("rate", "9"): (0.5,)}, actions=tuple(FallBack(k, 0.05) for k in sorted(narrowed)))
    assert together(healing, healing, model) is None
    assert together(healing, weather, model) is not None


def test_priority_first_then_score_then_name() -> None:
    requests = [
        Request("energy", {("rate", "1"): (1.0,)}, priority=5, score=9.0),
        Request("healing", {("rate", "1"): (2.0,)}, priority=8, score=0.1),
        Request("weather", {("rate", "1"): (3.0,)}, priority=8, score=0.2),
        Request("allocation", {("rate", "2"): (3.0,)}, priority=1, score=float("nan")),
    ]
    winners, losers = resolve(requests)
    assert [w.loop for w in winners] == ["weather", "allocation"]
    assert [loser.loop for loser, _ in losers] == ["healing", "energy"]
    assert all(conflict.loops[0] == "weather" for _, conflict in losers)


def test_loops_that_fight_over_a_knob_are_seen() -> None:
    watch, found = Oscillation(window=100), []
    for time, (loop, value) in enumerate([("energy", 0.0), ("healing", 1.0)] * 3):
        found += watch.set(10 * time, loop, {("cell", "7"): (value, 0.0)})
    assert found[0].kind == "implicit"
    assert found[0].loops == ("energy", "healing")
    assert found[0].about == "cell 7"
    winners, losers = resolve([Request("healing", {}, priority=7), Request("energy", {})], implicit=found)
    assert [w.loop for w in winners] == ["healing"]
    assert losers[0][1].kind == "implicit"


def test_slow_changes_are_no_oscillation_and_memory_is_bounded() -> None:
    watch = Oscillation(window=100, most=4, knobs=3)
    for k in range(50):
        assert watch.set(101 * k, "ab"[k % 2], {("rate", str(k % 10)): (float(k % 2),)}) == []
    assert len(watch._history) == 3
