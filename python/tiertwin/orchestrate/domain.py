"""What an inner node is responsible for: children, links, own resources. Plain values, made when a tree is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from tiertwin.twin.layout import Layout


@dataclass(frozen=True)
class Domain:
    """What an inner node is responsible for.

    Parameters
    ----------
    children
        Names in roster order.
    child_routes
        Route index of each child in :class:`LinkShares` order (sites first, then fogs); what its uplink share is about.
    grandchild_sites
        Sites below each child, for shares of links that only this node owns; empty at the lowest inner tier.
    layouts
        Uplink layout of each child.
    own_layout
        Own uplink layout, None at the root.
    server
        Index of the node's own server (plant numbering).
    capacity_ghz, kappa
        Own compute and its delay constant.
    uplink_kappa0
        Delay constant of the own uplink per Mb/s; the uplink itself is route `own_route`.
    own_route
        Own route (index as `child_routes`), -1 at the root.
    lan_mbps
        Uplink of a route without links.
    levels
        Components of the children's quota vectors.
    classes
        Service classes: a child's first rows are groups, class by class.
    told
        Which of them the parent is told of, [C]; None: all.
    """

    children: Sequence[str]
    child_routes: npt.NDArray[np.int64]
    grandchild_sites: Sequence[npt.NDArray[np.int64]]
    layouts: Sequence[Layout]
    own_layout: Layout | None
    server: int
    capacity_ghz: float
    kappa: float
    uplink_mbps: float
    uplink_kappa0: float
    own_route: int
    lan_mbps: float
    levels: int
    classes: int
    told: npt.NDArray[np.bool_] | None = None
