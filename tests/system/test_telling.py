"""A tree whose gateways tell what is worth its bytes: budgets hold, silence is no blindness, decisions stay good."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from support.inprocess import MASTERS
from tiertwin.orchestrate.economy import nominal_rate, site_row
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.gateway import GatewayController
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.measure import Meter, summary
from tiertwin.runtime.plan import make_plan
from tiertwin.study.attributes import Arm, _Job, attribute_study, run_one, traffic
from tiertwin.twin.attributes import A, TableId
from tiertwin.twin.layout import edge_layout, gateway_layout
from tiertwin.twin.twin import Unit
from tiertwin.world import load, resolve
from tiertwin.world.mixedscenario import mixed_scenario

pytestmark = pytest.mark.system

SMALL_MIXED = mixed_scenario(1_000, 100)


@lru_cache
def _world(name: str, selection: str, share: float) -> Any:
    source: Any = SMALL_MIXED if name == "mixed" else name
    plan = make_plan(load(source, attributes={"selection": selection, "bytes_share": share}), 20, 7, ["hierarchical"])
    return plan, resolve(plan.scenario)


def started(name: str = "metro", selection: str = "worth", share: float = 0.05) -> InProcessRun:
    plan, world = _world(name, selection, share)
    return make_run(plan, world, "hierarchical", MASTERS)


def gateways(run: InProcessRun) -> list[Any]:
    return [twin for twin in run.twins.values() if isinstance(twin.controller, GatewayController)]


def edges(run: InProcessRun) -> list[Any]:
    return [twin for twin in run.twins.values() if isinstance(twin.controller, EdgeController)]


@pytest.mark.parametrize("name", ["metro", "mixed"])
@pytest.mark.parametrize("selection", ["worth", "fixed", "random", "variance", "none", "all"])
def test_every_selection_runs_within_its_budget(name, selection):
    run, epochs = started(name, selection), 4
    for epoch in range(epochs):
        run.run_epoch(epoch)
    for twin in gateways(run):
        told, telling = twin.parent.told_bytes, twin.controller.telling
        if selection == "none":
            assert telling.told == 0
        saved = (
            4.0 * telling.purse.bytes_per_s + 2_000
        )  # what was saved up, one frame more than was thought, a snapshot
        assert told <= telling.purse.bytes_per_s * epochs + saved
        if selection != "none":
            assert telling.told > 0


def test_decisions_are_nearly_as_good_on_a_twentieth_of_the_bytes():
    utility, told = {}, {}
    for selection, share in (("all", 1.0), ("worth", 0.05), ("none", 1.0)):
        run = started("metro", selection, share)
        meter = Meter(run.world)
        for epoch in range(20):
            run.run_epoch(epoch)
            meter.epoch(run.observe(), *run.plant_books())
        utility[selection] = summary(meter, run.observe(), 0.0, 0.0)["utility_mean"]
        told[selection] = sum(traffic(run)[:2])
    assert told["worth"] < 0.2 * told["all"]
    lost, without = utility["all"] - utility["worth"], utility["all"] - utility["none"]
    assert lost < 0.3 * without


def test_what_is_not_told_again_is_not_old():
    """Rates that stand still are told once; the edge goes on using them, and ages say how old its input is."""
    run = started()
    for epoch in range(4):
        run.run_epoch(epoch)
    for twin in edges(run):
        view = twin.controller.view
        assert not view.blind
        assert run.now - view.newest_ns < 4_000_000_000  # the epoch that has passed, and what a sample takes
        assert twin.children[0].ages is not None
        assert not twin.children[0].ages.sampled


def test_a_gateway_that_hears_nothing_makes_its_edge_blind():
    run = started()
    for epoch in range(3):
        run.run_epoch(epoch)
    run.host.southbound.telemetry = lambda until, epoch: iter(())
    for epoch in range(3, 12):
        run.run_epoch(epoch)
    assert all(twin.controller.view.blind for twin in edges(run))


def test_groups_are_told_as_shares_of_the_sites_tasks():
    run = started("metro", "worth", 1.0)  # budget enough for everything
    for epoch in range(4):
        run.run_epoch(epoch)
    for twin in edges(run):
        table, view = twin.children[0].table_in, twin.controller.view
        below = run.twins[twin.children[0].name].children[0].table_in
        rates = np.nan_to_num(below.column(A.TASK_RATE)[: len(view.group_of)])
        site = table.column(A.TASK_RATE)[site_row(view.site, edge_layout(run.world, view.site))]
        told = table.column(A.TASK_RATE)[: view.groups]
        told = np.where(np.isnan(told), view.nominal, told)  # as planned: nobody needs to say so
        assert told.sum() == pytest.approx(nominal_rate(run.world, view.site), rel=0.15)  # cells of several reports
        assert site == pytest.approx(rates.sum(), rel=0.25)
        view.told.rates(table, view.nominal)
        assert view.told.level == pytest.approx(site / nominal_rate(run.world, view.site))


def test_what_a_group_is_told_to_have_adds_up_to_the_site():
    run = started("mixed", "worth", 0.05)
    for epoch in range(4):
        run.run_epoch(epoch)
    for twin in edges(run):
        table, view = twin.children[0].table_in, twin.controller.view
        site = table.column(A.TASK_RATE)[site_row(view.site, gateway_layout(run.world, view.site))]
        rates = view.told.rates(table, view.nominal)
        assert np.isfinite(rates).all()
        assert np.isfinite(site)
        assert rates.sum() >= 0.99 * site  # groups told apart in time may add up to more


def test_a_subscription_that_is_no_number_changes_nothing():
    run = started()
    for epoch in range(2):
        run.run_epoch(epoch)
    twin = gateways(run)[0]
    telling = twin.controller.telling
    run.run_epoch(2)
    before = telling.subscribed
    one = np.ones(1)
    wrong = ((A.BUDGET_UPLINK, -one), (A.QUERY_PRICE, np.array([np.inf])), (A.WORTH_BYTES, 17 * one))
    for attribute, values in wrong:
        cells = {int(attribute): (np.zeros(1, dtype=np.uint32), values)}
        effects = twin.controller.told(twin, Unit("edge", TableId.SUBSCRIPTION, cells, None), run.now)
        assert [effect.what for effect in effects] == ["refused"]
    assert telling.subscribed == before


@pytest.mark.parametrize("selection", ["worth", "all", None])
def test_forks_of_every_controller_are_apart(selection):
    written = {} if selection is None else {"attributes": {"selection": selection, "focus": 2.0}}
    plan = make_plan(load("metro", **written), 3, 7, ["hierarchical"])
    run = make_run(plan, resolve(plan.scenario), "hierarchical", MASTERS)
    for epoch in range(2):
        run.run_epoch(epoch)
    for twin in run.twins.values():
        assert twin.controller.fork() is not twin.controller
    if selection is not None:
        controller = gateways(run)[0].controller
        other = controller.fork()
        told, saved = controller.telling.told, controller.telling.purse.saved
        other.telling.told += 5
        other.telling.subscribe(Unit("edge", TableId.SUBSCRIPTION, {}, None))
        assert (controller.telling.told, controller.telling.purse.saved) == (told, saved)


def test_a_gateway_that_begins_anew_is_told_again_what_to_tell():
    run = started()
    for epoch in range(3):
        run.run_epoch(epoch)
    twin = edges(run)[0]
    asking = twin.controller.asking
    before = asking.subscriptions
    prices = twin.controller.plan.quota_price
    asking.attend(twin, 2.0, run.now)
    assert asking.review(twin, 3, prices, run.now) == []
    asking._incarnation -= 1  # as if the gateway that was told had been another one
    assert asking.review(twin, 4, prices, run.now)
    assert asking.subscriptions == before + 1


def test_areas_are_told_and_their_gateways_may_tell_more():
    plan = make_plan(load("metro", attributes={"bytes_share": 0.1, "focus": 3.0}), 20, 7, ["hierarchical"])
    run = make_run(plan, resolve(plan.scenario), "hierarchical", MASTERS)
    areas, factors = [], []
    for epoch in range(20):  # into the morning
        run.run_epoch(epoch)
        factors += [twin.controller.telling.purse.factor for twin in gateways(run)]
        areas += [record for record in run.take_records() if record["what"] == "areas"]
    assert areas
    assert max(factors) > 1.0
    assert min(factors) < 1.0
    fog = next(twin for twin in run.twins.values() if twin.name == "fog-1")
    assert fog.controller.fork().attention is not fog.controller.attention


def test_the_study_is_paired_and_its_oracle_asks_for_nothing():
    scenario = load("metro")
    found = attribute_study(scenario, (1, 2), 3, (0.2,), ("worth", "oracle"), jobs=1)
    rows = {row["selection"]: row for row in found["rows"]}
    assert list(rows) == ["all", "none", "worth", "oracle"]
    assert rows["all"]["regret_percent"] == 0.0
    assert rows["none"]["bytes_percent"] == 0.0
    assert found["attributes"] == 25
    one = run_one(scenario, _Job(Arm("oracle", 0.2), 0.05, 1, 3))
    assert one.asked == 0
    assert one.subscriptions >= run_one(scenario, _Job(Arm("worth", 0.2), 0.05, 1, 3)).subscriptions
