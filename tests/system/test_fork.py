"""A fork tries things out on a copy; the live twins and the plant never notice."""

from __future__ import annotations

import numpy as np
import pytest

import tiertwin as tt
from tiertwin.errors import InputError, UnknownNameError


@pytest.fixture(scope="module")
def result() -> tt.Result:
    return tt.run("metro", epochs=4, seed=7)


def value(expectation: object, kpi: str) -> float:
    return expectation.values[kpi][0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["cloud-1", "fog-1", "edge-centre"])
def test_more_demand_is_offered_and_the_live_twin_stays(result: tt.Result, name: str) -> None:
    twin = result.twin(name)
    before = twin.fork().expect().values
    fork = twin.fork().scale_demand(2.0)
    compared = fork.compare()
    assert compared.before.values == before
    assert value(compared.after, "offered") == pytest.approx(2 * value(compared.before, "offered"))
    assert value(compared.after, "edge_utilisation") > value(compared.before, "edge_utilisation")
    assert twin.fork().expect().values == before
    assert "offered" in compared.table()


def test_a_failed_link_never_helps(result: tt.Result) -> None:
    live = result.twin("cloud-1")
    world = result.world
    route = next(links for links in world.route_site_links if len(links))
    link = int(route[0]) // 2
    a, b = world.node_names[int(world.link_tail[link])], world.node_names[int(world.link_head[link])]
    compared = live.fork().fail_link(a, b).compare()
    slack = 2e-3 * abs(value(compared.before, "objective"))
    assert value(compared.after, "objective") <= value(compared.before, "objective") + slack
    assert value(compared.after, "offered") == pytest.approx(value(compared.before, "offered"))


def test_forks_of_forks_are_independent(result: tt.Result) -> None:
    first = result.twin("fog-1").fork().scale_demand(1.5)
    second = first.fork().scale_demand(2.0)
    assert value(second.expect(), "offered") == pytest.approx(2 * value(first.expect(), "offered"))
    assert value(second.compare().before, "offered") == pytest.approx(value(first.compare().before, "offered"))


def test_one_edge_alone_can_be_scaled(result: tt.Result) -> None:
    fork = result.twin("cloud-1").fork().scale_demand(3.0, twin="edge-centre")
    changed = value(fork.compare().after, "offered") - value(fork.compare().before, "offered")
    own = value(result.twin("edge-centre").fork().expect(), "offered")
    assert changed == pytest.approx(2 * own)


def test_tables_of_a_fork_share_blocks_until_written(result: tt.Result) -> None:
    fork = result.twin("fog-1").fork()
    name, table = next((k, t) for k, t in fork.tables.items() if k.startswith("fog-1<"))
    attribute = table.attributes[0]
    live = result.twin("fog-1").fork().tables[name]
    before = live.column(attribute).copy()
    table.set(attribute, np.zeros(1, dtype=np.uint32), np.array([123.0]), 10**9)
    assert np.array_equal(live.column(attribute), before, equal_nan=True)
    assert table.column(attribute)[0] == 123.0


def test_wrong_names_and_factors_are_told(result: tt.Result) -> None:
    fork = result.twin("fog-1").fork()
    with pytest.raises(UnknownNameError, match="Centr"):
        fork.fail_link("Centr", "Station")
    with pytest.raises(InputError, match="no link joins"):
        fork.fail_link("Centre", "Lakeside")
    with pytest.raises(InputError, match="factor"):
        fork.scale_demand(float("nan"))
    with pytest.raises(UnknownNameError, match="fog-11"):
        result.twin("fog-11")
