"""Families by name: every allocator of every family conforms, packages and scripts bring theirs, auto chooses."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiertwin.allocate import conformance as leaf_conformance
from tiertwin.allocate import registry as leaves
from tiertwin.allocate.families import conformance, fair, registry
from tiertwin.allocate.families.interface import AWKWARD, BENIGN
from tiertwin.errors import InputError, UnknownNameError

EVERY = [(family, name) for family in registry.FAMILIES for name in registry.FAMILIES[family].own]
INTERFACES = [family for family, known in registry.FAMILIES.items() if known.where]


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_every_own_allocator_of_every_family_conforms(family: str, name: str) -> None:
    made = registry.get(family, name)
    assert made.name == name
    for check in conformance.checks(family):
        check(made)


@pytest.mark.parametrize("family", INTERFACES)
def test_samples_repeat_and_auto_takes_them_all(family: str) -> None:
    interface = registry.family(family).interface
    for odd, count in ((False, BENIGN), (True, AWKWARD)):
        for seed in range(count):
            one, two = interface.sample(seed, awkward=odd), interface.sample(seed, awkward=odd)
            assert registry.family_of(one) == family
            assert interface.needs(one) == interface.needs(two)
            assert interface.needs(one) <= set(registry.family(family).flags)
            first, second = (registry.choose(p).allocate(p) for p in (one, two))
            np.testing.assert_array_equal(interface.plan(first), interface.plan(second))


@pytest.mark.parametrize("family", INTERFACES)
def test_every_flag_is_needed_by_some_sample_and_explained(family: str) -> None:
    interface = registry.family(family).interface
    needed = {
        flag
        for odd in (False, True)
        for s in range(BENIGN)
        for flag in interface.needs(interface.sample(s, awkward=odd))
    }
    assert needed == set(registry.family(family).flags)


def test_names_nobody_knows_are_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'fair'"):
        registry.family("fairr")
    with pytest.raises(UnknownNameError, match="no allocator of fair is called 'kernle'. Did you mean 'kernel'"):
        registry.get("fair", "kernle")
    with pytest.raises(InputError, match="expected a problem of one of leaf, fair, .* got int"):
        registry.choose(7)


PACKAGE = """
from tiertwin.allocate.families.fair import FairKernel
class Mine(FairKernel):
    name = "mine"
class Nothing:
    name = "nothing"
"""
ENTRY_POINTS = """[tiertwin.allocators]
fair.mine = mine_shares:Mine
fair.nothing = mine_shares:Nothing
fair.kernel = mine_shares:Mine
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_shares.py").write_text(PACKAGE)
    info = tmp_path / "mine_shares-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine-shares\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine_shares", raising=False)


@pytest.mark.usefixtures("installed")
def test_an_entry_point_brings_an_allocator_to_its_family_alone() -> None:
    assert registry.names("fair") == ["kernel", "cvxpy", "mine", "nothing"]
    assert "mine" not in registry.names("routing")
    assert not {"mine", "fair.mine"} & set(leaves.names())
    made = registry.get("fair", "mine")
    conformance.check_allocator(made, "fair")
    assert type(registry.get("fair", "kernel")) is fair.FairKernel  # an own name cannot be taken over
    with pytest.raises(InputError, match="mine_shares:Nothing made .* which has no allocate"):
        registry.get("fair", "nothing")


def test_a_script_brings_an_allocator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaves, "_registered", {})
    registry.register("fair", "own", LogOnly)
    problem = registry.family("fair").interface.sample(0)
    assert registry.choose(problem, "own").name == "log-only"
    leaves.register("own", lambda: leaves.get("kernel"))
    assert leaves.get("own").name == "kernel"
    assert leaves.names()[-1] == "own"
    with pytest.raises(InputError, match="a name of our own"):
        registry.register("fair", "kernel", LogOnly)
    with pytest.raises(InputError, match="a name of our own"):
        leaves.register("auto", lambda: leaves.get("kernel"))


