"""What sensors tell reaches the twins, by the gateways to the edges and on to the fogs, and only where asked for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from support.inprocess import MASTERS, world_of
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.plan import make_plan
from tiertwin.twin.attributes import SENSORS, WEATHER, A
from tiertwin.twin.layout import edge_layout, fog_layout, gateway_layout
from tiertwin.world import load, resolve

LAW = {"weibull": {"scale_s": 1e9}, "heat": {"idle_w": 100.0, "max_w": 100.0, "k_per_w": 0.1}}
WEATHERED = {"period_s": 0.5, "microwave": [{"a": "Centre", "b": "Station", "margin_db": 4.0, "modulation": "256-QAM"}]}


@lru_cache
def played(asked: bool) -> InProcessRun:
    sections = {"failures": {"links": LAW, "sites": LAW, "fogs": LAW}, "weather": WEATHERED} if asked else {}
    world = resolve(load("metro", **sections)) if asked else world_of("metro")
    run = make_run(make_plan(world.scenario, 3, 7, ["hierarchical"]), world, "hierarchical", MASTERS)
    for epoch in range(3):
        run.run_epoch(epoch)
    return run


@pytest.mark.parametrize("tier", ["gateway", "edge", "fog"])
def test_the_tables_of_every_tier_have_them(tier: str) -> None:
    run = played(True)
    world = run.world
    rows = {"gateway": gateway_layout, "edge": edge_layout, "fog": fog_layout}[tier]
    names = {"gateway": "device-centre", "edge": "edge-centre", "fog": "fog-1"}
    twin = run.twins[names[tier]]
    spec = next(spec for spec in world.twins if spec.name == names[tier])
    layout = rows(world, spec.fog if tier == "fog" else spec.site)
    assert twin.parent is not None
    table = twin.parent.table_out
    assert table is not None
    servers = layout.server_rows[layout.servers < world.site_count + world.fog_count]
    temperature = table.column(A.TEMPERATURE_C)
    assert len(servers) > 0
    np.testing.assert_allclose(temperature[servers], 30.0, rtol=0.2)
    forward = layout.link_rows[layout.links % 2 == 0]  # a link reports at its tail
    np.testing.assert_allclose(temperature[forward], 30.0, rtol=0.2)
    assert (table.column(A.VIBRATION_MM_S)[servers] > 0.5).all()
    assert (table.column(A.ERRORS)[servers] >= 0).all()
    hop = layout.link_rows[layout.links == 0]
    if tier != "fog":
        assert len(hop) == 1
    assert (table.column(A.RATE_BITS)[hop] == 8.0).all()
    assert (table.column(A.RAIN_LOSS_DB)[hop] == 0.0).all()


def test_without_failures_and_weather_no_table_has_their_columns() -> None:
    for twin in played(False).twins.values():
        tables = [n.table_out for n in (twin.parent,) if n is not None] + [n.table_in for n in twin.children]
        for table in tables:
            if table is None:
                continue
            for attribute in (*SENSORS, *WEATHER):
                with pytest.raises(KeyError):
                    table.column(attribute)
