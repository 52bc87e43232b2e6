"""Interventions check their own numbers, and every spelling reads back as what was written."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiertwin.errors import InputError, UnknownNameError
from tiertwin.model.interventions import (
    AddCapacity,
    AddSite,
    DegradeLink,
    FailGroup,
    FailLink,
    FailNode,
    FailSite,
    Intervention,
    MoveDemand,
    Rain,
    RepairLink,
    ScaleDemand,
    SetParameter,
    Situation,
    Storm,
    named,
)
from tiertwin.model.whatif import options, parse_intervention, parse_situation

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=8).map(str.strip)
NAMES = NAMES.filter(bool)
PAIRS = st.lists(NAMES, min_size=2, max_size=2, unique=True)
SHARES = st.floats(0.0, 1.0)
FACTORS = st.floats(0.0, 1e6)
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text('ab3. "', max_size=4)

KINDS = {
    "fail-link": PAIRS.map(lambda p: FailLink(*p)),
    "degrade-link": st.tuples(PAIRS, SHARES).map(lambda t: DegradeLink(*t[0], t[1])),
    "repair-link": PAIRS.map(lambda p: RepairLink(*p)),
    "fail-node": NAMES.map(FailNode),
    "fail-site": NAMES.map(FailSite),
    "fail-group": st.tuples(
        NAMES, st.lists(PAIRS.map(tuple), min_size=1, max_size=3, unique_by=frozenset).map(tuple)
    ).map(lambda t: FailGroup(*t)),
    "demand": st.builds(ScaleDemand, FACTORS, st.none() | NAMES),
    "move": st.tuples(PAIRS, SHARES).map(lambda t: MoveDemand(*t[0], t[1])),
    "add-capacity": st.builds(AddCapacity, NAMES | PAIRS.map(tuple), factor=st.floats(1.0, 1e6))
    | st.builds(AddCapacity, NAMES | PAIRS.map(tuple), amount=st.floats(1e-3, 1e6)),
    "add-site": st.builds(AddSite, NAMES, st.floats(1e-3, 1e6)),
    "rain": st.builds(Rain, st.floats(0, 200), st.none() | NAMES)
    | st.builds(Rain, st.floats(0, 200), NAMES, radius_km=st.floats(0.1, 500))
    | st.builds(
        Rain, st.floats(0, 200), lon=st.floats(-180, 180), lat=st.floats(-90, 90), radius_km=st.floats(0.1, 500)
    ),
    "storm": st.builds(Storm, NAMES, st.floats(1.0, 1e6)),
    "set": st.builds(SetParameter, st.sampled_from(["policy.max_rounds", "seed"]), VALUES),
}
ANY = st.one_of(*KINDS.values())


def test_every_option_has_a_kind_here() -> None:
    assert set(options()) == set(KINDS)


@given(ANY)
def test_a_spelling_reads_back_as_what_was_written(written: Intervention) -> None:
    assert parse_intervention(written.option, written.text()) == written


@pytest.mark.parametrize("value", ['a"', '"', "a;b", '"a"', "3", " x ", "", "true", "a=b", 3, 2.5, True, None])
def test_values_of_keys_read_back_in_situations(value: object) -> None:
    written = (SetParameter("policy.leaf_solver", value), FailNode("A"))
    assert parse_situation(Situation("", written).text()).interventions == written


def test_a_node_called_like_an_option_reads_back_in_a_situation() -> None:
    written = (FailGroup("duct", (("A", "B"), ("rain 50", "move"), ("demand", "set x"))), FailNode("rain"))
    assert parse_situation(Situation("", written).text()).interventions == written


@given(st.lists(ANY, max_size=4))
def test_a_situation_reads_back(written: list[Intervention]) -> None:
    assert parse_situation(Situation("", tuple(written)).text()).interventions == tuple(written)


@pytest.mark.parametrize(
    ("option", "spelling", "expected"),
    [
        ("fail-link", "Ulm, Stuttgart", FailLink("Ulm", "Stuttgart")),
        ("fail-link", '"Washington, DC",Atlanta', FailLink("Washington, DC", "Atlanta")),
        ("demand", "x2", ScaleDemand(2.0)),
        ("demand", "x0.5@fog-1", ScaleDemand(0.5, "fog-1")),
        ("move", "A,B,0.3", MoveDemand("A", "B", 0.3)),
        ("add-capacity", "Ulm,+32", AddCapacity("Ulm", amount=32.0)),
        ("add-capacity", "A,B,x2", AddCapacity(("A", "B"), factor=2.0)),
        ("rain", "50@Ulm", Rain(50.0, "Ulm")),
        ("rain", "50@Ulm,30", Rain(50.0, "Ulm", radius_km=30.0)),
        ("rain", "50@1,2", Rain(50.0, "1", radius_km=2.0)),
        ("rain", "50@10.0,48.4,30", Rain(50.0, lon=10.0, lat=48.4, radius_km=30.0)),
        ("fail-group", "duct-7=A,B;B,C", FailGroup("duct-7", (("A", "B"), ("B", "C")))),
        ("set", "policy.max_rounds=3", SetParameter("policy.max_rounds", 3)),
        ("set", "policy.leaf_solver=cvxpy", SetParameter("policy.leaf_solver", "cvxpy")),
    ],
)
def test_what_people_write(option: str, spelling: str, expected: Intervention) -> None:
    assert parse_intervention(option, spelling) == expected


@pytest.mark.parametrize(
    ("option", "spelling", "told"),
    [
        ("fail-link", "Ulm", "expected A,B"),
        ("fail-link", "Ulm,Ulm", "twice"),
        ("fail-link", '"Ulm,Stuttgart', "expected A,B"),
        ("degrade-link", "A,B,1.2", "share of 0 … 1"),
        ("degrade-link", "A,B,much", "SHARE"),
        ("demand", "2", "xFACTOR"),
        ("demand", "x-1", "≥ 0"),
        ("demand", "xnan", "finite"),
        ("demand", "x2@", "AREA"),
        ("move", "A,A,0.5", "twice"),
        ("move", "A,B,-0.1", "share of 0 … 1"),
        ("add-capacity", "A,x0.5", "≥ 1"),
        ("add-capacity", "A,+0", "> 0"),
        ("add-site", "A,0", "> 0"),
        ("rain", "500", "0 … 200"),
        ("rain", "50@200,0,10", "longitude"),
        ("storm", "x2", "@AREA"),
        ("fail-group", "duct", "NAME=A,B"),
        ("fail-group", "duct=A,B;B,A", "twice"),
        ("set", "policy", "KEY=VALUE"),
        ("set", "1x=2", "key of the scenario"),
    ],
)
def test_mistakes_are_told(option: str, spelling: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_intervention(option, spelling)


def test_an_unknown_option_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="fail-link"):
        parse_intervention("fail-lnik", "A,B")


def test_ambiguous_or_empty_wishes_are_refused() -> None:
    with pytest.raises(InputError, match="one of the two"):
        AddCapacity("A")
    with pytest.raises(InputError, match="one of the two"):
        AddCapacity("A", factor=2.0, amount=3.0)
    with pytest.raises(InputError, match="or neither"):
        Rain(50.0, "A", lon=1.0, lat=1.0)
    with pytest.raises(InputError, match="expected a name"):
        FailNode(" ")
    with pytest.raises(InputError, match="probability"):
        Situation("s", (), math.nan)
    with pytest.raises(InputError, match="expected interventions"):
        Situation("s", ("fail-link",))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="pairs"):
        parse_situation('fail-node "A')


def test_situations_are_named_after_what_happens() -> None:
    bare, given_name = named([[FailNode("A"), ScaleDemand(2.0)], Situation("rush hour", (ScaleDemand(3.0),), 0.2)])
    assert bare.name == "fail-node A; demand x2"
    assert (given_name.name, given_name.probability) == ("rush hour", 0.2)
    assert Situation().name == "as it is"
    assert FailLink("A", "B").ends == FailLink("B", "A").ends
