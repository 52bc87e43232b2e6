"""No frame that crosses the border of a domain has an attribute that may not: looked at in whole running trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.inprocess import MASTERS
from tiertwin import _core
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.plan import make_plan
from tiertwin.twin.attributes import SUMMARY, A, TableId, attribute_name
from tiertwin.twin.privacy import PRIVACY, Privacy
from tiertwin.world import load, resolve

pytestmark = pytest.mark.system
DELTA, SNAPSHOT = 3, 5
FOREIGN = 900  # an attribute of somebody else
OWNED = [{"owner": "north", "twin": "fog-1"}, {"owner": "south", "twin": "fog-2"}]


class Seen:
    """Attributes by link (sender, receiver) of every frame that left, decoded."""

    def __init__(self, run: Any) -> None:
        self.attributes: dict[tuple[str, str], set[int]] = {}
        self.rows: dict[tuple[str, str, int], set[int]] = {}
        send = run.network.send

        def look(sender: str, receiver: str, frame: Any, now: int) -> None:
            self.note(sender, receiver, bytes(frame))
            send(sender, receiver, frame, now)

        run.network.send = look

    def note(self, sender: str, receiver: str, frame: bytes) -> None:
        if _core.decode_header(frame).kind not in (DELTA, SNAPSHOT):
            return
        for attribute, _, _, rows, *_ in _core.decode_blocks(frame):
            self.attributes.setdefault((sender, receiver), set()).add(attribute)
            self.rows.setdefault((sender, receiver, attribute), set()).update(np.asarray(rows).tolist())

    def between(self, one: str, other: str) -> set[int]:
        return self.attributes.get((one, other), set()) | self.attributes.get((other, one), set())


def run_of(privacy: dict[str, Any] | None, epochs: int = 4, before: Any = None, **more: Any):
    scenario = load("metro", privacy=privacy, **more)
    run = make_run(make_plan(scenario, epochs, 5, ["hierarchical"]), resolve(scenario), "hierarchical", MASTERS)
    seen = Seen(run)
    if before is not None:
        before(run)
    for epoch in range(epochs):
        run.run_epoch(epoch)
    return run, seen


def test_nothing_above_the_class_crosses_a_border():
    run, seen = run_of({"domains": OWNED})
    cloud = run.world.twins[0].name
    for fog in ("fog-1", "fog-2"):
        crossed = seen.between(fog, cloud)
        assert int(A.RATE_SUM) in crossed
        assert int(A.CUT_PHI) in crossed
        above = [attribute_name(int(a)) for a, privacy in PRIVACY.items() if privacy > Privacy.PUBLIC and a in crossed]
        assert above == []
    assert int(A.BACKGROUND_MBPS) in seen.between("fog-3", cloud)  # of nobody's domain: no border
    inside = next(t.name for t in run.world.twins if t.parent == "fog-1")
    assert int(A.LOAD_GHZ) in seen.between(inside, "fog-1")


def test_the_tree_decides_as_before_across_borders():
    run, _ = run_of({"domains": OWNED}, 5)
    root = run.twins[run.world.twins[0].name].controller
    assert root.last_bounds is not None
    assert root.last_bounds.gap < 0.02
    assert all(t.controller.lease.epoch == 4 for t in run.twins.values() if t.tier in (1, 2))


def test_what_is_opened_crosses_and_nothing_else():
    run, seen = run_of({"domains": OWNED, "crosses": "domain"})
    cloud = run.world.twins[0].name
    assert int(A.BACKGROUND_MBPS) in seen.between("fog-1", cloud)
    run, seen = run_of({"domains": OWNED, "classes": {"capacity_mbps": "public"}})
    crossed = seen.between("fog-1", cloud)
    assert int(A.CAPACITY_MBPS) in crossed
    assert int(A.BACKGROUND_MBPS) not in crossed


def test_sums_over_too_few_devices_do_not_leave_an_edge():
    edge = next(t for t in resolve(load("metro")).twins if t.tier == 1)
    assert edge.parent is not None
    devices = resolve(load("metro")).group_devices[edge.site]
    assert devices.min() < 6
    run, seen = run_of({"domains": [{"owner": "shop", "twin": edge.name}], "least_members": 6})
    members = np.zeros(devices.size)
    row_of = run.twins[edge.name].controller.view.row_of
    np.add.at(members, row_of[row_of >= 0], devices.ravel()[row_of >= 0])
    assert members.max() < devices.sum()
    for attribute in SUMMARY:
        rows = seen.rows.get((edge.name, edge.parent, int(attribute)), set())
        few = [r for r in rows if r < devices.size and 0 < members[r] < 6]  # rows of nobody are told as 0
        assert few == [], attribute
    demand = seen.rows[edge.name, edge.parent, int(A.DEMAND)]
    assert demand == set(np.flatnonzero(members > 0).tolist())


def with_foreign(run: Any) -> None:
    """Have the first fog carry an attribute nobody knows in the table that it sends to the cloud."""
    table = run.twins["fog-1"].parent.table_out
    table.add_opaque(FOREIGN, "f64")
    table.set(FOREIGN, np.zeros(1, dtype=np.uint32), np.ones(1), 1_000)


def test_an_unknown_attribute_is_private_unless_declared():
    with pytest.raises(ValueError, match="unknown attributes are private unless declared"):
        run_of({"domains": OWNED}, before=with_foreign)
    declared = [{"attribute": FOREIGN, "privacy": "public"}]
    run, seen = run_of({"domains": OWNED, "declared": declared}, before=with_foreign)
    assert FOREIGN in seen.between("fog-1", run.world.twins[0].name)
    hidden = [{"attribute": FOREIGN, "privacy": "domain"}]
    with pytest.raises(ValueError, match="private unless declared"):
        run_of({"domains": OWNED, "declared": hidden}, before=with_foreign)


def test_a_frame_that_brings_one_all_the_same_is_refused_and_changes_nothing():
    run, _ = run_of({"domains": OWNED}, 2)
    cloud = run.twins[run.world.twins[0].name]
    neighbour = cloud.neighbours["fog-1"]
    table = neighbour.table_in
    assert table is not None
    forged = table.fork()
    with pytest.raises(ValueError, match="private unless declared"):
        forged.add_opaque(int(A.LOAD_GHZ), "f64")  # a copy is sealed, too
    loose = _core.StateTable(cloud_registry(run), int(TableId.SUMMARY), [int(a) for a in table.attributes], table.rows)
    loose.add_opaque(int(A.LOAD_GHZ), "f64")
    loose.set(int(A.LOAD_GHZ), np.zeros(1, dtype=np.uint32), np.ones(1), 1_000)
    peer = neighbour.peer
    (frame,) = _core.encode_delta(loose, peer.cursor + 1, peer.peer_incarnation)
    before = table.digest()
    received = peer.receive(frame, run.now)
    assert not received.accepted
    assert received.reason == _core.REASONS["privacy"]
    assert table.digest() == before
    assert table.opaque() == [] if callable(getattr(table, "opaque", None)) else True
    assert peer.counters()["refused.privacy"] == 1


def cloud_registry(run: Any) -> _core.AttributeRegistry:
    from tiertwin.runtime.plan import privacy_of
    from tiertwin.twin.attributes import registry

    rules = privacy_of(run.world.scenario, run.world)
    assert rules is not None
    return registry(rules.class_of)
