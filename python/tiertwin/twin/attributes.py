"""The attributes of the spine: each registered once, with unit, merge rule, range and age.

Ids below 100 are telemetry and summaries, 100-199 are what orchestrators say to each other, from 200 on what a node
tells observers of itself. A new attribute gets a new id and a row here; a peer that does not know it carries it opaque.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from tiertwin import _core

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_QUOTAS = 9  # five tiers of ancestors: 2·5 − 1 components
TIERS = 8  # most tiers a device's tasks can be split over


class TableId(IntEnum):
    """Tables of the wire; ids are final (wire-format.md)."""

    TELEMETRY = 1
    SUMMARY = 2
    NAMES = 3
    CUT = 4
    POINT = 5
    BUDGET = 16
    QUERY = 17
    SUBSCRIPTION = 18
    TRUST = 19
    STATUS = 32
    COUNTERS = 33


class A(IntEnum):
    """Attribute ids. Units stand in the table below."""

    TASK_RATE = 10
    RADIO_MBPS = 11
    CPU_LOAD = 12
    QUEUE_TASKS = 13
    LATENCY_MS = 14
    COMPLETED = 15
    MISSED = 16
    ENERGY_J = 17
    USERS = 18
    LOAD_GHZ = 20
    SERVER_QUEUE = 21
    UP = 22
    LOAD_MBPS = 30
    CAPACITY_MBPS = 31
    BACKGROUND_MBPS = 32
    TEMPERATURE_C = 50
    VIBRATION_MM_S = 51
    ERRORS = 52
    RAIN_LOSS_DB = 53
    RATE_BITS = 54
    PRB_UP = 55
    PRB_UP_PEAK = 56
    POWER_W = 57
    HANDOVERS = 58
    FRAMES = 59
    FRAME_ERRORS = 60
    LEAST_RESPONSE = 61
    RATE_SUM = 40
    RATE_COUNT = 41
    COMPLETED_SUM = 42
    MISSED_SUM = 43
    ENERGY_SUM = 44
    LATENCY_SUM = 45
    LATENCY_COUNT = 46
    OLDEST = 47
    DEMAND = 48
    USERS_SUM = 49
    CUT_PHI = 100
    CUT_VERSION = 101
    CUT_EPOCH = 102
    CUT_ROUND = 103
    CUT_G = 105
    POINT_V = 120
    POINT_VERSION = 121
    POINT_EPOCH = 122
    POINT_ROUND = 123
    POINT_SCALE = 124
    POINT_U = 126
    QUERY_EPOCH = 140
    QUERY_ROUND = 141
    QUERY_USED = 142
    QUERY_QUOTA = 143
    QUERY_PRICE = 153
    BUDGET_UPLINK = 163
    BUDGET_QUOTA = 164
    UPLINK_SHARE = 173
    SHARE = 184
    CPU_SHARE = 192
    STATUS_EPOCH = 210
    STATUS_DECIDED = 211
    STATUS_ALONE = 212
    STATUS_LEASE_EPOCH = 213
    STATUS_LEASE_LEFT = 214
    STATUS_GAP = 215
    STATUS_WAITING = 216
    STATUS_WAITING_SINCE = 217
    STATUS_INCARNATION = 218
    STATUS_RSS = 219
    STATUS_FRAMES_IN = 220
    STATUS_FRAMES_OUT = 221
    STATUS_REFUSED = 222
    STATUS_POOL_ASKED = 223
    STATUS_POOL_LATE = 224
    LINK_SESSION = 230
    LINK_ATTACHED = 231
    LINK_SUSPECT = 232
    LINK_AWAITED = 233
    LINK_SILENT = 234
    LINK_RTT = 235
    LINK_EPOCH = 236
    LINK_AGE = 237
    LINK_INCARNATION = 238
    LINK_UNACKED = 239
    LINK_HELD = 240
    LINK_BYTES_IN = 241
    LINK_BYTES_OUT = 242
    LINK_TERM = 243
    COUNTED = 250
    WORTH_BYTES = 261
    NEIGHBOURS_LOAD = 262


BIG = 1e15
# id, name, unit, kind, type, merge, low, high
_ROWS: list[tuple[int, str, str, str, str, str, float, float]] = [
    (A.TASK_RATE, "task_rate", "1/s", "rate", "f64", "sum", -1e3, 1e6),
    (A.RADIO_MBPS, "radio_mbps", "Mb/s", "gauge", "f64", "min", -1e3, 1e7),
    (A.CPU_LOAD, "cpu_load", "1", "gauge", "f64", "max", -10, 1e6),
    (A.QUEUE_TASKS, "queue_tasks", "1", "gauge", "f64", "sum", -10, 1e9),
    (A.LATENCY_MS, "latency_ms", "ms", "gauge", "f64", "wmean", -1e6, 1e9),
    (A.COMPLETED, "completed", "1", "counter", "f64", "sum", 0, 1e12),
    (A.MISSED, "missed", "1", "counter", "f64", "sum", 0, 1e12),
    (A.ENERGY_J, "energy_j", "J", "gauge", "f64", "sum", -1e6, 1e12),
    # of a group of users, only in trees whose scenario has access
    (A.USERS, "users", "1", "gauge", "f64", "sum", 0, 1e9),
    (A.LOAD_GHZ, "load_ghz", "GHz", "gauge", "f64", "sum", -1, 1e9),
    (A.SERVER_QUEUE, "server_queue", "1", "gauge", "f64", "sum", 0, 1e12),
    (A.UP, "up", "1", "state", "f64", "all", 0, 1),
    (A.LOAD_MBPS, "load_mbps", "Mb/s", "gauge", "f64", "sum", -1, 1e12),
    (A.CAPACITY_MBPS, "capacity_mbps", "Mb/s", "gauge", "f64", "sum", 0, 1e12),
    (A.BACKGROUND_MBPS, "background_mbps", "Mb/s", "gauge", "f64", "sum", -1, 1e12),
    # sensors of servers and links, only in trees whose scenario has failures or weather
    (A.TEMPERATURE_C, "temperature_c", "°C", "gauge", "f64", "max", -1e5, 1e5),
    (A.VIBRATION_MM_S, "vibration_mm_s", "mm/s", "gauge", "f64", "max", 0, BIG),
    (A.ERRORS, "errors", "1", "gauge", "f64", "sum", 0, 1e9),
    (A.RAIN_LOSS_DB, "rain_loss_db", "dB", "gauge", "f64", "max", 0, 1e9),
    (A.RATE_BITS, "rate_bits", "1", "gauge", "f64", "min", 0, 64),
    # base stations, in the row of the site's edge server, only in trees whose scenario has access
    (A.PRB_UP, "prb_up", "1", "gauge", "f64", "wmean", 0, 1e3),
    (A.PRB_UP_PEAK, "prb_up_peak", "1", "gauge", "f64", "max", 0, 1e3),
    (A.POWER_W, "power_w", "W", "gauge", "f64", "sum", 0, 1e12),
    (A.HANDOVERS, "handovers", "1", "gauge", "f64", "sum", 0, 1e12),
    # counters of links and servers since their last report, only in trees whose scenario has faults or assurance
    (A.FRAMES, "frames", "1", "counter", "f64", "sum", 0, BIG),
    (A.FRAME_ERRORS, "frame_errors", "1", "counter", "f64", "sum", 0, BIG),
    (A.LEAST_RESPONSE, "least_response", "1", "gauge", "f64", "min", 0, BIG),
    (A.RATE_SUM, "task_rate.sum", "1/s", "rate", "f64", "sum", -BIG, BIG),
    (A.RATE_COUNT, "task_rate.count", "1", "gauge", "f64", "sum", 0, BIG),
    (A.COMPLETED_SUM, "completed.sum", "1", "counter", "f64", "sum", 0, BIG),
    (A.MISSED_SUM, "missed.sum", "1", "counter", "f64", "sum", 0, BIG),
    (A.ENERGY_SUM, "energy_j.sum", "J", "gauge", "f64", "sum", -BIG, BIG),
    (A.LATENCY_SUM, "latency_ms.sum", "ms", "gauge", "f64", "sum", -BIG, BIG),
    (A.LATENCY_COUNT, "latency_ms.count", "1", "gauge", "f64", "sum", 0, BIG),
    (A.OLDEST, "age.oldest", "ms", "gauge", "f64", "max", 0, BIG),
    (A.DEMAND, "demand", "1/s", "rate", "f64", "sum", 0, BIG),
    (A.USERS_SUM, "users.sum", "1", "gauge", "f64", "sum", 0, BIG),
    (A.CUT_PHI, "cut.phi", "utils/s", "gauge", "f64", "sum", -BIG, BIG),
    (A.CUT_VERSION, "cut.version", "1", "state", "i64", "max", 0, BIG),
    (A.CUT_EPOCH, "cut.epoch", "1", "state", "i64", "max", 0, BIG),
    (A.CUT_ROUND, "cut.round", "1", "state", "u32", "max", 0, 1e6),
    (A.POINT_V, "point.v", "utils/s", "gauge", "f64", "sum", -BIG, BIG),
    (A.POINT_VERSION, "point.version", "1", "state", "i64", "max", 0, BIG),
    (A.POINT_EPOCH, "point.epoch", "1", "state", "i64", "max", 0, BIG),
    (A.POINT_ROUND, "point.round", "1", "state", "u32", "max", 0, 1e6),
    (A.POINT_SCALE, "point.scale", "utils/s", "gauge", "f64", "sum", 0, BIG),
    (A.QUERY_EPOCH, "query.epoch", "1", "state", "i64", "max", 0, BIG),
    (A.QUERY_ROUND, "query.round", "1", "state", "u32", "max", 0, 1e6),
    (A.QUERY_USED, "query.used", "bits", "state", "i64", "max", 0, 2.0**40),
    (A.BUDGET_UPLINK, "budget.uplink", "Mb/s", "gauge", "f64", "min", 0, BIG),
    # status of a node (row 0) and of its links (a row a neighbour); -1: there is none
    (A.STATUS_EPOCH, "status.epoch", "1", "state", "f64", "max", -1, BIG),
    (A.STATUS_DECIDED, "status.decided", "1", "state", "f64", "max", -1, BIG),
    (A.STATUS_ALONE, "status.local_policy", "1", "state", "f64", "max", 0, 1),
    (A.STATUS_LEASE_EPOCH, "status.lease_epoch", "1", "state", "f64", "max", -1, BIG),
    (A.STATUS_LEASE_LEFT, "status.lease_left", "ms", "gauge", "f64", "min", -BIG, BIG),
    (A.STATUS_GAP, "status.gap", "1", "gauge", "f64", "max", -BIG, BIG),
    (A.STATUS_WAITING, "status.waiting", "1", "state", "f64", "max", 0, 255),
    (A.STATUS_WAITING_SINCE, "status.waiting_since", "ms", "gauge", "f64", "max", 0, BIG),
    (A.STATUS_INCARNATION, "status.incarnation", "1", "state", "f64", "max", 0, 2.0**32),
    (A.STATUS_RSS, "status.rss", "MB", "gauge", "f64", "max", 0, BIG),
    (A.STATUS_FRAMES_IN, "status.frames_in", "1", "counter", "f64", "sum", 0, BIG),
    (A.STATUS_FRAMES_OUT, "status.frames_out", "1", "counter", "f64", "sum", 0, BIG),
    (A.STATUS_REFUSED, "status.refused", "1", "counter", "f64", "sum", 0, BIG),
    (A.STATUS_POOL_ASKED, "status.pool_asked", "1", "counter", "f64", "sum", 0, BIG),
    (A.STATUS_POOL_LATE, "status.pool_late", "1", "counter", "f64", "sum", 0, BIG),
    (A.LINK_SESSION, "link.session", "1", "state", "f64", "max", 0, 255),
    (A.LINK_ATTACHED, "link.attached", "1", "state", "f64", "all", 0, 1),
    (A.LINK_SUSPECT, "link.suspect", "1", "state", "f64", "max", 0, 1),
    (A.LINK_AWAITED, "link.awaited", "1", "state", "f64", "max", 0, 1),
    (A.LINK_SILENT, "link.silent", "ms", "gauge", "f64", "max", -1, BIG),
    (A.LINK_RTT, "link.rtt", "ms", "gauge", "f64", "max", -1, BIG),
    (A.LINK_EPOCH, "link.epoch", "1", "state", "f64", "max", -1, BIG),
    (A.LINK_AGE, "link.age", "ms", "gauge", "f64", "max", -1, BIG),
    (A.LINK_INCARNATION, "link.incarnation", "1", "state", "f64", "max", 0, 2.0**32),
    (A.LINK_UNACKED, "link.unacknowledged", "1", "gauge", "f64", "sum", 0, BIG),
    (A.LINK_HELD, "link.held_units", "1", "gauge", "f64", "sum", 0, BIG),
    (A.LINK_BYTES_IN, "link.bytes_in", "B", "counter", "f64", "sum", 0, BIG),
    (A.LINK_BYTES_OUT, "link.bytes_out", "B", "counter", "f64", "sum", 0, BIG),
    (A.LINK_TERM, "link.term", "1", "state", "f64", "max", 0, 2.0**32),
    # what a node and its process counted: a row a counter of runtime/counters.py
    (A.COUNTED, "counted", "1", "counter", "f64", "sum", 0, BIG),
    # a subscription: times the usual bytes
    (A.WORTH_BYTES, "worth.bytes", "1", "gauge", "f64", "max", 0, 16),
    # a fog to an edge whose gateway is not believed: load of its neighbours, 1 as planned; 0: it is believed again
    (A.NEIGHBOURS_LOAD, "neighbours.load", "1", "gauge", "f64", "max", 0, 1e6),
]
for _j in range(MAX_QUOTAS):
    _ROWS += [
        (A.CUT_G + _j, f"cut.g[{_j}]", "utils per unit", "gauge", "f64", "sum", 0, BIG),
        (A.POINT_U + _j, f"point.u[{_j}]", "GHz or Mb/s", "gauge", "f64", "sum", 0, BIG),
        (A.QUERY_QUOTA + _j, f"query.quota[{_j}]", "GHz or Mb/s", "gauge", "f64", "sum", 0, BIG),
        (A.QUERY_PRICE + _j, f"query.price[{_j}]", "utils per unit", "gauge", "f64", "max", 0, BIG),
        (A.BUDGET_QUOTA + _j, f"budget.quota[{_j}]", "GHz or Mb/s", "gauge", "f64", "sum", 0, BIG),
    ]
for _t in range(TIERS):
    _ROWS.append((A.SHARE + _t, f"share[{_t}]", "1", "gauge", "f64", "sum", 0, 1))
for _t in range(TIERS - 1):  # servers: edge, fog, …
    _ROWS.append((A.CPU_SHARE + _t, f"cpu_share[{_t}]", "GHz", "gauge", "f64", "sum", 0, BIG))
for _t in range(TIERS - 2):  # hops: site → fog, …
    _ROWS.append((A.UPLINK_SHARE + _t, f"uplink_share[{_t}]", "Mb/s", "gauge", "f64", "sum", 0, BIG))

TELEMETRY = [
    A.TASK_RATE,
    A.RADIO_MBPS,
    A.CPU_LOAD,
    A.QUEUE_TASKS,
    A.LATENCY_MS,
    A.COMPLETED,
    A.MISSED,
    A.ENERGY_J,
]
CROWD = [A.USERS]
"""Of device rows that are groups of users (`World.grouped`); summed up as `A.USERS_SUM`."""
SERVER = [A.LOAD_GHZ, A.SERVER_QUEUE, A.UP]
LINK = [A.LOAD_MBPS, A.CAPACITY_MBPS, A.UP, A.BACKGROUND_MBPS]
SENSORS = [A.TEMPERATURE_C, A.VIBRATION_MM_S, A.ERRORS]
WEATHER = [A.RAIN_LOSS_DB, A.RATE_BITS]
BASE_STATION = [A.PRB_UP, A.PRB_UP_PEAK, A.POWER_W, A.HANDOVERS]
LINK_COUNTERS = [A.FRAMES, A.FRAME_ERRORS]
SERVER_COUNTERS = [A.LEAST_RESPONSE]
COUNTERS = [*LINK_COUNTERS, *SERVER_COUNTERS]
EXTENSIONS = (*SENSORS, *WEATHER, *BASE_STATION, *CROWD, A.USERS_SUM, A.WORTH_BYTES, A.NEIGHBOURS_LOAD, *COUNTERS)
"""Not every peer must know them: no part of a fingerprint."""
RESOURCES = [A.LOAD_GHZ, A.SERVER_QUEUE, A.UP, A.LOAD_MBPS, A.CAPACITY_MBPS, A.BACKGROUND_MBPS]
SUMMARY = [
    A.RATE_SUM,
    A.RATE_COUNT,
    A.COMPLETED_SUM,
    A.MISSED_SUM,
    A.ENERGY_SUM,
    A.LATENCY_SUM,
    A.LATENCY_COUNT,
    A.OLDEST,
    A.DEMAND,
]
DEFAULT_MAX_AGE_MS = 5_000
CELL_BYTES = 12.0  # of a cell told with others of its column at one time (wire-format.md)
BLOCK_BYTES = 16.0  # of a block beyond the first
FRAME_BYTES = 56.0  # of a frame with one block, without its cells


KNOWN = frozenset(int(row[0]) for row in _ROWS)
"""Ids of all attributes of this module."""


def registry(class_of: Callable[[int], int] | None = None) -> _core.AttributeRegistry:
    """Return a registry with every attribute of this module.

    Parameters
    ----------
    class_of
        Privacy class of an attribute, where a tree has domains of several owners; 0 (public) without it.
    """
    built = _core.AttributeRegistry()
    for number, name, unit, kind, value_type, merge, low, high in _ROWS:
        extension = number in EXTENSIONS
        limits = (float(low), float(high), DEFAULT_MAX_AGE_MS)
        privacy = 0 if class_of is None else int(class_of(int(number)))
        built.add(int(number), name, unit, kind, value_type, merge, *limits, privacy=privacy, extension=extension)
    return built


def attribute_name(number: int) -> str:
    """Name of an attribute id; ``attribute 812`` when it is not ours."""
    for row in _ROWS:
        if row[0] == number:
            return row[1]
    return f"attribute {number}"
