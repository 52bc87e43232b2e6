"""What orchestrators say to each other, as rows of unit tables and back (tables `cut`, `point`, `query`, `budget`).

Cuts and points stand in the row of their slot. Two more rows of `point` carry what a hello says once: row ``SLOTS``
the most the subtree can use of each component (u), its fallback value (v) and its leaves (scale); row
``SLOTS + 1`` the dearest tier cost of each component (u) the number of stale leaves below (v) and
whether slots were kept (scale).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.messages import Query, Said
from tiertwin.allocate.split import ClassShares
from tiertwin.errors import PeerError
from tiertwin.twin.attributes import A, TableId, attribute_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]
    I64 = npt.NDArray[np.int64]
    Cells = Mapping[int, tuple[npt.NDArray[np.uint32], F64]]

SLOTS = 12
POINT_ROWS = SLOTS + 2


def cut_attributes(quotas: int) -> list[int]:
    """Attributes of the `cut` table between neighbours whose quota vector has `quotas` components."""
    return [A.CUT_PHI, A.CUT_VERSION, A.CUT_EPOCH, A.CUT_ROUND, *(A.CUT_G + j for j in range(quotas))]


def point_attributes(quotas: int) -> list[int]:
    """Attributes of the `point` table."""
    fixed = [A.POINT_V, A.POINT_VERSION, A.POINT_EPOCH, A.POINT_ROUND, A.POINT_SCALE]
    return [*fixed, *(A.POINT_U + j for j in range(quotas))]


def query_attributes(quotas: int) -> list[int]:
    """Attributes of the `query` table."""
    fixed = [A.QUERY_EPOCH, A.QUERY_ROUND, A.QUERY_USED]
    return [*fixed, *(A.QUERY_QUOTA + j for j in range(quotas)), *(A.QUERY_PRICE + j for j in range(quotas))]


def budget_attributes(quotas: int) -> list[int]:
    """Attributes of the `budget` table between orchestrators: uplink share (Mb/s) and quota."""
    return [A.BUDGET_UPLINK, *(A.BUDGET_QUOTA + j for j in range(quotas))]


def share_attributes(tiers: int) -> list[int]:
    """Of the `budget` table of a device gateway, what has a row a device: share of tasks a tier."""
    return [A.SHARE + t for t in range(tiers)]


def class_share_attributes(tiers: int) -> list[int]:
    """Of the same table, what has a row a service class: GHz at every server, Mb/s on every hop."""
    return [*(A.CPU_SHARE + t for t in range(tiers - 1)), *(A.UPLINK_SHARE + h for h in range(tiers - 2))]


def setpoint_attributes(tiers: int) -> list[int]:
    """Attributes of the `budget` table of a device gateway."""
    return share_attributes(tiers) + class_share_attributes(tiers)


@dataclass(frozen=True, slots=True)
class Cells3:
    """The cells of a unit as three parallel arrays, as ``Peer.send_unit`` takes them."""

    attributes: I64
    rows: npt.NDArray[np.uint32]
    values: F64


def pack(columns: Sequence[tuple[int, F64]], rows: npt.NDArray[np.uint32]) -> Cells3:
    """Lay columns (attribute, value of each row) out as cells, attribute by attribute."""
    count = len(rows)
    attributes = np.repeat(np.array([a for a, _ in columns], dtype=np.int64), count)
    values = np.concatenate([np.asarray(v, dtype=np.float64) for _, v in columns])
    return Cells3(attributes, np.tile(rows, len(columns)), values)


def require(cells: Cells, attributes: Sequence[int], rows: Sequence[int] = ()) -> None:
    """Refuse a unit that lacks cells or holds what no number can be; a listed peer may send anything.

    Raises
    ------
    PeerError
        What is missing; the caller counts it and goes on with what it had.
    """
    first: npt.NDArray[np.uint32] | None = None
    for attribute in attributes:
        found = cells.get(int(attribute))
        if found is None or not len(found[0]):
            raise PeerError(f"Expected {attribute_name(int(attribute))} in this unit, got none.")
        if first is None:
            first = found[0]
        same = found[0] is first or np.array_equal(found[0], first)  # columns of a unit share their rows if they can
        if not same or not np.isfinite(found[1]).all():
            raise PeerError(f"Expected {attribute_name(int(attribute))} finite and in every row of the unit.")
    if first is not None and not _covers(first, rows):
        raise PeerError(f"Expected rows {list(rows)[:20]} in this unit, got {first.tolist()[:20]}.")


def _covers(found: npt.NDArray[np.uint32], rows: Sequence[int]) -> bool:
    """Say whether all `rows` are among those found; mostly they are just the first ones, in order."""
    wanted = np.asarray(rows, dtype=np.int64)
    return np.array_equal(found[: len(wanted)], wanted) or bool(np.isin(wanted, found).all())


def single(cells: Cells, attribute: int) -> float:
    """Return the one value a unit is about; PeerError if it is not there."""
    require(cells, [attribute])
    return float(cells[attribute][1][0])


def column(cells: Cells, attribute: int, rows: int) -> F64:
    """Return one attribute by row; NaN where the unit had no such cell, rows beyond are left out."""
    result = np.full(rows, np.nan)
    found = cells.get(attribute)
    if found is not None:
        inside = found[0] < rows
        result[found[0][inside]] = found[1][inside]
    return result


@dataclass(frozen=True, slots=True)
class Stamp:
    """To which epoch and round a unit belongs."""

    epoch: int
    round: int


def cut_cells(said: Said, stamp: Stamp) -> Cells3:
    """Lay out the cuts of a message."""
    n = len(said.cut_slots)
    columns = [
        (A.CUT_PHI, said.phi),
        (A.CUT_VERSION, np.full(n, float(said.version))),
        (A.CUT_EPOCH, np.full(n, float(stamp.epoch))),
        (A.CUT_ROUND, np.full(n, float(stamp.round))),
        *((A.CUT_G + j, said.g[:, j]) for j in range(said.g.shape[1])),
    ]
    return pack([(int(a), v) for a, v in columns], said.cut_slots.astype(np.uint32))


def point_cells(said: Said, stamp: Stamp) -> Cells3:
    """Lay out the points of a message and its two hello rows."""
    rows = np.concatenate([said.point_slots, [SLOTS, SLOTS + 1]]).astype(np.uint32)
    n = len(rows)
    v = np.concatenate([said.v, [said.v0, float(said.stale)]])
    scale = np.concatenate([said.scale, [float(said.leaves), float(said.kept)]])
    u = np.vstack([said.u, said.rmax[None, :], said.dear[None, :]])
    columns = [
        (A.POINT_V, v),
        (A.POINT_VERSION, np.full(n, float(said.version))),
        (A.POINT_EPOCH, np.full(n, float(stamp.epoch))),
        (A.POINT_ROUND, np.full(n, float(stamp.round))),
        (A.POINT_SCALE, scale),
        *((A.POINT_U + j, u[:, j]) for j in range(u.shape[1])),
    ]
    return pack([(int(a), v) for a, v in columns], rows)


def stamp_of(table: int, cells: Cells) -> Stamp:
    """Read epoch and round of a cut, point or query unit; the newest where rows of several were held back together."""
    epoch, round_ = {
        TableId.CUT: (A.CUT_EPOCH, A.CUT_ROUND),
        TableId.POINT: (A.POINT_EPOCH, A.POINT_ROUND),
        TableId.QUERY: (A.QUERY_EPOCH, A.QUERY_ROUND),
    }[TableId(table)]
    require(cells, (epoch, round_))
    epochs, rounds = cells[epoch][1], cells[round_][1]
    newest = epochs.max()
    return Stamp(int(newest), int(rounds[epochs == newest].max()))


def _of_newest(cells: Cells, version: int) -> tuple[dict[int, tuple[Any, F64]], int]:
    """Keep the rows of the newest data version: rows held back while the peer was away may be of several."""
    versions = cells[version][1]
    newest = versions.max()
    keep = versions == newest
    if keep.all():
        return dict(cells), int(newest)
    return {attribute: (rows[keep], values[keep]) for attribute, (rows, values) in cells.items()}, int(newest)


def said_of(cuts: Cells, points: Cells, quotas: int) -> Said | None:
    """Put a cut unit and a point unit of one (epoch, round) back together.

    Bounds hold within one data version only: None when the two are of different versions or the hello rows are missing.
    """
    require(cuts, cut_attributes(quotas))
    require(points, point_attributes(quotas))
    cuts, version = _of_newest(cuts, A.CUT_VERSION)
    points, other = _of_newest(points, A.POINT_VERSION)
    if version != other or not {SLOTS, SLOTS + 1} <= set(points[A.POINT_V][0].tolist()):
        return None
    cut_slots = cuts[A.CUT_PHI][0].astype(np.int64)
    rows = points[A.POINT_V][0].astype(np.int64)
    u = np.column_stack([points[A.POINT_U + j][1] for j in range(quotas)])
    v, scale = points[A.POINT_V][1], points[A.POINT_SCALE][1]
    slot = rows < SLOTS
    first, second = int(np.flatnonzero(rows == SLOTS)[0]), int(np.flatnonzero(rows == SLOTS + 1)[0])
    return Said(
        version=version,
        cut_slots=cut_slots,
        phi=cuts[A.CUT_PHI][1],
        g=np.column_stack([cuts[A.CUT_G + j][1] for j in range(quotas)]),
        point_slots=rows[slot],
        u=u[slot],
        v=v[slot],
        scale=scale[slot],
        rmax=u[first],
        dear=u[second],
        v0=float(v[first]),
        stale=int(v[second]),
        leaves=int(scale[first]),
        kept=bool(scale[second]),
    )


def query_cells(query: Query, stamp: Stamp) -> Cells3:
    """Lay out a trial quota and price."""
    one = np.ones(1)
    columns = [
        (int(A.QUERY_EPOCH), one * stamp.epoch),
        (int(A.QUERY_ROUND), one * stamp.round),
        (int(A.QUERY_USED), one * query.used),
        *((A.QUERY_QUOTA + j, one * q) for j, q in enumerate(query.quota)),
        *((A.QUERY_PRICE + j, one * p) for j, p in enumerate(query.price)),
    ]
    return pack(columns, np.zeros(1, dtype=np.uint32))


def query_of(cells: Cells, quotas: int) -> Query:
    """Read a trial quota and price."""
    require(cells, query_attributes(quotas), (0,))
    return Query(
        quota=np.array([cells[A.QUERY_QUOTA + j][1][0] for j in range(quotas)]),
        price=np.array([cells[A.QUERY_PRICE + j][1][0] for j in range(quotas)]),
        used=int(cells[A.QUERY_USED][1][0]),
    )


def budget_cells(quota: F64, uplink: F64) -> Cells3:
    """Lay out a budget: `quota` [rows, J] and `uplink` [rows] Mb/s."""
    rows = np.arange(len(uplink), dtype=np.uint32)
    columns = [(int(A.BUDGET_UPLINK), uplink)]
    columns += [(A.BUDGET_QUOTA + j, quota[:, j]) for j in range(quota.shape[1])]
    return pack(columns, rows)


def budget_of(cells: Cells, quotas: int, rows: int) -> tuple[F64, F64]:
    """Read a budget: the quota of row 0, [J] ≥ 0, and the uplink shares of all rows, [rows] Mb/s."""
    require(cells, budget_attributes(quotas), range(rows))
    quota = np.maximum([cells[A.BUDGET_QUOTA + j][1][0] for j in range(quotas)], 0.0)
    return quota, column(cells, A.BUDGET_UPLINK, rows)


def setpoint_cells(shares: F64, split: ClassShares) -> Cells3:
    """Lay out a site's set-points: `shares` [devices, T] in the rows of devices, `split` in those of classes."""
    of_devices = pack(
        [(A.SHARE + t, shares[:, t]) for t in range(shares.shape[1])], np.arange(len(shares), dtype=np.uint32)
    )
    columns = [(A.CPU_SHARE + t, row) for t, row in enumerate(split.cpu)]
    columns += [(A.UPLINK_SHARE + h, row) for h, row in enumerate(split.uplink)]
    of_classes = pack(columns, np.arange(split.cpu.shape[1], dtype=np.uint32))
    return Cells3(
        np.concatenate([of_devices.attributes, of_classes.attributes]),
        np.concatenate([of_devices.rows, of_classes.rows]),
        np.concatenate([of_devices.values, of_classes.values]),
    )


def setpoints_of(cells: Cells, devices: int, classes: int, tiers: int) -> tuple[F64, ClassShares]:
    """Read a site's set-points: shares of devices [devices, T], and what each class may use; as sent, not yet safe."""
    shares = _table(cells, share_attributes(tiers), devices) if devices else np.zeros((tiers, 0))
    by_class = _table(cells, class_share_attributes(tiers), classes)
    return np.ascontiguousarray(shares.T), ClassShares(cpu=by_class[: tiers - 1], uplink=by_class[tiers - 1 :])


def _table(cells: Cells, attributes: Sequence[int], rows: int) -> F64:
    """Read attributes that all rows 0 … rows − 1 must have, [attributes, rows]; PeerError as :func:`require` says."""
    found = [cells.get(int(attribute)) for attribute in attributes]
    order = np.arange(rows, dtype=np.uint32)
    whole = found[0]
    if whole is not None and np.array_equal(whole[0], order) and all(c is not None and c[0] is whole[0] for c in found):
        values = np.stack([c[1] for c in found if c is not None])
        if np.isfinite(values).all():
            return values
    require(cells, attributes, range(rows))  # says what is wrong, or it is only in another order
    return np.stack([column(cells, int(attribute), rows) for attribute in attributes])
