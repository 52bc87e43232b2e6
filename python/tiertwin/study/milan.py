"""Hourly call-detail activity of 150 cells of Milan as demand of `tiertwin.study.alignment`.

Telecom Italia Big Data Challenge (ODbL); G. Barlacchi et al., "A multi-source dataset of urban life in the city of
Milan and the Province of Trentino", Scientific Data 2, 2015. 55 days from 1 November 2013; decisions are scored from
day 29 on.

Ours: 15 groups of 10 cells share a capacity each; a cell's hour is known 0, 1 or 2 hours after its end (cell number
modulo 3), and a decision for one hour is taken `lead` hours before it begins. Intervals are over the 15 groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.study.alignment import World, play, rows_of
from tiertwin.study.datafolder import data_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "milan_hourly.npz"
GROUP = 10
FIRST_HOUR = 28 * 24


def milan_activity(path: Path, least_hours: int) -> NDArray[np.float64]:
    """Return the activity, [cells, hours]; InputError: not the file expected, or too short."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            activity = np.asarray(stored["activity"], dtype=np.float64)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"expected arrays with 'activity' (cells, hours), got {error}", str(path)) from None
    if activity.ndim != 2 or activity.shape[0] < 2 * GROUP or activity.shape[1] < least_hours:
        raise InputError(
            f"expected activity of {2 * GROUP} cells and {least_hours} hours or more, got {activity.shape}",
            str(path),
        )
    if not (np.isfinite(activity).all() and activity.min() >= 0.0):
        raise InputError("expected finite activity of at least 0", str(path))
    return activity


def milan_world(path: Path, lead_h: int) -> World:
    """Return the data as a world; InputError: not the file expected."""
    activity = milan_activity(path, FIRST_HOUR + lead_h + 2)
    groups = len(activity) // GROUP
    demand = activity[: groups * GROUP].T.reshape(-1, groups, GROUP)
    shape = demand.shape[1:]
    delay = (np.arange(groups * GROUP) % 3).astype(np.float64).reshape(shape)
    ones, nothing = np.ones(shape), np.zeros(shape)
    return World(demand, ones, ones, delay + 1.0, 3600.0, lead_h + 1, 1, 7 * 86400.0, 168, nothing, nothing)


def milan_study(leads_h: Sequence[int], alpha: float) -> list[dict[str, Any]]:
    """Return the table's rows for each lead; DataMissingError tells where the data come from."""
    path = data_file(FILE)
    table = []
    for lead in leads_h:
        if not 0 <= lead <= 24:
            raise InputError(f"lead: expected 0 … 24 hours, got {lead}")
        found = play(milan_world(path, lead), FIRST_HOUR, alpha)
        table += [r for r in rows_of(found, f"Milan, {lead} h") if r["belief"] != "best, raw clocks"]
    return table
