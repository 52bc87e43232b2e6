"""Allocators by name: our own and those of installed packages (entry-point group ``tiertwin.allocators``).

An entry point names a class or function that makes an allocator when called without arguments. `conformance.py` has the
checks that every allocator must pass. One that is called ``FAMILY.NAME`` is not of leaves: `families/registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from tiertwin.allocate.leaf import Array, LeafAnswer, LeafProblem
from tiertwin.errors import InputError, UnknownNameError, suggest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "tiertwin.allocators"
LEAF_SOLVERS = ("auto", "cvxpy", "kernel")
KERNEL_ROWS = 64  # own resources and quotas together that the kernel takes

_registered: dict[tuple[str, str], Callable[[], object]] = {}  # by family and name, in this process

_OWN = {
    "kernel": ("tiertwin.allocate.kernel", "KernelAllocator"),
    "cvxpy": ("tiertwin.allocate.leaf_cvxpy", "CvxpyAllocator"),
    "cvxpy-linear": ("tiertwin.allocate.leaf_cvxpy", "LinearAllocator"),
}


@runtime_checkable
class Allocator(Protocol):
    """What solves a leaf: stateless between requests, deterministic, limited by iterations and never by time."""

    name: str

    def warm_up(self, shape: tuple[int, int, int, int]) -> None:
        """Compile whatever a problem of (G, T, K, J) needs, so that no request pays for it."""

    def allocate(
        self,
        problem: LeafProblem,
        *,
        quota: Array | None = None,
        price: Array | None = None,
        iteration_limit: int = 80,
    ) -> LeafAnswer:
        """Answer a quota query or a price query (exactly one is given). SolveError when there is no answer."""


def names() -> list[str]:
    """Every allocator that `get` knows, our own first. An own name cannot be taken over by a package."""
    return [*_OWN, *sorted(set(foreign_names("leaf")) - set(_OWN))]


def get(name: str) -> Allocator:
    """Make the allocator of that name.

    Raises
    ------
    UnknownNameError
        No such allocator; names the nearest.
    InputError
        The entry point cannot be loaded, or what it makes is no allocator.
    """
    if name in _OWN:
        module, attribute = _OWN[name]
        return cast(Allocator, getattr(import_module(module), attribute)())
    made = foreign("leaf", name)
    if made is None:
        raise UnknownNameError(f"allocator: no allocator is called {name!r}{suggest(name, names())}")
    return cast(Allocator, made)


def register(name: str, make: Callable[[], Allocator]) -> None:
    """Make an allocator of leaves known to this process, so that a scenario can name it (``policy.leaf_solver``).

    Runs in this process know it; those that start processes of their own need an installed package.

    Raises
    ------
    InputError
        The name is one of ours.
    """
    if name in _OWN or name == "auto":
        raise InputError(f"allocator: {name!r} is a name of our own; choose another")
    keep("leaf", name, make)


def leaf_allocator(leaf_solver: str, problem: LeafProblem, *, extension: Any = None) -> Allocator:
    """Choose what solves a leaf.

    Parameters
    ----------
    leaf_solver
        ``kernel``, ``cvxpy``, or ``auto``: the kernel wherever the problem fits it, else cvxpy. Any other name is
        looked up among the registered allocators.
    problem
        A problem of the shape to be solved.
    extension
        A user's own utility or constraint (`leaf_cvxpy.Extension`); it goes through cvxpy.
    """
    rows = problem.own_resources + problem.quotas
    if extension is not None:
        if leaf_solver not in ("auto", "cvxpy"):
            raise InputError(f"leaf_solver: an own utility or constraint needs auto or cvxpy, got {leaf_solver!r}")
        from tiertwin.allocate.leaf_cvxpy import CvxpyAllocator  # noqa: PLC0415  cvxpy takes seconds to import

        return CvxpyAllocator(extension)
    if leaf_solver == "kernel" and rows > KERNEL_ROWS:
        raise InputError(f"leaf_solver: kernel takes at most {KERNEL_ROWS} resources and quotas, got {rows}; use cvxpy")
    if leaf_solver == "auto":
        return get("kernel" if rows <= KERNEL_ROWS else "cvxpy")
    return get(leaf_solver)


def keep(family: str, name: str, make: Callable[[], object]) -> None:
    """Remember what makes an allocator of a family in this process; a later one takes the place of an earlier."""
    _registered[family, name] = make


def foreign_names(family: str) -> list[str]:
    """Names of the allocators of a family that packages and scripts have brought."""
    packed = [_named(point) for point in _installed()]
    return sorted({name for of, name in (*packed, *_registered) if of == family})


def foreign(family: str, name: str) -> object | None:
    """Make an allocator that a script or a package has brought; None when there is none of that name.

    Raises
    ------
    InputError
        The entry point cannot be loaded, or what it makes is no allocator.
    """
    if (family, name) in _registered:
        return _checked(family, name, "what was registered", _registered[family, name])
    for point in _installed():
        if _named(point) == (family, name):
            return _checked(family, name, point.value, _load(point))
    return None


def _installed() -> list[EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415  brings email: 4 MB that no twin's process needs

    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def _named(point: EntryPoint) -> tuple[str, str]:
    family, dot, name = point.name.partition(".")
    return (family, name) if dot else ("leaf", point.name)


def _load(point: EntryPoint) -> Callable[[], object]:
    try:
        return cast(Callable[[], object], point.load())
    except Exception as error:
        raise InputError(f"allocator {point.name!r}: {point.value} cannot be loaded: {error}", where=GROUP) from error


def _checked(family: str, name: str, place: str, make: Callable[[], object]) -> object:
    made = make()
    members = ("name", "warm_up", "allocate") if family == "leaf" else ("name", "allocate")
    missing = [member for member in members if not hasattr(made, member)]
    if missing:
        raise InputError(f"allocator {name!r}: {place} made {made!r}, which has no {', no '.join(missing)}")
    return made
