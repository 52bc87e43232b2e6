"""What all children of a node have said, as arrays over [child, slot]: what its two models are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tiertwin.allocate.leaf import Array
from tiertwin.allocate.messages import ANY_VERSION, Said, Slots
from tiertwin.allocate.slots import SlotTable
from tiertwin.errors import InputError, SolveError

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


class Children:
    """The children of a node in roster order, and what each has said. One owner; not thread-safe.

    Parameters
    ----------
    names
        In roster order.
    levels
        J, quota components of each.
    slots
        Cuts and points kept of each.
    """

    def __init__(self, names: Sequence[str], levels: int, slots: int) -> None:
        self.names, self._levels, self._slots = list(names), levels, slots
        self.cuts = [self._cut_table() for _ in self.names]
        self.points = [self._point_table() for _ in self.names]
        self._last: list[Said | None] = [None] * len(self.names)
        self._arrays: tuple[int, ChildModel] | None = None

    def _cut_table(self) -> SlotTable:
        return SlotTable(self._slots, self._levels, smaller_is_better=True)

    def _point_table(self) -> SlotTable:
        return SlotTable(self._slots, self._levels, smaller_is_better=False, pinned=0)

    @property
    def missing(self) -> list[str]:
        """Children that have said nothing yet."""
        return [name for name, said in zip(self.names, self._last, strict=True) if said is None]

    def edition_of(self, child: int) -> tuple[int, int] | None:
        """Return version and revision last heard of a child; None before it said anything."""
        last = self._last[child]
        return None if last is None else last.edition

    def heard(self) -> list[Said]:
        """Return the last message of each child; SolveError while one is missing."""
        if self.missing:
            raise SolveError(f"no bounds yet: waiting for the hello of {', '.join(self.missing)}")
        return [said for said in self._last if said is not None]

    def learn(self, child: int, said: Said) -> bool:
        """Take what a child said, as `NodeSide.learn` says."""
        self._check(child, said)
        last = self._last[child]
        if last is None or said.edition != last.edition:
            opens = said.cut_slots.size > 0 and 0 in said.point_slots
            if not opens or (last is not None and said.edition < last.edition):
                return False
            self.cuts[child].clear()
            self.points[child].clear()
        drift = np.zeros(len(said.phi)) if said.drift is None else said.drift
        low = said.v if said.v_low is None else said.v_low
        self.cuts[child].put_all(said.cut_slots, said.phi, said.g, drift)
        self.points[child].put_all(said.point_slots, said.v, said.u, low, said.scale)
        self._last[child] = said
        self._arrays = None
        return True

    def _check(self, child: int, said: Said) -> None:
        numbers = (said.phi, said.g, said.u, said.v, said.scale, said.rmax, said.dear)
        slots = np.concatenate([said.cut_slots, said.point_slots])
        top = self._slots
        good = (
            all(np.isfinite(part).all() for part in numbers)
            and said.g.shape[1:] == said.u.shape[1:] == said.rmax.shape == (self._levels,)
            and all(part.min(initial=0.0) >= 0 for part in (said.g, said.u, said.rmax))
            and (slots.size == 0 or (slots.min() >= 0 and slots.max() < top))
        )
        if not good:
            raise InputError(
                f"cuts and points of {self.names[child]!r}: expected finite numbers, slopes and uses ≥ 0 with "
                f"{self._levels} components, slots below {top}; refused as a whole"
            )

    def rearrange(self, names: Sequence[str]) -> list[int]:
        """Have these children from now on: who stays is kept with all it said, who joins has said nothing.

        Returns
        -------
        Where each stood before, −1 for who joins.
        """
        before = {name: i for i, name in enumerate(self.names)}
        origin = [before.get(name, -1) for name in names]
        self.cuts = [self._cut_table() if i < 0 else self.cuts[i] for i in origin]
        self.points = [self._point_table() if i < 0 else self.points[i] for i in origin]
        self._last = [None if i < 0 else self._last[i] for i in origin]
        self.names, self._arrays = list(names), None
        return origin

    def model(self, version: int) -> ChildModel:
        """Return the arrays for bounds of data version `version`."""
        if self._arrays is None or self._arrays[0] != version:
            self._arrays = version, _stack(self.heard(), self.cuts, self.points, version)
        return self._arrays[1]

    def declare(self, version: int) -> bool:
        """Say whether the node may declare drift: all children are heard of this version and declare it themselves.

        A child that stands at its worst already has used up what it declared.
        """
        return all(
            said.version == ANY_VERSION or (said.version == version and said.drift is not None) for said in self.heard()
        )


def _stack(heard: list[Said], cuts: list[SlotTable], points: list[SlotTable], version: int) -> ChildModel:
    behind = np.array([said.version not in (version, ANY_VERSION) for said in heard])
    covered = np.array([said.drift is not None and said.version == version - 1 for said in heard])
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
