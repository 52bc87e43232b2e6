"""Domains with owners, and what may cross their borders: the `privacy` section of a scenario."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tiertwin.model.fields import INTEGRAL, AtLeastOne, NodeName, Part, Rows, TopologyName

PrivacyClass = Literal["public", "domain", "private"]
CLASSES: tuple[PrivacyClass, ...] = ("public", "domain", "private")


class OwnedDomain(Part):
    """A subtree that belongs to somebody: its upper links, and those to subtrees of others below it, are borders."""

    owner: TopologyName
    """Who it belongs to; several subtrees may have one owner."""
    twin: NodeName
    """Name of the fog or edge at its top (`fog-1`, `edge-centre`)."""


class Declared(Part):
    """An attribute that this release does not know, and what it is."""

    attribute: Annotated[int, Field(ge=1, le=65_535), INTEGRAL]
    """Its number on the wire."""
    privacy: PrivacyClass
    """Its class; of those that are not declared it is `private`."""


class PrivacyRules(Part):
    """Which attributes may leave the domain of their owner. Without it the tree has one owner."""

    domains: Annotated[Rows[OwnedDomain], Field(min_length=1, max_length=10_000)]
    """Subtrees and their owners; what is in none of them is the network's own."""
    crosses: Literal["public", "domain"] = "public"
    """Highest class that crosses a border: with `domain`, what is told of links and servers goes through, too."""
    classes: Annotated[dict[str, PrivacyClass], Field(max_length=1_000)] = {}  # noqa: RUF012  pydantic copies it
    """Class of an attribute by its name (`load_mbps`), where it is not the usual one; never a lower one for what
    devices tell."""
    declared: Annotated[Rows[Declared], Field(max_length=1_000)] = ()
    """Attributes of others that are carried along."""
    least_members: AtLeastOne = 5
    """Devices that a sum must be over to cross a border; smaller groups are merged with others, or not told."""
