"""Actions, what is refused, candidates in their order, other ways, and the twin's quick model of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.healing import cause_of, crafted, model_of, random_action, world_of
from tiertwin.errors import InputError
from tiertwin.functions.assure.causes import Cause, causes_of
from tiertwin.functions.assure.impact import Broken, Degradation
from tiertwin.functions.heal.actions import CompensateCell, FallBack, MoveService, Nothing, Reroute, settings, text
from tiertwin.functions.heal.candidates import Bounds, candidates
from tiertwin.functions.heal.feasible import Rules
from tiertwin.functions.heal.flowmodel import Belief, Doubt, FlowModel, OneOf, dealt, moved
from tiertwin.functions.heal.scores import Predicted, gains, probability_worse, tail_mean
from tiertwin.functions.heal.ways import Ways

METRO = world_of("metro")
ALL_WELL = Broken.of(METRO, (), Degradation())


def test_actions_say_what_they_set() -> None:
    actions = (Reroute(1, (2, 4)), FallBack(3, 0.5), CompensateCell(7, (8, 9)), MoveService(0, 1, 1, 3, 0.5))
    assert settings(actions) == {
        ("route", "1"): (2.0, 4.0),
        ("rate", "3"): (0.5,),
        ("cell", "8"): (3.0, 0.0),
        ("cell", "9"): (3.0, 0.0),
        ("move", "0", "1", "1"): (3.0, 0.5),
    }
    assert text(actions).startswith("route 1 over links 2 4; link 3 at 50%")
    assert text(()) == text((Nothing(),)) == "nothing"


@pytest.mark.parametrize("proposal", crafted(METRO), ids=lambda p: repr(p)[:60])
def test_whatever_is_not_a_proposal_is_refused_with_a_reason(proposal: object) -> None:
    found = Rules(METRO, ALL_WELL).refusal(proposal)
    assert found is not None
    assert found.reason in ("malformed", "non_finite", "unknown", "contradictory", "infeasible")
    assert found.text


def test_what_is_down_is_not_used() -> None:
    broken = Broken.of(
        METRO, (cause_of("metro", "link 3 centre–harbour"), cause_of("metro", "server edge centre")), Degradation()
    )
    rules = Rules(METRO, broken)
    route = METRO.route_site_links[4]
    assert (route // 2 == 3).any()
    refused = rules.refusal((Reroute(4, tuple(route.tolist())),))
    assert refused is not None
    assert refused.reason == "infeasible"
    assert Rules(METRO).refusal((Reroute(4, tuple(route.tolist())),)) is None
    assert rules.refusal((MoveService(0, 0, 2, 1),)) is not None
    assert rules.refusal((MoveService(0, 0, 1, 2),)) is None


def test_a_link_that_is_down_is_gone_around_by_all_its_routes() -> None:
    cause = cause_of("metro", "link 3 centre–harbour")
    found = candidates(METRO, [(cause, 0.9)])
    assert found[0].actions == ()
    assert found[0].text() == "nothing"
    turned = found[1].actions
    assert {a.route for a in turned if isinstance(a, Reroute)} == {4, 10, 13}
    for action in turned:
        assert isinstance(action, Reroute)
        assert 3 not in {link // 2 for link in action.links}
    assert found[1].cause == cause.name
    assert found[1].text().endswith("(against link 3 centre–harbour, 90%)")


def test_candidates_are_bounded_ordered_and_the_same_every_time() -> None:
    located = [(cause_of("metro", name), p) for name, p in (("server fog centre", 0.3), ("link 3 centre–harbour", 0.6))]
    found = candidates(METRO, located)
    assert found == candidates(METRO, located[::-1])
    assert len({c.actions for c in found}) == len(found)
    order = [c.probability for c in found[1:]]
    assert order == sorted(order, reverse=True)
    assert len(candidates(METRO, located, bounds=Bounds(total=3))) == 3
    assert [c.actions for c in candidates(METRO, [(located[0][0], 0.01)])] == [()]
    assert {c.cause for c in candidates(METRO, located, bounds=Bounds(causes=1))} == {"", "link 3 centre–harbour"}


@pytest.mark.parametrize("name", ["metro", "mixed"])
def test_every_cause_of_a_world_has_allowed_candidates_or_none(name: str) -> None:
    world = world_of(name)
    some = 0
    for cause in causes_of(world, {"duct": [0, 1]}):
        rules = Rules(world, Broken.of(world, (cause,), Degradation()))
        found = candidates(world, [(cause, 1.0)], bounds=Bounds(ways=2))
        some += len(found) > 1
        for candidate in found[1:]:
            assert rules.refusal(candidate.actions) is None, candidate.text()
    assert some > world.site_count


def test_cells_without_a_neighbour_site_get_help_in_mixed() -> None:
    mixed = world_of("mixed")
    cause = next(c for c in (cause_of("mixed", n) for n in _access_names(mixed)) if c.kind == "access")
    found = candidates(mixed, [(cause, 1.0)])
    assert len(found) == 4
    for candidate in found[1:]:
        assert all(isinstance(action, CompensateCell) for action in candidate.actions)
        assert sum(len(a.neighbours) for a in candidate.actions if isinstance(a, CompensateCell)) == 4


def _access_names(world: object) -> list[str]:
    return [c.name for c in causes_of(world, {}) if c.kind == "access"]  # type: ignore[arg-type]


def test_a_wrong_probability_or_kind_is_told() -> None:
    cause = cause_of("metro", "server edge centre")
    with pytest.raises(InputError, match=r"expected a probability 0 … 1, got 1\.5"):
        candidates(METRO, [(cause, 1.5)])
    with pytest.raises(InputError, match="expected a probability"):
        candidates(METRO, [(cause, float("nan"))])
    with pytest.raises(InputError, match="got 'meteor'"):
        candidates(METRO, [(Cause("sky", "meteor"), 0.5)])


def test_ways_are_disjoint_first_and_have_something_to_spare() -> None:
    ways = Ways(METRO, ALL_WELL)
    found = ways.between(int(METRO.site_node[10]), int(METRO.fog_node[METRO.site_fog[10]]), 3)
    assert len(found) == 3
    first, second = ({link // 2 for link in way.links} for way in found[:2])
    assert not first & second
    assert found[0].km <= found[1].km
    for way in found:
        assert way.spare_mbps == pytest.approx(ways.spare[list(way.links)].min())
    assert ways.between(3, 3, 2) == []
    assert Ways(METRO, ALL_WELL, background=1e6).between(0, 5, 2) == []


# -- the quick model ---------------------------------------------------------------------------------------------------


def test_going_around_a_cut_link_is_better_and_over_a_loop_of_moves_nothing_is_lost() -> None:
    cause = cause_of("metro", "link 3 centre–harbour")
    model = model_of(METRO, cause)
    nothing, best = model.score(()), model.score(candidates(METRO, [(cause, 1.0)])[1].actions)
    assert best.mean > nothing.mean + 0.01
    assert probability_worse(best, nothing) < 0.02
    assert probability_worse(nothing, best) > 0.98
    assert model.score(()) == nothing
    assert best.cvar <= best.mean


def test_a_move_to_a_server_that_is_down_is_worse() -> None:
    model = model_of(METRO, cause_of("metro", "server fog centre"))
    actions = tuple(MoveService(s, c, 1, 2) for s in np.flatnonzero(METRO.site_fog == 0).tolist() for c in range(4))
    assert model.score(actions).mean < model.score(()).mean - 0.01


def test_a_link_that_loses_frames_is_better_off_slower() -> None:
    shares = np.broadcast_to((0.2, 0.3, 0.3, 0.2), (*METRO.group_devices.shape, 4)).copy()
    loss = np.zeros(METRO.link_count)
    loss[3] = 0.4
    rates = METRO.group_devices * METRO.tasks_per_s[:, None]
    model = FlowModel(METRO, Belief(0.3 * rates, shares, ALL_WELL, 0.3, loss))
    assert model.score((FallBack(3, 0.5),)).mean > model.score(()).mean + 1e-3
    assert model.score((FallBack(3, 0.05),)).mean < model.score((FallBack(3, 0.5),)).mean


def test_beliefs_that_do_not_fit_are_told() -> None:
    shares = np.zeros((*METRO.group_devices.shape, 4))
    rates = METRO.group_devices.astype(np.float64)
    with pytest.raises(InputError, match="expected rates of"):
        FlowModel(METRO, Belief(rates[:-1], shares, ALL_WELL))
    with pytest.raises(InputError, match="expected finite"):
        FlowModel(METRO, Belief(rates * np.nan, shares, ALL_WELL))


@given(seed=st.integers(0, 2**31 - 1))
def test_moves_keep_every_task(seed: int) -> None:
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(4), METRO.group_devices.shape)
    moves = []
    for _ in range(20):
        action = random_action(METRO, random)
        if isinstance(action, MoveService) and Rules(METRO, ALL_WELL).refusal((*moves, action)) is None:
            moves.append(action)
    after = moved(shares, moves)
    np.testing.assert_allclose(after.sum(axis=-1), 1.0)
    assert after.min() >= -1e-12


@given(seed=st.integers(0, 2**31 - 1))
def test_whatever_is_allowed_has_a_finite_score(seed: int) -> None:
    random = np.random.default_rng(seed)
    rules, model = Rules(METRO, ALL_WELL), model_of(METRO, doubt=Doubt(situations=3))
    actions = tuple(random_action(METRO, random) for _ in range(int(random.integers(1, 3))))
    if rules.refusal(actions) is None:
        assert model.score(actions).is_sound


# -- scores ------------------------------------------------------------------------------------------------------------


def test_probability_worse_by_hand() -> None:
    one, other = Predicted(1.0, 1.0, 3.0), Predicted(0.0, 0.0, 4.0)
    assert probability_worse(one, other) == pytest.approx(0.42074, abs=1e-5)  # Φ(−1/5)
    assert probability_worse(one, other, inflation=2.0) == pytest.approx(0.46017, abs=1e-5)  # Φ(−1/10)
    assert probability_worse(one, other, correlation=1.0) == pytest.approx(0.15866, abs=1e-5)  # Φ(−1)
    assert probability_worse(Predicted(1, 1, 0), Predicted(1, 1, 0)) == 0.5
    paired = Predicted(1.0, 0.0, 0.0, (2.0, 0.0)), Predicted(0.5, 0.5, 0.0, (0.5, 0.5))
    assert gains(*paired) == (1.5, -0.5)
    assert probability_worse(*paired) == 0.5


def test_tail_mean_is_the_worst_tenth() -> None:
    assert tail_mean([float(k) for k in range(20)]) == 0.5
    assert tail_mean((3.0,)) == 3.0
    assert np.isnan(tail_mean(()))
    assert not Predicted(float("nan"), 0, 0).is_sound
    assert not Predicted(0, 0, -1).is_sound
    assert not Predicted(0, 0, 0, (float("inf"),)).is_sound


def test_situations_are_dealt_by_probability_and_put_together() -> None:
    doubt = Doubt(situations=12)
    assert [d.situations for d in dealt(doubt, [0.8, 0.2])] == [10, 2]
    assert [d.situations for d in dealt(doubt, [1.0, 1e-9])] == [11, 1]
    assert len({d.seed for d in dealt(doubt, [0.5, 0.5])}) == 2
    for wrong in ([], [-1.0, 2.0], [0.0], [float("nan")]):
        with pytest.raises(InputError, match="expected probabilities"):
            dealt(doubt, wrong)
    names = ("link 3 centre–harbour", "link 13 university–westhill")
    causes = [cause_of("metro", name) for name in names]
    one, other = (model_of(METRO, c, doubt=d) for c, d in zip(causes, dealt(doubt, [0.75, 0.25]), strict=True))
    both = OneOf([one, other])
    actions = candidates(METRO, [(causes[0], 1.0)])[1].actions
    score = both.score(actions)
    assert score.samples == one.score(actions).samples + other.score(actions).samples
    assert score.mean == pytest.approx(0.75 * one.score(actions).mean + 0.25 * other.score(actions).mean)
    sure, torn = (probability_worse(m.score(actions), m.score(())) for m in (one, both))
    assert sure < torn
    with pytest.raises(InputError, match="at least one"):
        OneOf([])
