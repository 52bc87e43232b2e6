"""Tiers of the hierarchy: ordered data, never a class hierarchy."""

from __future__ import annotations

from enum import IntEnum


class Tier(IntEnum):
    """Position of a twin in the tree; larger is nearer to the root."""

    DEVICE = 0
    EDGE = 1
    FOG = 2
    CLOUD = 3

    @property
    def label(self) -> str:
        """Lower-case name as it stands in scenarios, tables and KPIs."""
        return self.name.lower()
