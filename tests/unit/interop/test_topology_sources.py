"""topohub names and networkx graphs as topologies, and our ECMP loads against topohub's stored ones."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest

from tiertwin.errors import InputError, UnknownNameError
from tiertwin.interop.networkx import networkx_topology
from tiertwin.interop.topohub import topohub_names, topohub_raw, topohub_topology, unique_names
from tiertwin.model.parse import parse_scenario
from tiertwin.world.paths import Net, ecmp_loads


def test_germany50_is_sndlibs():
    topology = topohub_topology("sndlib/germany50")
    assert (len(topology.nodes), len(topology.links), len(topology.demands)) == (50, 88, 662)
    assert {"Berlin", "Koeln", "Muenchen"} < {node.name for node in topology.nodes}
    assert sum(row.volume for row in topology.demands) == 2365.0
    assert all(47 < node.lat < 55 and 6 <= node.lon < 15 for node in topology.nodes)  # type: ignore[operator]


@pytest.mark.parametrize(
    "name", ["sndlib/germany51", "sndlib/../sndlib/germany50", "/etc/passwd", "../x", "germany50", ""]
)
def test_unknown_names_suggest(name: str):
    with pytest.raises(UnknownNameError, match="Unknown topohub topology") as caught:
        topohub_topology(name)
    assert name != "sndlib/germany51" or "sndlib/germany50" in str(caught.value)


def test_all_names_are_listed():
    names = topohub_names()
    assert len(names) == len(set(names)) > 600
    assert {"sndlib/germany50", "topozoo/Abilene", "gabriel/25/0"} < set(names)


def test_plane_coordinates_are_brought_to_degrees():
    topology = topohub_topology("gabriel/25/0")
    assert all(abs(node.lon) < 180 and abs(node.lat) < 90 for node in topology.nodes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["abilene", "germany50", "geant", "nobel-germany", "polska"])
@pytest.mark.parametrize("matrix", ["org", "uni"])
def test_symmetrised_demands_give_topohubs_utilisations(name: str, matrix: str):
    """Demands are stored once a pair and flow both ways; over paths of fewest hops they load links as topohub says."""
    raw = topohub_raw(f"sndlib/{name}")
    topology = topohub_topology(f"sndlib/{name}")
    index = {node.name: i for i, node in enumerate(topology.nodes)}
    tail = np.array([index[link.a] for link in topology.links])
    head = np.array([index[link.b] for link in topology.links])
    net = Net(len(index), tail, head, np.ones(len(tail)), np.ones(len(tail), dtype=bool))
    if matrix == "org":
        a = np.array([index[row.a] for row in topology.demands])
        b = np.array([index[row.b] for row in topology.demands])
        volume = np.array([row.volume for row in topology.demands])
    else:
        a, b = np.triu_indices(len(index), k=1)
        volume = np.ones(len(a))
    ours = ecmp_loads(net, np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([volume, volume]))
    theirs = np.empty(len(ours))
    for edge in raw["edges"]:
        names = raw["nodes"][edge["source"]]["name"], raw["nodes"][edge["target"]]["name"]
        ends = [index[end] for end in names]
        (link,) = np.flatnonzero(((tail == ends[0]) & (head == ends[1])) | ((tail == ends[1]) & (head == ends[0])))
        forward = int(tail[link] == ends[0])
        theirs[2 * link + 1 - forward] = edge["ecmp_fwd"][matrix]
        theirs[2 * link + forward] = edge["ecmp_bwd"][matrix]
    factor = theirs.sum() / ours.sum()
    # utilisations are stored in per cent with two digits
    np.testing.assert_allclose(factor * ours, theirs, rtol=1e-3, atol=0.0051)


def test_a_networkx_graph_keeps_its_attributes():
    graph = nx.Graph(name="Own")
    graph.add_node("a", lon=1.0, lat=2, demand=np.float64(3.0))
    graph.add_node("b", pos=(1.5, 2.5))
    graph.add_node(7)
    graph.add_edge("a", "b", km=12.5, capacity_mbps=100)
    graph.add_edge("b", 7, dist=3)
    graph.add_edge("a", "a")
    assert networkx_topology(graph) == {
        "nodes": [
            {"name": "a", "lon": 1.0, "lat": 2.0, "demand": 3.0},
            {"name": "b", "lon": 1.5, "lat": 2.5},
            {"name": "7"},
        ],
        "links": [{"a": "a", "b": "b", "km": 12.5, "capacity_mbps": 100.0}, {"a": "b", "b": "7", "km": 3.0}],
    }


def test_parallel_and_directed_edges_count_once():
    graph = nx.MultiDiGraph([(0, 1), (1, 0), (0, 1), (1, 2)])
    assert [(row["a"], row["b"]) for row in networkx_topology(graph)["links"]] == [("0", "1"), ("1", "2")]


def test_attributes_that_are_no_numbers():
    graph = nx.Graph()
    graph.add_node("a", lon="east", lat=True)
    graph.add_edge("a", "b", km=[1])
    with pytest.raises(InputError) as caught:
        networkx_topology(graph)
    assert caught.value.problems == [
        "node 'a' lon: expected a number, got 'east'",
        "node 'a' lat: expected a number, got True",
        "edge 'a'-'b' km: expected a number, got [1]",
    ]


def test_nan_in_a_graph_is_refused_with_its_path():
    graph = nx.Graph()
    graph.add_edge("a", "b", km=math.nan)
    with pytest.raises(InputError, match=r"topology\.links\[0\]\.km: expected a finite number"):
        parse_scenario({"name": "x", "topology": networkx_topology(graph)})


def test_names_are_made_unique():
    made = unique_names([(0, "X"), (1, "X"), (2, None), (3, ""), (4, "X 1")])
    assert made == {0: "X", 1: "X 1", 2: "node-2", 3: "node-3", 4: "X 1 4"}
