"""What gateways tell of a site when bytes are scarce: a fixed catalogue of attributes, their dead-bands, a budget.

A cell (one attribute of one row) that moved beyond its dead-band is told when its worth to the decisions of the edge is
among the highest and its bytes fit. Without this section gateways tell everything they hear.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tiertwin.model.catalogue import NAMES, READ
from tiertwin.model.fields import INTEGRAL, NotNegative, Part, Rows, Share

Kind = Literal["group", "server", "link"]
Selection = Literal["worth", "all", "none", "fixed", "random", "variance"]


class Attribute(Part):
    """A line of the catalogue: one attribute of groups of users, of servers or of links."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    """Of the attribute (`docs/vocabulary.md`)."""
    of: Kind
    """Whose it is."""
    band: NotNegative = 0.0
    """What it may move unsaid, in its own unit."""
    share: Share = 0.02
    """What it may move unsaid besides, as a share of what was told last."""


def everything() -> tuple[Attribute, ...]:
    """Return the whole catalogue, those first that decisions read; what moves by whole numbers has a band of a half."""
    whole = ("up", "rate_bits")
    rest = [(kind, name) for kind, names in NAMES.items() for name in names if (kind, name) not in READ]
    return tuple(
        Attribute(name=name, of=kind, band=0.5 if name in whole else 0.0)  # type: ignore[arg-type]
        for kind, name in (*READ, *rest)
    )


class Attributes(Part):
    """The catalogue and what may be spent on it."""

    bytes_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Bytes a gateway may tell, as a share of telling every attribute of every device, server and link each period."""
    selection: Selection = "worth"
    """Who comes first: `worth` to decisions per byte, `fixed` order of the catalogue, `random` order, most `variance`;
    or `all` (of every device, no budget), or `none` (twins begin with the plan and hear nothing but each other)."""
    review_epochs: Annotated[int, Field(ge=1, le=86_400), INTEGRAL] = 40
    """Epochs between two looks at what is worth telling."""
    focus: Annotated[float, Field(ge=1, le=16)] = 1.0
    """Times its usual bytes that a site may tell while its fog predicts trouble there; the others share what is left.
    1: all sites alike."""
    catalogue: Annotated[Rows[Attribute], Field(min_length=1, max_length=64)] = Field(default_factory=everything)
    """What may be told at all; what the scenario does not measure is passed over."""
