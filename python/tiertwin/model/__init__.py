"""What a user writes down: scenarios, validated, without behaviour.

Names resolve on first use, so that tiers and KPIs can be had without pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiertwin.lazy import resolver

if TYPE_CHECKING:
    from tiertwin.model.parse import parse_scenario
    from tiertwin.model.scenario import Scenario

_HOME = {"Scenario": "scenario", "parse_scenario": "parse"}
__all__ = ["Scenario", "parse_scenario"]

if not TYPE_CHECKING:  # a type checker takes the names above, and no others
    __getattr__ = resolver(__name__, _HOME)
