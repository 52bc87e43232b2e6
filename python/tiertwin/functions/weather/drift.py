"""Where rain goes: the drift of a field known at scattered points, and the field as it will be if it goes on so.

Persistence in moving coordinates (Lagrangian persistence: U. Germann and I. Zawadzki, Monthly Weather Review 130,
2002), at the points themselves, without a grid: rain at x in `lead` is rain at x − u·lead now, interpolated by inverse
squared distance over the nearest points. The drift u is the one of a fixed set for which the field moved so was most
like what was then measured, over the last looks. The set, and the interpolation, are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

NEAREST = 5
NEAR_KM = 1.0  # points nearer than this count alike
FORGET = 0.85  # of a look, from one to the next
LEAST_WET = 0.02  # share of points with rain below which a look says nothing of the drift


class Drift:
    """A field at N points, looked at in even steps. One owner.

    Parameters
    ----------
    x_km, y_km
        Where the points are, [N].
    step_s
        Time from one look to the next.
    fastest_kmh
        Largest drift thought of, either way east and north.
    count
        Drifts each way: the set is a square of (2·count + 1)².
    """

    def __init__(self, x_km: F64, y_km: F64, step_s: float = 300.0, fastest_kmh: float = 80.0, count: int = 5) -> None:
        if x_km.shape != y_km.shape or x_km.ndim != 1 or len(x_km) < NEAREST:
            raise InputError(f"expected at least {NEAREST} points, got x {x_km.shape} and y {y_km.shape}", "Drift")
        if not (np.isfinite(x_km).all() and np.isfinite(y_km).all()):
            raise InputError("expected finite coordinates", "Drift")
        self._x, self._y, self._step = x_km, y_km, step_s
        one = np.linspace(-fastest_kmh, fastest_kmh, 2 * count + 1)
        east, north = np.meshgrid(one, one, indexing="ij")
        self.drifts: F64 = np.stack([east.ravel(), north.ravel()], axis=1)
        self._moves = [self._upwind(u, step_s) for u in self.drifts]
        self._likeness = np.zeros(len(self.drifts))
        self._last: F64 | None = None
        self._ahead: dict[tuple[int, float], tuple[NDArray[np.int64], F64]] = {}

    def look(self, field: F64) -> None:
        """Take the next look in, [N]; NaN counts as no rain."""
        now = np.nan_to_num(field)
        if self._last is not None:
            self._likeness *= FORGET
            if min((now > 0.0).mean(), (self._last > 0.0).mean()) >= LEAST_WET:
                self._likeness += self._compared(np.sqrt(self._last), np.sqrt(now))
        self._last = now

    @property
    def kmh(self) -> tuple[float, float]:
        """Drift east and north, km/h; 0 while nothing is known."""
        return (float(self.drifts[self._best][0]), float(self.drifts[self._best][1]))

    def ahead(self, lead_s: float) -> F64:
        """Return the field in `lead_s`, at every point, [N]; zeros before the first look."""
        if self._last is None:
            return np.zeros(len(self._x))
        key = self._best, lead_s
        if key not in self._ahead:
            self._ahead[key] = self._upwind(self.drifts[self._best], lead_s)
        return _interpolated(self._last, self._ahead[key])

    @property
    def _best(self) -> int:
        """Number of the likeliest drift; ties, as at the start, to the slowest."""
        speed = np.hypot(*self.drifts.T)
        return int(np.lexsort((speed, -self._likeness))[0])

    def _compared(self, before: F64, now: F64) -> F64:
        """Return the correlation of what every drift makes of `before` with `now`, [drifts]."""
        moved = np.stack([_interpolated(before, move) for move in self._moves])
        moved -= moved.mean(axis=1, keepdims=True)
        now = now - now.mean()
        power = np.sqrt((moved**2).sum(axis=1) * (now @ now))
        likeness: F64 = moved @ now / np.maximum(power, 1e-12)
        return likeness

    def _upwind(self, drift_kmh: F64, lead_s: float) -> tuple[NDArray[np.int64], F64]:
        """Return which points, and with what weight, tell of the places from which rain comes, [N, NEAREST] each."""
        east, north = drift_kmh * lead_s / 3600.0
        away = np.hypot(self._x[:, None] - east - self._x, self._y[:, None] - north - self._y)
        near = np.argsort(away, axis=1, kind="stable")[:, :NEAREST]
        weight = 1.0 / (NEAR_KM**2 + np.take_along_axis(away, near, axis=1) ** 2)
        return near, weight / weight.sum(axis=1, keepdims=True)


def _interpolated(field: F64, move: tuple[NDArray[np.int64], F64]) -> F64:
    value: F64 = (field[move[0]] * move[1]).sum(axis=1)
    return value
