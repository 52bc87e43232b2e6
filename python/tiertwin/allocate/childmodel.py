"""What all children of a node have said, as arrays over [child, slot]: what its two models are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiertwin.allocate.leaf import Array
from tiertwin.allocate.messages import Said, Slots
from tiertwin.allocate.slots import SlotTable

NOTHING = 1e-9  # share of the most a node can use below which a quota counts as none


@dataclass(frozen=True, eq=False)
class ChildModel:
    """What all children said, as arrays over [child, slot]; stale children with declared drift stand at their worst."""

    phi: Array
    g: Array
    drift: Array
    v: Array
    u: Array
    scale: Array
    v_low: Array
    rmax: Array
    dear: Array
    first_cut: Slots
    stale: int


def stack(heard: list[Said], cuts: list[SlotTable], points: list[SlotTable], version: int) -> ChildModel:
    behind = np.array([said.version != version for said in heard])
    covered = np.array([said.drift is not None for said in heard])
    phi, g, drift = (np.stack([t.dense(getattr(t, name)) for t in cuts]) for name in ("level", "slope", "spare"))
    v, u, v_low, scale = (
        np.stack([t.dense(getattr(t, name)) for t in points]) for name in ("level", "slope", "spare", "scale")
    )
    worst = (behind & covered)[:, None]
    lost = [
        said.leaves if late and not safe else said.stale
        for said, late, safe in zip(heard, behind, covered, strict=True)
    ]
    return ChildModel(
        phi=np.where(worst, phi + drift, phi),
        g=g,
        drift=drift,
        v=np.where(worst, v_low, v),
        u=u,
        scale=scale,
        v_low=v_low,
        rmax=np.stack([said.rmax for said in heard]),
        dear=np.stack([said.dear for said in heard]).max(axis=0),
        first_cut=np.array([int(table.taken[0]) for table in cuts], dtype=np.int64),
        stale=sum(lost),
    )


def without_unusable(level: Array, slope: Array, quota: Array, most: Array, own: int) -> tuple[Array, Array]:
    """Replace points that use a component whose quota is nothing by the zero point: a solver would only leave dust."""
    nothing = quota <= NOTHING * most
    bad = np.any((slope[:, :, own:] > 0) & nothing, axis=2)
    return np.where(bad, level[:, :1], level), np.where(bad[:, :, None], slope[:, :1], slope)
