"""The network as a user writes it: nodes, links and the background traffic between them, or the name of one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tiertwin.model.fields import NotNegative, Part, Positive, Rows, TopologyName

MAX_NODES = 10_000
MAX_LINKS = 50_000
MAX_DEMANDS = 200_000


class Node(Part):
    """A place of the network; every node gets an edge site."""

    name: TopologyName
    """As people write it, any UTF-8."""
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    """Degrees east."""
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    """Degrees north."""
    demand: NotNegative | None = None
    """Weight by which devices are split; without it the node's total in `demands`, else 1."""


class Link(Part):
    """An undirected link: the same capacity each way."""

    a: TopologyName
    """One end: the name of a node."""
    b: TopologyName
    """The other end."""
    km: Annotated[float, Field(ge=0, le=50_000)] | None = None
    """Length; without it the great circle between the two nodes."""
    capacity_mbps: Annotated[float, Field(gt=0, le=1e9)] | None = None
    """Mb/s each way; without it chosen by the dimensioning rule."""


class Demand(Part):
    """Background traffic between two nodes, stored once a pair: it flows both ways."""

    a: TopologyName
    """One end."""
    b: TopologyName
    """The other end."""
    volume: Positive
    """Any unit: the whole matrix is scaled by `dimensioning.background_ratio`."""


class Topology(Part):
    """Exactly one source: `nodes` and `links`, or `topohub`, or `builtin`."""

    nodes: Annotated[Rows[Node], Field(max_length=MAX_NODES)] = ()
    """Places of the network; every node gets an edge site."""
    links: Annotated[Rows[Link], Field(max_length=MAX_LINKS)] = ()
    """Undirected links between them."""
    demands: Annotated[Rows[Demand], Field(max_length=MAX_DEMANDS)] = ()
    """Background matrix; without it a gravity model of the node weights."""
    topohub: str | None = None
    """A name of the topohub repository, such as sndlib/germany50."""
    builtin: str | None = None
    """A topology that comes with tiertwin."""

    @property
    def inline(self) -> bool:
        """Whether nodes and links stand here rather than under a name."""
        return self.topohub is None and self.builtin is None
