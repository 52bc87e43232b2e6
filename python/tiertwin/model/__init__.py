"""What a user writes down: scenarios, validated, without behaviour.

Names resolve on first use, so that tiers and KPIs can be had without pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiertwin.model.parse import parse_scenario
    from tiertwin.model.scenario import Scenario

_HOME = {"Scenario": "scenario", "parse_scenario": "parse"}
__all__ = ["Scenario", "parse_scenario"]

if not TYPE_CHECKING:  # a type checker takes the names above, and no others

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415  lazily, as promised above

        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
