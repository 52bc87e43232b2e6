"""The families by name, the allocators of each, and which of them takes a problem.

An allocator of a package is an entry point of the group ``tiertwin.allocators`` called ``FAMILY.NAME``, as in
``fair.mine = "mypackage:Mine"``; without a family in front it is one of leaves. It names a class or function that makes
the allocator when called without arguments. `register` makes one known within a script.

An allocator may say with ``capabilities``, a set of flags, what it is able to do (`Family.flags` explains them), and
with ``accuracy`` which certified gap it reaches on benign problems; without the first it takes everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from tiertwin.allocate import registry as leaves
from tiertwin.allocate.families.interface import Interface
from tiertwin.errors import InputError, UnknownNameError, suggest

AUTO = "auto"
_HERE = "tiertwin.allocate.families"


@dataclass(frozen=True)
class Family:
    """One family: its name, what it decides, its own allocators and the flags that its problems may need.

    Parameters
    ----------
    name, about
        Its name, and a line for people.
    own
        Our allocators, ``module:attribute`` by name; the first is preferred by `auto`.
    able
        Flags each of ours is able to do; without an entry all of them.
    flags
        What each flag means.
    where
        ``module:attribute`` of its `Interface`; empty for leaves, which have checks of their own.
    """

    name: str
    about: str
    own: Mapping[str, str]
    able: Mapping[str, frozenset[str]] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    where: str = ""

    @property
    def interface(self) -> Interface:
        """What it tells of itself; imports the family."""
        if not self.where:
            raise InputError(
                f"family {self.name}: has no interface of its own; tiertwin.allocate.conformance checks it"
            )
        made: Interface = _attribute(self.where)()
        return made


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "leaf",
            "an edge domain in the tree: groups at tiers, quotas from above",
            {
                "kernel": "tiertwin.allocate.kernel:KernelAllocator",
                "cvxpy": "tiertwin.allocate.leaf_cvxpy:CvxpyAllocator",
            },
            {"kernel": frozenset()},
            {"wide": f"more than {leaves.KERNEL_ROWS} own resources and quotas together"},
        ),
        Family(
            "fair",
            "α-fair shares and weighted throughput of users with options over shared resources",
            {"kernel": f"{_HERE}.fair:FairKernel", "cvxpy": f"{_HERE}.fair_cvxpy:FairCvxpy"},
            {},
            {
                "log": "users with α = 1",
                "linear": "users with α = 0",
                "power": "users with any other α",
                "costs": "options that cost something",
                "floors": "rates promised to sets of users",
                "delay": "waiting at resources",
            },
            f"{_HERE}.fair_interface:FairInterface",
        ),
        Family(
            "routing",
            "the fullest link as empty as can be, over given paths",
            {"kernel": f"{_HERE}.routing:RoutingKernel", "cvxpy": f"{_HERE}.routing_cvxpy:RoutingCvxpy"},
            where=f"{_HERE}.routing_interface:RoutingInterface",
        ),
        Family(
            "failures",
            "routing that is ready for links to fail: the fullest link in the worst scenario",
            {
                "kernel": f"{_HERE}.failures_interface:Failures",
                "cvxpy": f"{_HERE}.failures_interface:FailuresCvxpy",
            },
            {"cvxpy": frozenset()},
            {"decades": "demands that span more than six decades"},
            f"{_HERE}.failures_interface:FailuresInterface",
        ),
        Family(
            "slices",
            "floors, isolation, caps and priorities of slices over shared resources",
            {"kernel": f"{_HERE}.slices_kernel:SliceKernel", "cvxpy": f"{_HERE}.slices_cvxpy:SliceCvxpy"},
            {"kernel": frozenset()},
            {"crowded": "more slices keep a part of one resource than the kernel takes"},
            f"{_HERE}.slices_interface:SlicesInterface",
        ),
        Family(
            "reservation",
            "computing, storage and bandwidth at tiers for stateful services of groups",
            {
                "kernel": f"{_HERE}.reservation_kernel:ReservationKernel",
                "cvxpy": f"{_HERE}.reservation_cvxpy:ReservationCvxpy",
            },
            {"kernel": frozenset()},
            {"pooled": "groups that share a queue at each tier"},
            f"{_HERE}.reservation_interface:ReservationInterface",
        ),
        Family(
            "spectrum",
            "association, spectrum and power of a cluster of cells, proportionally fair",
            {
                "kernel": f"{_HERE}.spectrum_kernel:SpectrumKernel",
                "cvxpy": f"{_HERE}.spectrum_cvxpy:SpectrumCvxpy",
            },
            {"cvxpy": frozenset()},
            {"limits": "demands of users, backhauls of cells"},
            f"{_HERE}.spectrum_interface:SpectrumInterface",
        ),
    )
}


def family(name: str) -> Family:
    """Return the family of that name.

    Raises
    ------
    UnknownNameError
        No such family; names the nearest.
    """
    if name not in FAMILIES:
        raise UnknownNameError(f"family: no family is called {name!r}{suggest(name, list(FAMILIES))}")
    return FAMILIES[name]


def names(of: str) -> list[str]:
    """Every allocator of a family that `get` knows, our own first. An own name cannot be taken over by a package."""
    own = list(family(of).own)
    return [*own, *sorted(set(leaves.foreign_names(of)) - set(own))]


def get(of: str, name: str) -> Any:
    """Make an allocator of a family by its name.

    Raises
    ------
    UnknownNameError
        No such family or allocator; names the nearest.
    InputError
        The entry point cannot be loaded, or what it makes is no allocator.
    """
    own = family(of).own
    if name in own:
        return _attribute(own[name])()
    made = leaves.foreign(of, name)
    if made is None:
        raise UnknownNameError(f"allocator: no allocator of {of} is called {name!r}{suggest(name, names(of))}")
    return made


def register(of: str, name: str, make: Callable[[], Any]) -> None:
    """Make an allocator known to this process by `name`; what a package does by an entry point.

    Raises
    ------
    UnknownNameError
        No such family.
    InputError
        The name is one of ours.
    """
    if name in family(of).own or name == AUTO:
        raise InputError(f"allocator: {name!r} is a name of our own in {of}; choose another")
    leaves.keep(of, name, make)


def capabilities(of: str, allocator: Any) -> frozenset[str]:
    """Flags an allocator is able to do: what it says, what we know of ours, else all of the family."""
    known = family(of)
    said = getattr(allocator, "capabilities", None)
    if said is not None:
        return frozenset(said)
    name = getattr(allocator, "name", "")
    ours = name in known.own and isinstance(allocator, _attribute(known.own[name]))
    return known.able.get(name, frozenset(known.flags)) if ours else frozenset(known.flags)


def family_of(problem: Any) -> str:
    """Name the family of a problem by its type.

    Raises
    ------
    InputError
        It is no problem of any family.
    """
    from tiertwin.allocate.leaf import LeafProblem  # noqa: PLC0415  brings numpy

    if isinstance(problem, LeafProblem):
        return "leaf"
    for name, known in FAMILIES.items():
        if known.where and isinstance(problem, known.interface.problem):
            return name
    raise InputError(f"expected a problem of one of {', '.join(FAMILIES)}, got {type(problem).__name__}")


def choose(problem: Any, allocator: str = AUTO) -> Any:
    """Make the allocator that solves this problem.

    Parameters
    ----------
    problem
        Of any family.
    allocator
        Its name; ``auto``: the first of ours that is able to, the kernel where it fits.

    Raises
    ------
    InputError
        The named one says it is not able to, with the flags it lacks.
    """
    of = family_of(problem)
    if of == "leaf":
        return leaves.leaf_allocator(allocator, problem)
    known = family(of)
    needs = known.interface.needs(problem)
    if allocator != AUTO:
        made = get(of, allocator)
        lacking = needs - capabilities(of, made)
        if lacking:
            told = "; ".join(f"{flag}: {known.flags.get(flag, 'unknown')}" for flag in sorted(lacking))
            raise InputError(f"allocator {allocator!r} of {of} does not take this problem ({told}); use auto")
        return made
    for name in known.own:
        if needs <= known.able.get(name, frozenset(known.flags)):
            return get(of, name)
    raise InputError(f"{of}: none of our allocators takes a problem that needs {', '.join(sorted(needs))}")


def _attribute(place: str) -> Any:
    module, attribute = place.split(":")
    return getattr(import_module(module), attribute)
