"""R52: a query is answered, never obeyed."""

from __future__ import annotations

import numpy as np

from support.inprocess import started
from tiertwin.allocate.messages import Query
from tiertwin.orchestrate import units
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.twin.attributes import TableId
from tiertwin.twin.effects import Actuate, Record
from tiertwin.twin.twin import Unit


def test_ten_thousand_random_queries_move_no_set_point() -> None:
    run = started()
    for epoch in range(2):
        run.run_epoch(epoch)
    name = next(n for n, t in run.twins.items() if isinstance(t.controller, EdgeController))
    twin = run.twins[name]
    edge = twin.controller
    assert isinstance(edge, EdgeController)
    assert edge.problem is not None
    plan, lease, quota, decided = edge.plan, edge.lease, edge.quota, edge.decided
    assert quota is not None
    granted = quota.copy()
    rng = np.random.default_rng(52)
    most, dear = edge.problem.quota_max, 10.0 * edge.problem.cost.max()
    answered = edge.tally.queries
    for number in range(10_000):
        query = Query(rng.uniform(0, 1.5, len(most)) * most, rng.uniform(0, dear, len(most)))
        cells = units.query_cells(query, units.Stamp(twin.epoch, 1 + number % 5))
        found = {
            int(a): (cells.rows[cells.attributes == a], cells.values[cells.attributes == a]) for a in cells.attributes
        }
        effects = twin.controller.told(twin, Unit("fog", TableId.QUERY, found, None), run.now)
        assert not any(isinstance(e, Actuate | Record) for e in effects)
    assert edge.tally.queries == answered + 10_000
    assert edge.plan is plan
    assert edge.lease == lease
    assert edge.decided == decided
    assert np.array_equal(edge.quota, granted)
