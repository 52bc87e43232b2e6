"""What a plant tells the twins: reports of devices, servers and links, by site, in order of arrival."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

DEVICE_ATTRIBUTES = (
    "task_rate",  # tasks/s made since the last report
    "radio_mbps",  # uplink rate while it holds the cell
    "cpu_load",  # busy share of its own processor, 0..1
    "queue_tasks",  # in its own processor, served ones included
    "latency_ms",  # mean over its tasks done in the period; not sent when none was
    "completed",  # tasks done in the period, at any tier
    "missed",  # tasks of the period that were late, shed or lost
    "energy_j",  # its own: radio and processor
)
GROUP_ATTRIBUTES = (*DEVICE_ATTRIBUTES, "users")
"""Of a group of users under a radio access, in the place of devices: sums over its users, `cpu_load` and `latency_ms`
means, `radio_mbps` the harmonic mean over those heard now (NaN: nobody), `users` how many are in it now."""
SERVER_ATTRIBUTES = ("load_ghz", "queue_tasks", "up")
LINK_ATTRIBUTES = ("load_mbps", "capacity_mbps", "up", "background_mbps")  # load: tasks and background
SENSOR_ATTRIBUTES = (
    "temperature_c",
    "vibration_mm_s",  # rms
    "errors",  # counted since the last measurement
    "up",
)
WEATHER_ATTRIBUTES = (
    "loss_db",  # by rain over the whole hop
    "bits",  # a symbol: the step of the adaptive modulation; 0 is outage
    "capacity_mbps",  # at that step
)
LINK_COUNTERS = (
    "frames",  # received since the last report, of tasks and background
    "frame_errors",  # of them bad
    "lost",  # tasks
)
SERVER_COUNTERS = (
    "least_response",  # of the tasks done since the last report: time taken over time needed alone on a whole core
    "mean_response",  # the same; NaN: none was done
    "done",  # how many they are
)
BASE_STATION_ATTRIBUTES = (
    "prb_up",  # share of the site's resource blocks that were used up since the last report, 0..1
    "prb_up_peak",  # the same of its busiest cell
    "power_w",  # of all its cells
    "handovers",  # into them since the last report
)


@dataclass(frozen=True, eq=False, slots=True)
class Reports:
    """Reports of one kind of sender. k rows, S sites, A attributes."""

    site_ptr: I64
    """Rows of site s are ``site_ptr[s]:site_ptr[s + 1]``; group S holds senders at no site. [S + 2]"""
    id: I64
    """Device row (group, with a radio access), server (edge of site s is s, fog f is S + f, cloud S + F) or directed
    link. [k]"""
    time_ns: I64
    """Generation by the sender's own clock (that of a device or base station is off; below 0 at the very start is
    possible). [k]"""
    arrival_ns: I64
    """True time of arrival; ascending within a site. [k]"""
    values: F64
    """Attributes in the order of the names above; NaN where not sent. [k, A]"""

    def __len__(self) -> int:
        return len(self.id)

    def rows_of_site(self, site: int) -> slice:
        """Where the rows of one site are; site S is the group of senders at no site."""
        return slice(int(self.site_ptr[site]), int(self.site_ptr[site + 1]))

    def of_site(self, site: int) -> Reports:
        """Return the rows of one site (views); site S is the group of senders at no site."""
        rows = self.rows_of_site(site)
        ptr = np.array([0, rows.stop - rows.start], dtype=np.int64)
        return Reports(ptr, self.id[rows], self.time_ns[rows], self.arrival_ns[rows], self.values[rows])


@dataclass(frozen=True, eq=False, slots=True)
class Telemetry:
    """Everything that arrived."""

    devices: Reports
    servers: Reports
    links: Reports


@dataclass(frozen=True, eq=False, slots=True)
class SensorReports:
    """What sensors told: `id` is an undirected link, a server or a site. Empty where nothing of the kind is enabled."""

    links: Reports
    """Of links that wear: `SENSOR_ATTRIBUTES`."""
    servers: Reports
    """Of servers that wear: the same."""
    weather: Reports
    """Of microwave links: `WEATHER_ATTRIBUTES`."""
    stations: Reports
    """Of the base stations of a site, with a radio access: `BASE_STATION_ATTRIBUTES`."""


@dataclass(frozen=True, eq=False, slots=True)
class CounterReports:
    """What links and servers counted, with faults: `id` is a directed link or a server."""

    links: Reports
    """`LINK_COUNTERS`."""
    servers: Reports
    """`SERVER_COUNTERS`."""
