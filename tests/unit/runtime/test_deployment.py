"""A deployment is read strictly: each mistake is one message that says what, where and what to do, and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.deployments import change, change_place, make_deployment, place_of
from support.inprocess import world_of
from tiertwin import __version__
from tiertwin.cli import main
from tiertwin.runtime.deployment import read_deployment, schema_fingerprint
from tiertwin.runtime.nodeconfig import node_config
from tiertwin.runtime.nodestate import NodeLock
from tiertwin.runtime.roster import Roster
from tiertwin.wire.keys import OBSERVERS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_deployment(tmp_path / "run")


def message(path: Path, *words: str) -> str:
    """What `tiertwin node` says of a deployment it cannot use."""
    done = CliRunner().invoke(main, ["node", "--deployment", str(path), *(words or ("--name", "edge-centre"))])
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return done.stderr


def test_written_and_read_it_is_the_same(path: Path) -> None:
    deployment = read_deployment(path)
    assert [place.name for place in deployment.nodes if place.port == 0] == deployment.nodes_of("plant")
    assert {place.name for place in deployment.nodes} == set(Roster(world_of("metro")).names)


def test_no_secret_is_in_it(path: Path) -> None:
    text = path.read_text()
    for file in (path.parent / "keys").glob("*.key.json"):
        assert json.loads(file.read_text())["secret"] not in text


def test_a_process_gets_what_its_nodes_need_and_no_more(path: Path) -> None:
    config = node_config(path, "fogs-1", [], 0.0)
    twins = config.twins
    assert twins is not None
    assert twins.live is not None
    assert not config.dies_with_parent
    roster = Roster(world_of("metro"))
    assert twins.nodes == read_deployment(path).nodes_of("fogs-1")
    assert [key.node for key in twins.keys] == twins.nodes
    assert {n: peer.name for n, peer in twins.parents.items()} == {n: roster.parent(n) for n in twins.nodes}
    listed = {row["node"] for row in json.loads(twins.access)["keys"]}
    assert listed == {child.name for n in twins.nodes for child in roster.children(n)} | {*OBSERVERS, "metrics"}
    assert twins.live.ports == {n: place_of(path, n)["port"] for n in twins.nodes}
    assert twins.live.addresses["cloud-1"].port == place_of(path, "cloud-1")["port"]
    assert twins.pool is None  # none in this deployment
    assert node_config(path, "x", ["fog-1"], 0.0, public=True).twins.bind == "0.0.0.0"  # type: ignore[union-attr]


def test_a_missing_file(tmp_path: Path) -> None:
    said = message(tmp_path / "deployment.json")
    assert str(tmp_path / "deployment.json") in said
    assert "No such file" in said
    assert "`tiertwin run --clock real` writes" in said


def test_malformed_json(path: Path) -> None:
    path.write_text(path.read_text()[:-200])
    assert "is no deployment: Input data was truncated" in message(path)
    path.write_text("[]")
    assert "Expected `object`, got `array`" in message(path)
    path.write_bytes(b"\xff\xfe")
    assert "is no deployment" in message(path)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"format": "tiertwin-deployment-9"}, "expected 'tiertwin-deployment-1', got 'tiertwin-deployment-9'"),
        ({"tiertwin": "0.0.1"}, f"was written by version 0.0.1, this is {__version__}"),
        ({"schema": "00000000deadbeef"}, f"for attributes 00000000deadbeef, those here are {schema_fingerprint()}"),
        ({"origin": 0}, "Expected `int` >= 1 - at `$.origin`"),
        ({"secret": "x"}, "unknown field `secret`"),
        ({"nodes": []}, "length >= 1 - at `$.nodes`"),
        ({"settings": {}}, "settings: KeyError: 'rhythm'"),
    ],
)
def test_wrong_fields(path: Path, fields: dict[str, object], expected: str) -> None:
    change(path, **fields)
    said = message(path)
    assert expected in said
    assert str(path) in said


def test_another_version_says_what_to_install(path: Path) -> None:
    change(path, tiertwin="0.0.1", more="which this version does not know")
    assert "Install tiertwin==0.0.1 here, or start the tree anew" in message(path)


def test_a_node_that_the_world_does_not_know(path: Path) -> None:
    change_place(path, "edge-centre", name="edge-center")
    said = message(path, "--name", "edge-station")
    assert "nodes: 'edge-center' is no node of the world. Did you mean 'edge-centre'" in said
    assert "nodes: 'edge-centre' of the world is missing" in said
    assert "must be of one run" in said


def test_a_name_or_process_that_the_deployment_does_not_know(path: Path) -> None:
    assert "got 'edge-center'. Did you mean 'edge-centre'" in message(path, "--name", "edge-center")
    assert "got 'edges-9'. Did you mean" in message(path, "--process", "edges-9")
    assert "say either --process or --name" in message(path, "--process", "edges-1", "--name", "edge-centre")
    assert "'fog-1' is named 2 times" in message(path, "--name", "fog-1", "--name", "fog-1")


def test_two_nodes_with_one_name_port_or_key(path: Path) -> None:
    public = place_of(path, "fog-1")["public"]
    change_place(path, "fog-2", name="fog-1")
    assert "nodes: 'fog-1' stands there 2 times; a name is one node" in message(path)
    change_place(path, "fog-3", public=public, port=place_of(path, "cloud-1")["port"])
    said = message(path)
    assert "both listen on 127.0.0.1:" in said
    assert "have one key; each node has its own" in said


def test_one_process_is_on_one_host(path: Path) -> None:
    change_place(path, "fog-1", host="10.0.0.2")
    assert "one process has one host" in message(path, "--name", "fog-1", "--name", "fog-2")


def test_a_missing_world(path: Path) -> None:
    (path.parent / "world.npy").unlink()
    said = message(path)
    assert f"{path.parent / 'world.npy'}: no world to read" in said
    assert "Copy it from the run directory" in said


def test_a_world_that_is_none(path: Path) -> None:
    (path.parent / "world.npy").write_bytes(b"nothing")
    assert "expected a stored world" in message(path)


def test_a_key_that_others_can_read(path: Path) -> None:
    key = path.parent / "keys" / "edge-centre.key.json"
    key.chmod(0o640)
    said = message(path)
    assert f"{key}: is readable by others (mode 0640)" in said
    assert f"`chmod 600 {key}`" in said


def test_a_missing_key(path: Path) -> None:
    (path.parent / "keys" / "edge-centre.key.json").unlink()
    assert "no key to read: No such file or directory. `tiertwin keys` makes" in message(path)


def test_an_expired_key(tmp_path: Path) -> None:
    path = make_deployment(tmp_path / "run", days=-1)
    said = message(path, "--name", "edge-centre", "--name", "edge-station")
    assert "2 problems" in said
    assert "the key of 'edge-centre' expired at" in said
    assert "Make new ones: `tiertwin keys`" in said


def test_a_key_that_is_not_the_one_of_the_deployment(path: Path, tmp_path: Path) -> None:
    other = make_deployment(tmp_path / "other")
    key = "keys/edge-centre.key.json"
    (path.parent / key).write_bytes((other.parent / key).read_bytes())
    said = message(path)
    assert "is another key (" in said
    assert "than deployment.json has for 'edge-centre'" in said


def test_a_node_runs_once_on_a_host(tmp_path: Path) -> None:
    lock = NodeLock(tmp_path, "fog-1")
    with pytest.raises(ValueError, match=r"node 'fog-1' runs already, in the process with pid \d+"):
        NodeLock(tmp_path, "fog-1")
    lock.close()
    NodeLock(tmp_path, "fog-1").close()
