"""Failures made up: what risks are, what happens together, and what cannot be asked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tiertwin.errors import InputError, UnknownNameError
from tiertwin.functions.whatif.failures import drawn, enumerated, merged, single, together
from tiertwin.functions.whatif.risks import (
    HOUR_S,
    YEAR_S,
    Risk,
    common_cause,
    link_risks,
    node_risks,
    site_risks,
)
from tiertwin.model.interventions import FailGroup, FailLink, FailNode, FailSite, ScaleDemand, Situation
from tiertwin.world import load, resolve

WORLD = resolve(load("metro"))
AB, BC, CD = FailLink("a", "b"), FailLink("b", "c"), FailLink("c", "d")


def risk(name: str, *what: object, scale_s: float = 1_000.0, repair_s: float = math.inf) -> Risk:
    return Risk(name, what, scale_s, repair_s=repair_s)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("struck", "left"),
    [
        ([(AB,), (BC,)], {AB, BC}),
        ([(AB,), (FailLink("b", "a"),)], {AB}),
        ([(AB,), (FailNode("b"),)], {FailNode("b")}),
        ([(FailSite("b"),), (FailNode("b"),)], {FailNode("b")}),
        ([(FailSite("b"),), (AB,)], {FailSite("b"), AB}),
        ([(FailGroup("duct", (("a", "b"), ("c", "d"))),), (AB,)], {FailGroup("duct", (("a", "b"), ("c", "d")))}),
        (
            [(FailGroup("duct", (("a", "b"), ("c", "d"))),), (FailNode("a"),)],
            {FailNode("a"), FailGroup("duct", (("c", "d"),))},
        ),
        ([(FailGroup("duct", (("a", "b"),)),), (FailNode("a"),)], {FailNode("a")}),
        (
            [(FailGroup("one", (("a", "b"), ("b", "c"))),), (FailGroup("two", (("c", "b"), ("c", "d"))),)],
            {FailGroup("one", (("a", "b"), ("b", "c"))), FailGroup("two", (("c", "d"),))},
        ),
    ],
)
def test_nothing_fails_twice(struck: list[tuple[object, ...]], left: set[object]) -> None:
    risks = [risk(f"r{k}", *what) for k, what in enumerate(struck)]
    assert set(together(risks, range(len(risks)))) == left
    assert len(together(risks, range(len(risks))[::-1])) == len(left)


def test_states_that_come_to_the_same_are_one() -> None:
    found = merged(
        [Situation("", (AB, BC), 0.1), Situation("", (BC, FailLink("b", "a")), 0.2), Situation("", (CD,), 0.3)]
    )
    assert [one.probability for one in found] == [pytest.approx(0.3), 0.3]
    risks = [risk("link", AB), risk("node", FailNode("a"))]
    states = enumerated(risks, 100.0, ever=True).situations
    node = next(one for one in states if one.interventions == (FailNode("a"),))
    p = 1.0 - math.exp(-0.1)
    assert node.probability == pytest.approx(p)  # with the link cut or not
    assert len(states) == 3


def test_draws_come_out_as_the_law_says() -> None:
    risks = [
        Risk("old", (AB,), 2_000.0, shape=3.0, age_s=1_000.0),
        risk("mended", BC, scale_s=300.0, repair_s=100.0),
        risk("never", CD, scale_s=math.inf),
    ]
    lives = drawn(risks, 5_000.0, 20_000, seed=5)
    for at in (500.0, 2_000.0):
        for r in (0, 2):
            assert lives.failed(at)[:, r].mean() == pytest.approx(risks[r].within(at), abs=0.012)
        assert lives.down(at)[:, 1].mean() == pytest.approx(risks[1].down(at), abs=0.012)
    assert risks[1].down(5_000.0) == pytest.approx(0.25, abs=1e-3)  # 100/(100 + 300)
    shares = {one.name: one.probability for one in lives.situations(2_000.0)}
    assert sum(shares.values()) == pytest.approx(1.0)
    both = risks[0].within(2_000.0) * risks[1].down(2_000.0)
    assert shares["fail-link a,b; fail-link b,c"] == pytest.approx(both, abs=0.012)


def test_risks_of_a_world_have_its_names_and_lengths() -> None:
    links, nodes, sites = link_risks(WORLD), node_risks(WORLD), site_risks(WORLD)
    assert (len(links), len(nodes), len(sites)) == (WORLD.link_count, WORLD.node_count, WORLD.site_count)
    longest = int(np.argmax(WORLD.link_km))
    assert max(links, key=lambda one: one.within(YEAR_S)).name == links[longest].name
    rate = 2.73 * max(float(WORLD.link_km[longest]), 1.0) / 1000.0
    assert links[longest].within(YEAR_S) == pytest.approx(1.0 - math.exp(-rate))
    assert all(one.interventions[0] == FailNode(name) for one, name in zip(nodes, WORLD.node_names, strict=True))
    ones = single(sites, 24 * HOUR_S)
    assert all(0.0 < one.probability < 1e-2 for one in ones)


def test_shared_causes_are_split_off() -> None:
    links = link_risks(WORLD)[:3]
    split = common_cause(links, {"duct": [links[0].name, links[1].name]}, 0.2)
    assert [one.name for one in split] == [*(one.name for one in links), "duct"]
    assert isinstance(split[-1].interventions[0], FailGroup)
    assert split[2] == links[2]
    assert split[0].within(YEAR_S) < links[0].within(YEAR_S)
    assert common_cause(links, {"duct": [links[0].name]}, 0.0) == links
    with pytest.raises(UnknownNameError, match="group 'duct': no risk"):
        common_cause(links, {"duct": ["nowhere"]}, 0.2)
    with pytest.raises(InputError, match="one link each"):
        common_cause([*links, *node_risks(WORLD)], {"room": [f"node {WORLD.node_names[0]}"]}, 0.2)
    with pytest.raises(InputError, match=r"\[0, 1\)"):
        common_cause(links, {}, 1.0)


def test_what_makes_no_sense_is_told() -> None:
    with pytest.raises(InputError, match=r"risk 'x': 5 problems"):
        Risk("x", (), 0.0, -1.0, -1.0, 0.0)
    with pytest.raises(InputError, match="x more than once"):
        enumerated([risk("x", AB), risk("x", BC)], 1.0)
    with pytest.raises(InputError, match="got none"):
        drawn([], 1.0, 1)
    with pytest.raises(InputError, match="0, 1 or 2"):
        enumerated([risk("x", AB)], 1.0, 3)
    with pytest.raises(InputError, match=r"in \(0, 1\]"):
        enumerated([risk("x", AB)], 1.0, mass=0.0)
    with pytest.raises(InputError, match="0 ≤ from ≤ to"):
        risk("x", AB).within(1.0, 2.0)
    with pytest.raises(InputError, match="at least one draw over a finite horizon"):
        drawn([risk("x", AB)], math.inf, 1)
    with pytest.raises(InputError, match="more than 10000 times"):
        drawn([risk("x", AB, scale_s=1e-3, repair_s=1e-3)], 1e3, 2)
    with pytest.raises(InputError, match="the horizon drawn"):
        drawn([risk("x", AB)], 10.0, 2).down(11.0)
    assert risk("x", ScaleDemand(2.0)).within(0.0) == 0.0
