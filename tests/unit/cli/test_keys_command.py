"""`tiertwin keys`: a folder for a scenario's roster, and what `--check` says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tiertwin.cli import main
from tiertwin.wire.access import Access
from tiertwin.world import load, resolve


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("keys") / "metro"
    done = call("keys", "metro", "--out", out, "--days", 30, "--solvers", 1)
    assert done.exit_code == 0, done.output
    assert f"and access.json in {out}, valid for 30 days." in done.output
    return out


def test_each_node_of_the_roster_has_a_key(folder: Path) -> None:
    twins = resolve(load("metro")).twins
    grants = {grant.node: grant for grant in Access.read(folder / "access.json").grants}
    for twin in twins:
        pool = ("pool",) if twin.tier >= 2 else ()  # fogs and cloud ask the solver pool
        assert grants[twin.name].parents == ((twin.parent,) if twin.parent else ()) + pool
        if twin.name.startswith("device-"):
            assert grants[twin.name.replace("device-", "plant-")].parents == (twin.name,)
    devices = sum(twin.tier == 0 for twin in twins)
    assert len(grants) == len(twins) + devices + 7  # a solver, the pool, five observers
    assert len(list(folder.glob("*.key.json"))) == len(grants)


def test_the_deployment_of_the_scenario_says_how_many_solvers(tmp_path: Path) -> None:
    assert call("init", tmp_path).exit_code == 0
    with (tmp_path / "scenario.yaml").open("a") as file:
        file.write("\ndeployment: {solvers: 3}\n")
    assert call("keys", tmp_path / "scenario.yaml", "--out", tmp_path / "keys").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "keys").glob("solver-*")) == [
        f"solver-{k}.key.json" for k in (1, 2, 3)
    ]


def test_check_says_all_is_in_order_and_what_is_not(folder: Path) -> None:
    done = call("keys", "--check", "--out", folder)
    assert done.exit_code == 0
    assert "cloud-1" in done.output
    assert "valid for 29 days" in done.output
    assert done.output.endswith("files, all in order.\n")
    path = folder / "cloud-1.key.json"
    path.chmod(0o644)
    done = call("keys", "--check", "--out", folder)
    path.chmod(0o600)
    assert done.exit_code == 1
    assert "cloud-1" in done.output
    assert "refused: is readable by others (mode 0644)" in done.output
    assert "1 would be refused." in done.output


def test_messages(folder: Path, tmp_path: Path) -> None:
    again = call("keys", "metro", "--out", folder)
    assert again.exit_code == 2
    assert "holds keys already" in again.stderr
    nothing = call("keys", "--check", "--out", tmp_path)
    assert nothing.exit_code == 2
    assert "no keys here. `tiertwin keys` makes a folder of keys." in nothing.stderr
    (tmp_path / "file").write_text("")
    blocked = call("keys", "metro", "--out", tmp_path / "file" / "x")
    assert blocked.exit_code == 2
    assert blocked.stderr.startswith("Error:")
    unknown = call("keys", "germany51")
    assert unknown.exit_code == 2
    assert "Did you mean" in unknown.stderr
