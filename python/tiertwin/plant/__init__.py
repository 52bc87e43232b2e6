"""The physical side behind one southbound interface. `SimulatedPlant` stands in for the real network; `PacketPlant`
plays packets over given paths, `AccessPlant` a radio access network.

A plant is told set-points and shows telemetry; nobody above reads its variables (methods named ``truth_*`` are for
tests and the study harness).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiertwin.lazy import resolver

if TYPE_CHECKING:
    from tiertwin.plant.access import AccessPlant
    from tiertwin.plant.accessconfig import AccessClass, AccessRadio, AccessSecrets, AccessTelemetry, AccessUsers
    from tiertwin.plant.faults import Episode
    from tiertwin.plant.kpis import PlantKpis, RadioKpis
    from tiertwin.plant.options import PlantOptions
    from tiertwin.plant.packets import PacketFlows, PacketLinks, PacketPlant, PacketTrace
    from tiertwin.plant.reports import (
        BASE_STATION_ATTRIBUTES,
        DEVICE_ATTRIBUTES,
        GROUP_ATTRIBUTES,
        LINK_ATTRIBUTES,
        LINK_COUNTERS,
        SENSOR_ATTRIBUTES,
        SERVER_ATTRIBUTES,
        SERVER_COUNTERS,
        WEATHER_ATTRIBUTES,
        CounterReports,
        Reports,
        SensorReports,
        Telemetry,
    )
    from tiertwin.plant.simulated import SimulatedPlant
    from tiertwin.world.access import AccessFlow, AccessZone

_HOME = {
    **dict.fromkeys(["AccessPlant", "AccessZone"], "access"),
    **dict.fromkeys(["AccessClass", "AccessFlow", "AccessRadio"], "accessconfig"),
    **dict.fromkeys(["AccessSecrets", "AccessTelemetry", "AccessUsers"], "accessconfig"),
    "Episode": "faults",
    **dict.fromkeys(["PlantKpis", "RadioKpis"], "kpis"),
    "PlantOptions": "options",
    **dict.fromkeys(["PacketFlows", "PacketLinks", "PacketPlant", "PacketTrace"], "packets"),
    **dict.fromkeys(["DEVICE_ATTRIBUTES", "GROUP_ATTRIBUTES", "LINK_ATTRIBUTES", "SERVER_ATTRIBUTES"], "reports"),
    **dict.fromkeys(
        ["BASE_STATION_ATTRIBUTES", "SENSOR_ATTRIBUTES", "WEATHER_ATTRIBUTES", "Reports", "SensorReports", "Telemetry"],
        "reports",
    ),
    **dict.fromkeys(["LINK_COUNTERS", "SERVER_COUNTERS", "CounterReports"], "reports"),
    "SimulatedPlant": "simulated",
}
__all__ = [
    "BASE_STATION_ATTRIBUTES",
    "DEVICE_ATTRIBUTES",
    "GROUP_ATTRIBUTES",
    "LINK_ATTRIBUTES",
    "LINK_COUNTERS",
    "SENSOR_ATTRIBUTES",
    "SERVER_ATTRIBUTES",
    "SERVER_COUNTERS",
    "WEATHER_ATTRIBUTES",
    "AccessClass",
    "AccessFlow",
    "AccessPlant",
    "AccessRadio",
    "AccessSecrets",
    "AccessTelemetry",
    "AccessUsers",
    "AccessZone",
    "CounterReports",
    "Episode",
    "PacketFlows",
    "PacketLinks",
    "PacketPlant",
    "PacketTrace",
    "PlantKpis",
    "PlantOptions",
    "RadioKpis",
    "Reports",
    "SensorReports",
    "SimulatedPlant",
    "Telemetry",
]

if not TYPE_CHECKING:  # a type checker takes the names above, and no others
    __getattr__ = resolver(__name__, _HOME)
