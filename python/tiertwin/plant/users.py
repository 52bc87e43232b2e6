"""From the radio access of a world to what the core takes: a plant whose devices are users that move.

Up go the tasks; what comes down is the world's. The rules stand in ``cpp/plant/plant_users.hpp``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from tiertwin.plant.accessconfig import (
    AccessClass,
    AccessRadio,
    AccessSecrets,
    AccessTelemetry,
    AccessUsers,
    core_config,
    core_rules,
)
from tiertwin.plant.reports import F64, I64
from tiertwin.world.access import AccessFlow

PACKETS_A_MEGABIT = 100.0  # of 1250 bytes
LEAST_BUFFER = 2000  # packets
TASKS_A_BUFFER = 4
_SECTIONS: dict[str, type[Any]] = {"radio": AccessRadio, "secrets": AccessSecrets}


def devices_of(access: Any) -> dict[str, Any]:
    """Return the users as the devices of a plant; draws belong to their numbers."""
    count = len(access.kind)
    return {
        "device_site": _i64(access.site),
        "device_class": _i64(access.kind),
        "device_ring": np.zeros(count, dtype=np.int64),
        "device_key": np.arange(count, dtype=np.int64),
        "device_ghz": np.ascontiguousarray(access.ghz, dtype=np.float64),
        "device_any_order": True,
    }


def network_of(access: Any, megabits: F64, given: Mapping[str, Any] | None) -> tuple[dict[str, Any], list[Any]]:
    """Return configuration and zones of the core's network.

    Parameters
    ----------
    access
        `tiertwin.world.access.Access`, or anything with the same fields.
    megabits
        Mean size of a task of each class, Mb, [C]: a user's buffer holds `TASKS_A_BUFFER` of them, `LEAST_BUFFER`
        packets at least.
    given
        `PlantOptions.access`.

    Raises
    ------
    ValueError
        Unknown options.
    """
    options = _checked(given or {})
    classes = [
        AccessClass(f"class {c}", 0.0, down, AccessFlow(buffer=_buffer(float(megabits[c]))))
        for c, down in enumerate(access.downlink)
    ]
    users = AccessUsers(
        access.kind, access.walk, access.zone, access.x_m, access.y_m, access.z_m, access.indoors, access.train
    )
    config = {
        **core_config(access.cells, users, access.zones, access.map_m, classes),
        **asdict(AccessRadio(**options.get("radio", {}))),
        **asdict(AccessTelemetry(cell_report_s=0.0)),
        **asdict(AccessSecrets(**options.get("secrets", {}))),
        "record": bool(options.get("record", False)),
    }
    return config, core_rules(access.zones)


def _buffer(megabits: float) -> int:
    return max(LEAST_BUFFER, TASKS_A_BUFFER * math.ceil(megabits * PACKETS_A_MEGABIT))


def _checked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = sorted(set(given) - {*_SECTIONS, "record"})
    if unknown:
        raise ValueError(f"access: expected the options {', '.join(_SECTIONS)} and record, got {', '.join(unknown)}")
    for name, section in _SECTIONS.items():
        known = [field.name for field in fields(section)]
        unknown = sorted(set(given.get(name, {})) - set(known))
        if unknown:
            raise ValueError(f"access.{name}: expected some of {', '.join(known)}, got {', '.join(unknown)}")
    return given


def _i64(values: Any) -> I64:
    return np.ascontiguousarray(values, dtype=np.int64)
