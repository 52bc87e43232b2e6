"""What a radio access network is made of, as its core takes it: classes, users, rules of the air, reports, secrets.

The fields and their meaning stand in ``cpp/plant/access_config.hpp``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiertwin.model.arrays import real_numbers, whole_numbers
from tiertwin.world.access import AccessFlow

_ARRIVALS = {"poisson": 0, "constant": 1, "on-off": 2}
_SIZES = {"fixed": 0, "exponential": 1, "imix": 2}


@dataclass(frozen=True)
class AccessClass:
    """One class of users: seconds between its reports (0: it reports nothing), and what comes down and goes up."""

    name: str
    report_s: float
    down: AccessFlow
    up: AccessFlow


CLASSES = (
    # Up: the tasks of the service classes (0.2, 0.5, 4, 0.01 Mb; 1, 5, 0.5, 1/60 a second) in packets of 1250 bytes.
    # Down: ours. Messages of 300 bytes for vehicles, 30 frames a second for AR, bursts of mixed packets for video.
    AccessClass("vehicle", 1.0, AccessFlow(10.0, 300, arrival="constant"), AccessFlow(1.0, packets=20)),
    AccessClass("AR", 1.0, AccessFlow(30.0, packets=4, arrival="constant"), AccessFlow(5.0, packets=50)),
    AccessClass(
        "video",
        1.0,
        AccessFlow(400.0, arrival="on-off", size="imix", on_s=2.0, off_s=2.0),
        AccessFlow(0.5, packets=400),
    ),
    AccessClass("metering", 60.0, AccessFlow(), AccessFlow(1 / 60)),
)


@dataclass(frozen=True)
class AccessRadio:
    """Rules of the air; the fields are those of ``cpp/plant/access_config.hpp``, ms, m, dB and dBm by their names.

    Handover by event A3 (TS 38.331), failures by TR 36.839, power control by TS 38.213 7.1.1 (`p0_dbm` a block,
    `alpha`).
    """

    step_ms: int = 100
    heard: int = 20
    measured: int = 6
    masts: int = 24
    refresh_m: float = 5.0
    high_loss_share: float = 0.2
    user_noise_db: float = 7.0
    user_dbm: float = 23.0
    p0_dbm: float = -80.0
    alpha: float = 0.8
    interruption_ms: float = 40.0
    reestablish_ms: float = 200.0
    hysteresis_db: float = 3.0
    offset_db: float = 0.0
    trigger_ms: float = 256.0
    filter_k: float = 4.0
    out_db: float = -8.0
    in_db: float = -6.0
    t310_ms: float = 1000.0
    ping_pong_ms: float = 1000.0
    sleep_after_ms: int = 0
    wake_ms: int = 0


@dataclass(frozen=True)
class AccessTelemetry:
    """How reports come: period of cells, s; delay U(low, high), s; share lost; noise of values; clocks of users, s."""

    cell_report_s: float = 1.0
    delay_low_s: float = 0.02
    delay_high_s: float = 0.08
    loss: float = 0.01
    noise: float = 0.03
    clock_offset_s: float = 0.05
    level_db: float = 1.0
    position_m: float = 5.0


@dataclass(frozen=True)
class AccessSecrets:
    """What the plant hides: how far cells are off their plan, how they serve, who never reports. On by default.

    Deviations of a cell's loss (dB), azimuth and tilt (degrees); bounds of its share of Shannon's rate; share of cells
    that serve in order instead of in turn; share of users that are never seen.
    """

    hidden_loss_db: float = 3.0
    hidden_azimuth: float = 5.0
    hidden_tilt: float = 1.0
    efficiency_low: float = 0.6
    efficiency_high: float = 0.75
    in_order_share: float = 0.25
    unseen_share: float = 0.02

    @classmethod
    def none(cls) -> AccessSecrets:
        """Return a plant as planned: 0.7 of Shannon's rate, everybody in turn, everybody seen."""
        return cls(0.0, 0.0, 0.0, 0.7, 0.7, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class AccessUsers:
    """Users; a number stands for all of them.

    Parameters
    ----------
    kind
        Class, an index, [U].
    walk
        0 still, 1 Gauss-Markov, 2 waypoint, 3 Manhattan, 4 train, 5 UAV, `LED`, [U].
    zone
        Zone of those who walk, [U].
    x_m, y_m, z_m
        Where still and led ones stand; 1 to 22.5 m above the ground, [U].
    indoors
        0 or 1, [U].
    train
        Number of the train of those who go by train, [U].
    key
        What names a user's random numbers, [U]; its number without it.
    """

    kind: ArrayLike
    walk: ArrayLike = 0
    zone: ArrayLike = -1
    x_m: ArrayLike = 0.0
    y_m: ArrayLike = 0.0
    z_m: ArrayLike = 1.5
    indoors: ArrayLike = 0
    train: ArrayLike = 0
    key: ArrayLike | None = None

    def config(self) -> dict[str, Any]:
        """Return the fields of the core."""
        given = (self.kind, self.walk, self.zone, self.x_m, self.y_m, self.z_m, self.indoors, self.train)
        count = next((np.asarray(values).size for values in given if np.ndim(values)), 1)
        return {
            "user_class": whole_numbers("kind", self.kind, count),
            "user_walk": whole_numbers("walk", self.walk, count),
            "user_zone": whole_numbers("zone", self.zone, count),
            "user_x": real_numbers("x_m", self.x_m, count),
            "user_y": real_numbers("y_m", self.y_m, count),
            "user_z": real_numbers("z_m", self.z_m, count),
            "user_indoors": whole_numbers("indoors", self.indoors, count, flags=True),
            "user_train": whole_numbers("train", self.train, count),
            "user_key": whole_numbers("key", np.arange(count) if self.key is None else self.key, count),
        }


def core_config(
    cells: Mapping[str, NDArray[Any]],
    users: AccessUsers,
    zones: Sequence[Any],
    map_m: Sequence[float],
    classes: Sequence[AccessClass],
) -> dict[str, Any]:
    """Return the fields of the core that say who and what is where, and what it sends; the others are rules."""
    return {
        **cells,
        **users.config(),
        **_flows(classes),
        **dict(zip(("west", "south", "east", "north"), map(float, map_m), strict=True)),
        "zone_x": np.array([zone.x_m for zone in zones], dtype=np.float64),
        "zone_y": np.array([zone.y_m for zone in zones], dtype=np.float64),
        "class_report_s": np.array([c.report_s for c in classes], dtype=np.float64),
    }


def core_rules(zones: Sequence[Any]) -> list[tuple[dict[str, float], list[list[float]]]]:
    """Return rules and track of each zone."""
    return [(zone.rules, [list(map(float, point)) for point in zone.track]) for zone in zones]


def _flows(classes: Sequence[AccessClass]) -> dict[str, Any]:
    flows = [(f"{c.name}.{way}", flow) for c in classes for way, flow in (("down", c.down), ("up", c.up))]
    reals = {"flow_pps": "pps", "flow_on_s": "on_s", "flow_off_s": "off_s"}
    wholes = {"flow_bytes": "bytes", "flow_burst": "packets", "flow_buffer": "buffer"}
    return {
        **{to: np.array([float(getattr(f, name)) for _, f in flows]) for to, name in reals.items()},
        **{to: np.array([getattr(f, name) for _, f in flows], dtype=np.int64) for to, name in wholes.items()},
        "flow_arrival": np.array([_code(f"{n}.arrival", f.arrival, _ARRIVALS) for n, f in flows], dtype=np.int64),
        "flow_size": np.array([_code(f"{n}.size", f.size, _SIZES) for n, f in flows], dtype=np.int64),
    }


def _code(where: str, word: str, known: dict[str, int]) -> int:
    if word not in known:
        raise ValueError(f"{where}: expected one of {', '.join(known)}, got {word!r}")
    return known[word]