class LogOnly(fair.FairKernel):
    """Says that it takes α = 1 alone."""

    name = "log-only"
    family = "fair"
    capabilities = frozenset({"log"})


def test_what_an_allocator_says_it_cannot_do_is_neither_checked_nor_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    interface = registry.family("fair").interface
    seen: list[Any] = []

    class Watched(LogOnly):
        def allocate(self, problem: Any, **how: Any) -> Any:
            seen.append(interface.needs(problem))
            return super().allocate(problem, **how)

    leaf_conformance.check_allocator(Watched())
    assert set(seen) == {frozenset({"log"})}
    monkeypatch.setattr(leaves, "_registered", {})
    registry.register("fair", "log-only", LogOnly)
    costly = interface.sample(1)
    with pytest.raises(InputError, match="does not take this problem .costs: options that cost something.; use auto"):
        registry.choose(costly, "log-only")


def test_auto_takes_the_kernel_where_it_fits_and_else_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = registry.family("fair").interface.sample(1)
    assert registry.choose(problem).name == "kernel"
    known = replace(registry.FAMILIES["fair"], able={"kernel": frozenset({"log", "linear", "power"})})
    monkeypatch.setitem(registry.FAMILIES, "fair", known)
    assert registry.choose(problem).name == "cvxpy"


class Faulty(fair.FairKernel):
    """Passes on what it finds, with a fault."""

    name = "faulty"
    family = "fair"

    def __init__(self, **fault: Any) -> None:
        self._fault, self._turn = fault, 0

    def allocate(self, problem, **how):
        self._turn += 1
        found = super().allocate(problem, **how)
        change = self._fault.get("with_turn")
        if change is not None:
            return change(found, self._turn)
        return replace(found, **{name: make(getattr(found, name)) for name, make in self._fault.items()})


@pytest.mark.parametrize(
    ("check", "fault", "reason"),
    [
        ("shapes", {"x": lambda x: x[:-1]}, "x: expected shape"),
        ("shapes", {"price": lambda p: p - 1.0}, "price has a number < 0"),
        ("shapes", {"load": lambda load: load * np.nan}, "load is not finite"),
        ("feasibility", {"x": lambda x: 1.01 * x}, "breaks (demand|own_capacity)"),
        ("worth", {"value": lambda v: v + 0.1}, "claims another value"),
        ("certificate", {"bound": lambda b: b - 0.1}, "its prices prove"),
        ("certificate", {"price": lambda p: 1.5 * p, "bound": lambda b: b + 1.0}, "reaches the certified gap"),
        ("certificate", {"x": lambda x: 0.9 * x}, "reaches the certified gap"),
        ("awkward", {"bound": lambda b: b - 1.0}, "its bound is none"),
        ("warm_start", {"x": lambda x: 0.9 * x}, "reaches the certified gap .* changed, from a start"),
        ("determinism", {"with_turn": lambda a, n: replace(a, iterations=n)}, "another iterations"),
        ("limits", {"x": lambda x: 3.0 * x}, "when stopped after 0 iterations"),
    ],
)
def test_conformance_finds_the_fault(check: str, fault: dict[str, Any], reason: str) -> None:
    found = {str(c): c for c in conformance.checks("fair")}
    found[check](fair.FairKernel())
    with pytest.raises(AssertionError, match=reason):
        found[check](Faulty(**fault))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "has no name"),
        ({"allocate": None}, "has no method allocate"),
        ({"family": "routing"}, "says that its family is 'routing'"),
        ({"capabilities": {"log", "magic"}}, "unknown capabilities"),
        ({"capabilities": set()}, "takes no benign sample problem"),
    ],
)
def test_conformance_finds_a_wrong_face(changes: dict[str, Any], reason: str) -> None:
    made = fair.FairKernel()
    for name, value in changes.items():
        setattr(made, name, value)
    with pytest.raises(AssertionError, match=reason):
        conformance.check_allocator(made, "fair")
