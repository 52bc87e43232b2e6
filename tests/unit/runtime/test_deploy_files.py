"""Files that run a deployment on a host: each process once, its own keys and nobody else's."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from support.deployments import make_deployment
from tiertwin.cli import main
from tiertwin.errors import InputError
from tiertwin.runtime.deployfiles import deploy_files
from tiertwin.runtime.deployment import read_deployment

PROGRAM = "/opt/tiertwin/bin/tiertwin"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_deployment(tmp_path / "run")


def test_there_is_a_unit_for_each_process_and_a_target_for_all(path: Path):
    deployment = read_deployment(path)
    files = deploy_files("systemd", deployment, path, PROGRAM)
    processes = {place.process for place in deployment.nodes}
    assert set(files) == {"tiertwin.target", *(f"tiertwin-{process}.service" for process in processes)}
    target = _unit(files["tiertwin.target"])
    assert set(target["Unit"]["Wants"].split()) == set(files) - {"tiertwin.target"}
    for process in processes:
        unit = _unit(files[f"tiertwin-{process}.service"])
        assert unit["Service"]["ExecStart"] == f"{PROGRAM} node --process {process} --deployment {path}"
        assert unit["Service"]["Type"] == "notify"
        assert unit["Service"]["ReadWritePaths"] == str(path.parent / "state")
        assert unit["Unit"]["PartOf"] == unit["Install"]["WantedBy"] == "tiertwin.target"


def _unit(text: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    return unit


def test_a_service_has_the_keys_of_its_own_nodes_and_nothing_to_write_but_state(path: Path):
    deployment = read_deployment(path)
    files = deploy_files("compose", deployment, path, PROGRAM)
    assert set(files) == {"compose.yaml", "Dockerfile"}
    services = yaml.safe_load(files["compose.yaml"])["services"]
    assert set(services) == {place.process for place in deployment.nodes}
    ports = set()
    for process, service in services.items():
        keys = {Path(volume.split(":")[0]).name for volume in service["volumes"] if volume.endswith("key.json:ro")}
        assert keys == {f"{name}.key.json" for name in deployment.nodes_of(process)}
        assert [v for v in service["volumes"] if not v.endswith(":ro")] == [f"{path.parent}/state:{path.parent}/state"]
        assert service["command"][:3] == ["node", "--process", process]
        assert f":{service['command'][-1]}/healthz" in service["healthcheck"]["test"][-1]
        ports.add(service["command"][-1])
    assert len(ports) == len(services)


def test_a_path_that_a_unit_would_misread_is_refused(path: Path):
    with pytest.raises(InputError, match="expected a path of letters"):
        deploy_files("systemd", read_deployment(path), Path("/srv/my tree/deployment.json"), PROGRAM)


@pytest.mark.parametrize("kind", ["systemd", "compose"])
def test_init_writes_them_once(path: Path, tmp_path: Path, kind: str):
    words = ["init", str(tmp_path / "out"), "--deploy", kind, "--deployment", str(path)]
    first = CliRunner().invoke(main, words)
    assert first.exit_code == 0, first.output
    again = CliRunner().invoke(main, words)
    assert again.exit_code != 0
    assert "is there already" in again.output + str(again.exception)


def test_init_wants_both_words():
    refused = CliRunner().invoke(main, ["init", "--deploy", "systemd"])
    assert refused.exit_code == 2
    assert "--deploy and --deployment together" in refused.output
