"""What an edge sends up is what its devices told, group by group."""

from __future__ import annotations

import numpy as np

from support.inprocess import started
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.twin.attributes import A

SUMS = ((A.TASK_RATE, A.RATE_SUM), (A.COMPLETED, A.COMPLETED_SUM), (A.LATENCY_MS, A.LATENCY_SUM))


def test_group_rows_are_the_sums_of_their_members() -> None:
    run = started()
    for epoch in range(2):
        run.run_epoch(epoch)
    for twin in run.twins.values():
        edge = twin.controller
        if not isinstance(edge, EdgeController):
            continue
        assert twin.parent is not None
        assert twin.parent.table_out is not None
        members, out = twin.children[0].table_in, twin.parent.table_out
        assert members is not None
        edge.summarise(twin, run.now)
        group_of, n = edge.view.group_of, len(edge.view.group_of)
        for source, target in (
            (A.TASK_RATE, A.RATE_SUM),
            (A.COMPLETED, A.COMPLETED_SUM),
            (A.LATENCY_MS, A.LATENCY_SUM),
        ):
            values = members.column(source)[:n]
            heard = np.isfinite(values)
            wanted = np.bincount(group_of[heard], weights=values[heard], minlength=edge.view.groups)
            assert np.allclose(np.nan_to_num(out.column(target)[: edge.view.groups]), wanted, rtol=1e-9)
        heard = np.isfinite(members.column(A.TASK_RATE)[:n])
        count = np.bincount(group_of[heard], minlength=edge.view.groups)
        assert np.array_equal(np.nan_to_num(out.column(A.RATE_COUNT)[: edge.view.groups]), count)
