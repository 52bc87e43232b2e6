"""Checks of the catalogue of attributes: names that exist for their kind, each once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tiertwin.errors import suggest
from tiertwin.model.catalogue import NAMES

if TYPE_CHECKING:
    from tiertwin.model.scenario import Scenario

Problem = tuple[tuple[str | int, ...], str]


def attribute_problems(scenario: Scenario) -> Iterable[Problem]:
    """Yield what is wrong with ``attributes.catalogue``."""
    if scenario.attributes is None:
        return
    seen: set[tuple[str, str]] = set()
    for i, line in enumerate(scenario.attributes.catalogue):
        path = ("attributes", "catalogue", i, "name")
        known = NAMES[line.of]
        if line.name not in known:
            yield path, f"expected an attribute of a {line.of}, got {line.name!r}{suggest(line.name, list(known))}"
        elif (line.of, line.name) in seen:
            yield path, f"expected every attribute of a {line.of} once, got {line.name!r} again"
        seen.add((line.of, line.name))
