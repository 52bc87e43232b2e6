"""The localiser as a user meets it: names, rankings, hostile input, floods; and faults played on `mixed`."""

from __future__ import annotations

import numpy as np
import pytest

from support.faulty_world import FaultyWorld
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.functions.assure.causes import Certainties
from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.functions.assure.influences import Rows
from tiertwin.functions.assure.localiser import Localiser, prior_of_hazard
from tiertwin.world import load, resolve

Q = [[0.9, 0.9, 0.0], [0.0, 0.9, 0.9], [0.0, 0.0, 0.9]]


def three() -> Localiser:
    return Localiser(["duct", "node", "card"], ["a down", "b down", "c down"], Q, 0.01, [1e-3, 1e-3, 2e-3])


def test_one_cause_explains_two_alarms_better_than_two_causes() -> None:
    found = three().rank(["b down", "c down"], ["a down"])
    assert found.causes == ("node", "card", "duct")
    assert found.best == ("node",)
    assert found.place("node") == 1
    assert found.probability[0] > 0.8
    assert found.probability[1] < 0.2


def test_two_causes_where_one_cannot_explain_all() -> None:
    sure = Localiser(["duct", "node", "card"], ["a down", "b down", "c down"], Q, 1e-6, [1e-3, 1e-3, 2e-3])
    found = sure.rank(["a down", "b down", "c down"], [])
    assert found.causes[0] == "duct"
    assert found.best in (("duct", "node"), ("duct", "card"))
    assert found.best_probability > 0.3
    assert found.complete


def test_no_evidence_leaves_the_prior_and_top_cuts() -> None:
    found = three().rank([], [], top=2)
    assert found.causes == ("card", "duct")
    np.testing.assert_allclose(found.probability, [2e-3, 1e-3])
    assert found.best == ()


def test_lookalikes_share_a_place() -> None:
    twins = Localiser(["x", "y", "z"], ["a"], [[0.5], [0.5], [0.1]], 0.01, 1e-3)
    found = twins.rank(["a"], [])
    assert (found.place("x"), found.place("y"), found.place("z")) == (2, 2, 3)


def test_an_unknown_observation_is_told_with_what_is_like_it() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'a down'"):
        three().observe(["a dwon"])
    with pytest.raises(InputError, match=r"expected observation 0 … 2, got 3"):
        three().observe(np.array([3]))


def test_one_observation_has_one_state() -> None:
    localiser = three()
    localiser.observe(["a down"])
    before = localiser.posterior()
    with pytest.raises(InputError, match="'b down' was given two states"):
        localiser.observe(["b down"], ["b down"])
    assert localiser.posterior().tolist() == before.tolist()  # nothing was taken
    localiser.observe(["a down", "a down"])  # the same twice is the same
    assert localiser.posterior().tolist() == before.tolist()


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"q": [[1.0, 0.9, 0.0]] * 3}, r"q\[0\]: expected a probability"),
        ({"q": [[np.nan, 0.9, 0.0]] * 3}, r"q\[0\]: expected a probability"),
        ({"q": [[-0.1, 0.9, 0.0]] * 3}, r"q\[0\]: expected a probability"),
        ({"q": [[0.9, 0.9]] * 3}, "table of 3 causes and 3 observations"),
        ({"leak": 0.0}, r"leak\[0\]: expected a probability of 1e-12"),
        ({"leak": [0.1, np.inf, 0.1]}, r"leak\[1\]"),
        ({"leak": [0.1, 0.1]}, "a number or 3 of them"),
        ({"prior": 1.0}, r"prior\[0\]"),
        ({"causes": ["a", "b", "a"]}, "cause 'a' is named twice"),
        ({"q": Rows(np.array([0, 1, 1, 3]), np.array([0, 2, 1]), np.array([0.5, 0.5, 0.5]))}, "ascending"),
        ({"q": Rows(np.array([0, 2, 1, 3]), np.array([0, 1, 2]), np.array([0.5, 0.5, 0.5]))}, "count up"),
    ],
)
def test_what_is_no_model_is_told(given, match: str) -> None:
    arguments = {"causes": ["a", "b", "c"], "observations": ["x", "y", "z"], "q": Q, "leak": 0.01, "prior": 0.01}
    with pytest.raises(ValueError, match=match):
        Localiser(**(arguments | given))


def test_nothing_to_explain_and_nobody_to_blame() -> None:
    empty = Localiser([], [], np.zeros((0, 0)), 0.01, 0.01)
    assert empty.rank([], []).causes == ()
    blameless = Localiser(["a"], ["x"], [[0.0]], 0.01, 0.01)
    np.testing.assert_allclose(blameless.rank(["x"], []).probability, [0.01])


