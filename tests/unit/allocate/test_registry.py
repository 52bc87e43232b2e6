"""Allocators by name: our own, those of an installed package, and the choice of `leaf_solver`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cvxpy as cp
import numpy as np
import pytest

from support.leaves import random_leaf
from tiertwin.allocate import conformance, kernel, registry
from tiertwin.errors import InputError, UnknownNameError

PACKAGE = """
from tiertwin.allocate.kernel import KernelAllocator
class Mine(KernelAllocator):
    name = "mine"
class Nothing:
    name = "nothing"
"""
ENTRY_POINTS = """[tiertwin.allocators]
mine = mine_allocator:Mine
kernel = mine_allocator:Mine
nothing = mine_allocator:Nothing
broken = mine_allocator:NoSuch
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution with entry points, as pip would leave it on the path."""
    (tmp_path / "mine_allocator.py").write_text(PACKAGE)
    info = tmp_path / "mine_allocator-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine-allocator\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine_allocator", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", ["kernel", "cvxpy"])
def test_our_allocators_conform(name: str) -> None:
    conformance.check_allocator(registry.get(name))


def test_every_own_name_makes_an_allocator() -> None:
    for name in registry.names():
        made = registry.get(name)
        assert made.name == name
        assert isinstance(made, registry.Allocator)


def test_an_allocator_of_an_installed_package_is_found_and_conforms(installed: Path) -> None:
    assert {"mine", "nothing", "broken"} < set(registry.names())
    conformance.check_allocator(registry.get("mine"))
    assert registry.get("kernel").name == "kernel"  # an own name cannot be taken over


def test_what_is_no_allocator_is_refused(installed: Path) -> None:
    with pytest.raises(InputError, match="has no warm_up, no allocate"):
        registry.get("nothing")
    with pytest.raises(InputError, match="mine_allocator:NoSuch cannot be loaded"):
        registry.get("broken")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'kernel'"):
        registry.get("kernle")


def test_leaf_solver_chooses() -> None:
    small = random_leaf(np.random.default_rng(1), 2, 3, 3)
    wide = replace(small, use_own=np.zeros((62, 2, 4)), capacity=np.ones(62), kappa=np.ones(62))
    assert registry.leaf_allocator("auto", small).name == "kernel"
    assert registry.leaf_allocator("auto", wide).name == "cvxpy"
    assert registry.leaf_allocator("cvxpy", small).name == "cvxpy"
    with pytest.raises(InputError, match="at most 64"):
        registry.leaf_allocator("kernel", wide)
    with pytest.raises(InputError, match="needs auto or cvxpy"):
        registry.leaf_allocator("kernel", small, extension=lambda x, problem: (0.0, []))


def test_an_own_utility_and_constraint_go_through_cvxpy() -> None:
    problem = random_leaf(np.random.default_rng(4), 6, 3, 3)
    quota = 0.5 * problem.quota_max

    def spread_out(x: cp.Expression, problem: object) -> tuple[cp.Expression, list[cp.Constraint]]:
        return -0.1 * cp.sum_squares(x[:, 1]), [x[0, 2] >= 0.1]

    plain = kernel.KernelAllocator().allocate(problem, quota=quota)
    own = registry.leaf_allocator("auto", problem, extension=spread_out).allocate(problem, quota=quota)
    assert own.x[0, 2] >= 0.1 - 1e-6
    base = kernel.worth(problem, own.x, quota)
    assert base.violation <= 1e-9
    assert own.value == pytest.approx(base.value - 0.1 * float(np.sum(own.x[:, 1] ** 2)), rel=1e-6)
    assert own.value >= plain.value - 0.1 * float(np.sum(plain.x[:, 1] ** 2)) - 1e-6 * plain.scale
    assert np.sum(own.x[:, 1] ** 2) < np.sum(plain.x[:, 1] ** 2)
    assert 0 <= own.phi + own.quota_price @ quota - own.value <= 1e-5 * own.scale


def test_large_problems_are_built_without_parameters() -> None:
    problem = random_leaf(np.random.default_rng(5), 120, 3, 3)
    quota = 0.2 * problem.quota_max
    theirs = registry.get("cvxpy").allocate(problem, quota=quota)
    ours = kernel.KernelAllocator().allocate(problem, quota=quota)
    assert abs(theirs.value - ours.value) <= 1e-6 * ours.scale


class Careless(kernel.KernelAllocator):
    """Passes on what it finds, with a fault."""

    name = "careless"

    def __init__(self, **fault: object) -> None:
        self._fault = fault

    def allocate(self, problem, **asked):
        found = super().allocate(problem, **asked)
        return replace(found, **{name: change(getattr(found, name)) for name, change in self._fault.items()})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"x": lambda x: 1.5 * x}, "breaks (demand|own_capacity|quota)"),
        ({"value": lambda value: value + 1.0}, "claims another value"),
        ({"phi": lambda phi: phi - 1.0}, "its cut is no bound"),
        ({"phi": lambda phi: phi + 1.0}, "certified gap"),
        ({"quota_price": lambda price: price - 1e-3}, "a price < 0|its cut is no bound"),
        ({"use": lambda use: use[:0]}, "expected shape"),
        ({"x": lambda x: x * np.nan}, "not finite"),
    ],
)
def test_conformance_finds_the_fault(fault: dict[str, object], reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        conformance.check_allocator(Careless(**fault))


def test_cvxpy_is_imported_only_when_it_is_chosen() -> None:
    code = (
        "import sys; from tiertwin.allocate import registry, ladder, conformance, kernel, leaf;"
        "registry.get('kernel'); assert 'cvxpy' not in sys.modules;"
        "registry.get('cvxpy'); assert 'cvxpy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
