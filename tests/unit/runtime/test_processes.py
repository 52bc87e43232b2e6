"""Who hosts whom, and what is said over pipes."""

from __future__ import annotations

import gc
import os
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support.inprocess import plan_of, started, world_of
from tiertwin.errors import InputError, ProcessError
from tiertwin.plant import PlantOptions
from tiertwin.runtime.childconfig import (
    ChildConfig,
    StoreConfig,
    decode_config,
    encode_config,
    settings_from_plain,
    settings_to_plain,
)
from tiertwin.runtime.control import Arrival, Call, Collected, Done, Go, Open, Reader, encode, write
from tiertwin.runtime.host import SolveHere
from tiertwin.runtime.part import LockstepPart
from tiertwin.runtime.plan import settings_of
from tiertwin.runtime.processes import NODE_AS_DEVICES, _cuts, lay_out, parse_processes
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.tree import make_host
from tiertwin.world.stored import store_world, stored_world


@pytest.mark.parametrize("name", ["metro", "germany50"])
@pytest.mark.parametrize("processes", [None, "node", {"device": 1}, {"edge": 7, "fog": 2}, {"device": 1000}])
def test_every_node_has_one_home(name: str, processes: dict[str, int] | str | None) -> None:
    roster = Roster(world_of(name))
    layout = lay_out(roster, processes)
    assert sorted(node for plan in layout for node in plan.nodes) == sorted(roster.names)
    assert len({plan.name for plan in layout}) == len(layout)
    assert all(plan.nodes for plan in layout)
    assert layout[0].name == "plant"


def test_the_default_tree_of_the_nation() -> None:
    names = [plan.name for plan in lay_out(Roster(world_of("germany50")))]
    assert names == [
        "plant", "gateways-1", "gateways-2", "edges-1", "edges-2", "edges-3", "fogs-1", "fogs-2", "fogs-3", "cloud",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["metro", "germany50"])
@pytest.mark.parametrize("processes", [None, {"device": 3, "edge": 7}, {"device": 9, "edge": 2}])
def test_no_process_of_a_tier_carries_much_more_than_its_share(name: str, processes: dict[str, int] | None) -> None:
    roster = Roster(world_of(name))
    for tier in range(4):
        loads = [
            [NODE_AS_DEVICES + roster.nodes[node].devices for node in plan.nodes]
            for plan in lay_out(roster, processes)
            if roster.tier(plan.nodes[0]) == tier
        ]
        share, heaviest = sum(map(sum, loads)) / len(loads), max(map(max, loads))
        assert all(abs(sum(load) - share) <= heaviest for load in loads)


@pytest.mark.parametrize(
    ("weights", "parts", "cuts"),
    [
        ([1, 1, 1, 1], 2, [0, 2, 4]),
        ([1, 1, 4, 1, 1], 2, [0, 2, 5]),
        ([9, 1, 1, 1], 3, [0, 1, 2, 4]),
        ([1, 1, 1, 9], 3, [0, 2, 3, 4]),
        ([1, 1, 1], 3, [0, 1, 2, 3]),
        ([5], 1, [0, 1]),
    ],
)
def test_a_row_is_cut_where_the_weights_say(weights: list[int], parts: int, cuts: list[int]) -> None:
    assert _cuts(weights, parts) == cuts


def test_gateways_keep_nothing_of_the_world_they_were_built_from(tmp_path: Path) -> None:
    store_world(world_of("metro"), tmp_path / "world.npy")
    world = stored_world(tmp_path / "world.npy")
    gateways = [name for name in Roster(world).names if name.startswith("device-")]
    host = make_host(world, settings_of(plan_of("metro"), world, "hierarchical"), SolveHere(None), gateways)
    arrays = [weakref.ref(value) for value in vars(world).values() if isinstance(value, np.ndarray)]
    del world
    gc.collect()
    assert len(arrays) > 10
    assert not [there for array in arrays if (there := array()) is not None]
    assert list(host.twins) == gateways