def test_a_flood_of_alarms_from_one_cause() -> None:
    """100 000 alarms, every one a cause of its own could have made; one cause behind all."""
    count = 100_000
    own = np.arange(count)
    rows = Rows.of_triples(
        2_001, np.append(own % 2_000, np.full(count, 2_000)), np.append(own, own), np.full(2 * count, 0.9)
    )
    localiser = Localiser([f"c{k}" for k in range(2_000)] + ["core"], [f"o{k}" for k in range(count)], rows, 1e-3, 1e-4)
    localiser.observe(np.arange(count))
    found = localiser.ranked(3)
    assert found.causes[0] == "core"
    assert found.best[-1] == "core"
    assert found.probability[0] > 0.999


def test_prior_of_hazard_is_mean_downtime() -> None:
    np.testing.assert_allclose(prior_of_hazard([1.0 / 9.0, 0.0, 1e30], [1.0, 1.0, 1e30]), [0.1, 1e-12, 1 - 1e-12])
    with pytest.raises(InputError, match="expected finite hazards"):
        prior_of_hazard([np.nan], [1.0])


@pytest.mark.parametrize(
    ("kinds", "first"), [(("link", "node", "server", "access"), 0.9), (("degraded", "slow"), 0.9), (("group",), 0.9)]
)
def test_faults_of_mixed_are_found_from_thresholds_on_signals(kinds: tuple[str, ...], first: float) -> None:
    """10 % of the samples lost, three windows; tests/long/localise_signals.py has the whole table."""
    world = resolve(load("mixed"))
    graph = dependencies(world, {"duct": [0, 1, 2], "tower": [27, 28, 29]})
    faulty, localiser, rng = FaultyWorld(world), graph.localiser(), np.random.default_rng(11)
    places = []
    for _ in range(60):
        cause = graph.causes[int(rng.choice([c for c, one in enumerate(graph.causes) if one.kind in kinds]))]
        alarms, silent = faulty.measure(rng, [cause], 0.1, windows=3)
        places.append(
            localiser.rank(alarms, silent, 3).causes.index(cause.name) + 1
            if cause.name in localiser.rank(alarms, silent, 3).causes
            else 99
        )
    assert np.mean(np.array(places) == 1) >= first
    assert np.mean(np.array(places) <= 3) >= 0.98


def test_a_world_without_faults_blames_nobody() -> None:
    world = resolve(load("mixed"))
    graph = dependencies(world)
    faulty, localiser, rng = FaultyWorld(world), graph.localiser(), np.random.default_rng(5)
    blamed = [len(localiser.rank(*faulty.measure(rng, [], 0.1)).best) for _ in range(50)]
    assert np.mean(blamed) <= 0.02


def test_the_twins_hazards_tell_lookalikes_apart() -> None:
    """A degraded link alone on its route shows as the other on it: the older one is named first."""
    world = resolve(load("mixed"))
    graph = dependencies(world)
    route = next(r for r in world.route_site_links if len(r) == 2) // 2
    names = [graph.causes[world.link_count + link].name for link in route]
    alarms = [n for n in graph.observations if n.endswith(" loss") and n.startswith("site country")]
    for old in (0, 1):
        down = np.full(world.link_count, 1e-3)
        down[route[old]] = prior_of_hazard(1e-6, 14_400.0)
        localiser = graph.localiser(graph.priors(link_down=down))
        found = localiser.rank([a for a in alarms if _over(graph, a, names)], [])
        assert found.place(names[old]) < found.place(names[1 - old])
    with pytest.raises(InputError, match="expected 32 probabilities"):
        graph.priors(link_down=[0.1])
    assert graph.priors().tolist() == graph.prior.tolist()


def _over(graph, observation: str, names: list[str]) -> bool:
    """Whether all these causes show in an observation."""
    number = graph.observations.index(observation)
    rows = [[c.name for c in graph.causes].index(name) for name in names]
    return all(number in graph.rows.observation[graph.rows.start[r] : graph.rows.start[r + 1]] for r in rows)


def test_groups_and_certainties_are_the_users() -> None:
    world = resolve(load("mixed"))
    with pytest.raises(InputError, match=r"group 'duct': expected links 0 … 31"):
        dependencies(world, {"duct": [0, 32]})
    with pytest.raises(InputError, match="at least one"):
        dependencies(world, {"duct": []})
    graph = dependencies(world, {"duct": [1, 0, 1]}, Certainties(own=0.5))
    assert graph.cause("group duct").links == (0, 1)
    with pytest.raises(UnknownNameError, match="did you mean 'group duct'"):
        graph.cause("group ductt")
    own = graph.rows.q[graph.rows.start[0] : graph.rows.start[1]]
    assert 0.5 in own
