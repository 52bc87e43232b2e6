"""The conformance suite as a plug-in of pytest: one test a check, for allocators named on the command line.

    pytest --tiertwin-allocator mypackage:Mine --tiertwin-family fair
    pytest --pyargs tiertwin.allocate.conformance_plugin --tiertwin-allocator mypackage:Mine   # these tests alone

pytest finds it where tiertwin is installed (entry point ``pytest11``); elsewhere, ``-p
tiertwin.allocate.conformance_plugin`` or the same name in ``pytest_plugins``. Without the option it does nothing and
imports nothing but pytest.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from typing import Any

import pytest

LEAF = "leaf"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("tiertwin", "conformance of allocators")
    group.addoption(
        "--tiertwin-allocator",
        action="append",
        default=[],
        metavar="MODULE:NAME",
        help="check this allocator: a class or function that makes one without arguments, or a registered name; may "
        "be given more than once",
    )
    group.addoption(
        "--tiertwin-family",
        default="",
        metavar="FAMILY",
        help=f"the family of those allocators; default: what their attribute 'family' says, else {LEAF}",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the checks of every named allocator behind the tests that were found."""
    for place in config.getoption("--tiertwin-allocator"):
        items.extend(_items(session, place, config.getoption("--tiertwin-family")))


class ConformanceItem(pytest.Item):
    """One check of one allocator.

    Parameters
    ----------
    place, family
        The allocator as it was named, and its family.
    check
        `tiertwin.allocate.families.conformance.Check`.
    """

    def __init__(self, *, place: str, family: str, check: Any, **rest: Any) -> None:
        super().__init__(name=f"{family}-{check.name}", nodeid=f"{place}::{family}-{check.name}", **rest)
        self.place, self.family, self.check = place, family, check

    def runtest(self) -> None:
        """Make the allocator anew and check it."""
        self.check(_make(self.place, self.family)())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Tell a failed check in words: what must hold, and what was found; anything else with its traceback."""
        if not isinstance(excinfo.value, AssertionError):
            return super().repr_failure(excinfo, style)
        return f"{excinfo.value}\n\nwhat must hold: {self.check.about}"

    def reportinfo(self) -> tuple[os.PathLike[str], None, str]:
        """Name it by allocator and check."""
        return self.path, None, f"{self.place} ({self.family}): {self.check.name}"


def _items(session: pytest.Session, place: str, family: str) -> list[ConformanceItem]:
    from tiertwin.allocate.families import conformance  # noqa: PLC0415  nothing of ours is loaded until it is asked for
    from tiertwin.errors import InputError  # noqa: PLC0415

    try:
        of = family or str(getattr(_make(place, ""), "family", LEAF))
        found = conformance.checks(of)
        _make(place, of)
    except InputError as error:
        raise pytest.UsageError(f"--tiertwin-allocator {place}: {error}") from error
    return [ConformanceItem.from_parent(session, place=place, family=of, check=check) for check in found]


@cache
def _make(place: str, family: str) -> Any:
    """Return what makes the allocator."""
    from tiertwin.allocate.families import registry  # noqa: PLC0415
    from tiertwin.errors import InputError  # noqa: PLC0415

    module, colon, name = place.partition(":")
    if not colon:
        of, dot, own = place.rpartition(".")
        of = of if dot else (family or LEAF)
        registry.get(of, own)  # an unknown name is told at once
        return _Registered(of, own)
    if "" not in sys.path:
        sys.path.insert(0, "")  # as python -m does: a module beside the tests
    try:
        made = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"expected MODULE:NAME that can be imported, got {place!r}: {error}") from error
    if not callable(made):
        raise InputError(f"expected a class or function without arguments, got {made!r}")
    return made


class _Registered:
    """Makes an allocator by its registered name."""

    def __init__(self, family: str, name: str) -> None:
        self.family, self._name = family, name

    def __call__(self) -> Any:
        from tiertwin.allocate.families import registry  # noqa: PLC0415

        return registry.get(self.family, self._name)