class Post:
    """Takes frames, and counts those that are still with the host."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self.part: LockstepPart | None = None

    def send(self, sender: str, receiver: str, frame: bytes) -> None:
        assert self.part is not None
        self.left.append(len(self.part.host.away))

    def receive(self) -> list[tuple[str, str, bytes]]:
        return []


def test_a_frame_is_let_go_when_it_is_sent() -> None:
    world = world_of("metro")
    gateways = [name for name in Roster(world).names if name.startswith("device-")]
    host = make_host(world, settings_of(plan_of("metro"), world, "hierarchical"), SolveHere(None), gateways)
    post = Post()
    post.part = LockstepPart(host, post)
    done = post.part.open(Open())
    assert [arrival.sender for arrival in done.sent] == gateways  # a child speaks first
    assert post.left == list(range(len(gateways) - 1, -1, -1))


@pytest.mark.parametrize(("text", "told"), [("device=2,edge=3", {"device": 2, "edge": 3}), ("node", "node")])
def test_layouts_are_read(text: str, told: object) -> None:
    assert parse_processes(text) == told


@pytest.mark.parametrize("text", ["", "edge", "edge=", "edge=-1", "edge=0", "shed=2", "edge=2,,", "2"])
def test_layouts_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="processes"):
        parse_processes(text)


def test_a_roster_has_the_twins_then_the_plants_sides() -> None:
    world = world_of("metro")
    roster = Roster(world)
    assert roster.names[: len(world.twins)] == [t.name for t in world.twins]
    for name in roster.names[len(world.twins) :]:
        gateway = roster.parent(name)
        assert gateway is not None
        assert roster.tier(gateway) == 0
        assert [side.name for side in roster.children(gateway)] == [name]


def test_settings_come_back_from_json() -> None:
    world = world_of("metro")
    settings = settings_of(plan_of("metro"), world, "hierarchical")
    traced = replace(settings, plant=PlantOptions(traces={1: (np.array([0.5, 1.25]), 2.0)}))
    config = ChildConfig("store", store=StoreConfig("f", settings_to_plain(traced), 7, ["a"], {"epochs": 3}))
    back = decode_config(encode_config(config))
    assert back.store is not None
    again = settings_from_plain(back.store.scenario)
    assert replace(again, plant=settings.plant) == replace(traced, plant=settings.plant)
    assert replace(again.plant, traces={}) == replace(traced.plant, traces={})
    assert again.plant.traces[1][0].tolist() == [0.5, 1.25]
    assert again.plant.traces[1][1] == 2.0


def test_an_epochs_observation_goes_through_a_pipe_unchanged() -> None:
    run = started()
    run.run_epoch(0)
    seen, (kpis, truth) = run.observe(), run.plant_books()
    there, here = os.pipe()
    try:
        reader = Reader(there, "child")
        sent = Collected(run.take_records(), seen, kpis, truth, 12.5)
        data = encode(sent)
        got = None  # a pipe holds 64 KiB: the message is cut up by hand
        for start in range(0, len(data), 60_000):
            os.write(here, data[start : start + 60_000])
            reader.fill()
            got = reader.take()
        assert isinstance(got, Collected)
        assert got.records == sent.records
        assert got.peak_mb == 12.5
        assert np.array_equal(got.truth, truth)
        for name, edge in seen.edges.items():
            other = got.seen.edges[name]
            assert np.array_equal(edge.demand, other.demand)
            assert np.array_equal(edge.times, other.times)
            assert np.array_equal(edge.x, other.x)
            assert edge.steps == other.steps
            assert edge.problem is not None
            assert np.array_equal(edge.problem.use_quota, other.problem.use_quota)
        root = run.world.twins[0].name
        assert got.seen.inners[root].rounds == seen.inners[root].rounds
        assert got.kpis.shape == kpis.shape
        assert np.array_equal(got.kpis.latency_histogram, kpis.latency_histogram)
        assert got.kpis.deadline_miss_ratio == kpis.deadline_miss_ratio
    finally:
        os.close(there)
        os.close(here)


def test_messages_arrive_whole_and_in_order_and_an_end_is_an_end() -> None:
    there, here = os.pipe()
    reader = Reader(there, "child")
    messages = [
        Go(5, [Arrival("a", "b", 7)]),
        Done(None, []),
        Call("kpis", ["p", 1, {"x": 0.1}], {"tier": "edge"}),
    ]
    for message in messages:
        write(here, message)
    assert [reader.wait() for _ in messages] == messages
    os.close(here)
    assert reader.wait() is None
    assert reader.ended
    os.close(there)


def test_a_length_that_cannot_be_is_told_with_its_sender() -> None:
    there, here = os.pipe()
    os.write(here, b"\xff\xff\xff\xff")
    reader = Reader(there, "edges-1")
    reader.fill()
    with pytest.raises(ProcessError, match="edges-1: expected a message below"):
        reader.take()
    os.close(here)
    os.close(there)
