"""A tree of processes in lockstep: the same log as one process; who fails is named; nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import socket
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.facilities import needs
from support.processes import Running, assert_gone, children_of, listeners, open_listeners, until
from support.trees import log_hash, tree_plan
from tiertwin.errors import TiertwinError
from tiertwin.runtime import launcher
from tiertwin.runtime.execute import TreeOptions, execute
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.processes import ProcessPlan
from tiertwin.runtime.treerun import TreeRun
from tiertwin.world import load, resolve

pytestmark = [pytest.mark.system, pytest.mark.processes]

EPOCHS = 2
LEAN = {"device": 1, "edge": 1, "fog": 1, "cloud": 1}
LAYOUTS: dict[str, Any] = {"lean": LEAN, "default": "default", "uneven": {"device": 3, "edge": 5, "fog": 2}}
LONG_RUN = ("run", "metro", "--epochs", "2000", "--policy", "hierarchical", "--no-watch", "--solvers", "1")
TREE = ("--processes", "device=1,edge=2,fog=1")


@pytest.fixture(autouse=True)
def _facilities() -> None:
    needs("proc")


@lru_cache
def hash_in_one_process(seed: int) -> str:
    return log_hash(Path(), None, seed, EPOCHS)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", [1, 7, 23])
def test_the_log_is_that_of_one_process(tmp_path: Path, seed: int, layout: str) -> None:
    assert log_hash(tmp_path, LAYOUTS[layout], seed, EPOCHS) == hash_in_one_process(seed)


def test_epochs_may_be_over_before_problems_are_solved(tmp_path: Path) -> None:
    """Few devices: answers of the pool come while a process waits for a neighbour's frame."""
    (tmp_path / "few.yaml").write_text("name: few\ntopology: {builtin: metro}\ndevices: {count: 600}\n")
    plan = make_plan(load(tmp_path / "few.yaml"), 4, None, ["hierarchical"])
    world = resolve(plan.scenario)
    alone = execute(plan, world, None).log_hash
    assert execute(plan, world, None, tree=TreeOptions(tmp_path)).log_hash == alone


# ------------------------------------------------------------------------------------------------ children that fail
@pytest.mark.parametrize("victim", ["edges-2", "solver-1", "store"])
def test_a_killed_child_ends_the_run_with_its_name(tmp_path: Path, victim: str) -> None:
    with Running(tmp_path, *LONG_RUN, *TREE) as running:
        running.wait_for_epoch(1)
        held = running.children()
        listening = {one for child in held for one in listeners(child)}
        running.child(victim).signal(signal.SIGKILL)
        assert running.wait() in (1, 2)
        said = running.stderr
        assert f"process {victim} (pid " in said
        assert "SIGKILL" in said
        assert "Traceback" not in said
        if victim not in ("store", "solver-1"):  # these two have logged nothing by then
            assert f"last lines of {running.run}/logs/{victim}.log" in said
            assert '"event":"ready"' in said
        assert_gone(held)
        assert listening
        assert not listening & open_listeners()


def failure(folder: Path, processes: Any = None) -> str:
    """What is said when this tree is started; nothing of it may stay."""
    with pytest.raises(TiertwinError) as caught:
        TreeRun(tree_plan(folder, processes or LEAN))
    assert children_of(os.getpid()) == []
    return str(caught.value)


def test_no_world_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "store_world", lambda world, path: None)
    said = failure(tmp_path)
    assert "world.npy" in said
    assert "No such file" in said or "no such file" in said or "not there" in said


def test_an_address_that_is_not_ours_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = launcher.Launcher._twins

    def elsewhere(self: launcher.Launcher, process: ProcessPlan, *rest: Any) -> Any:
        made = make(self, process, *rest)
        return msgspec.structs.replace(made, bind="203.0.113.7") if process.name == "fogs" else made

    monkeypatch.setattr(launcher.Launcher, "_twins", elsewhere)
    assert "203.0.113.7" in failure(tmp_path)


def test_a_port_in_use_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the real clock has fixed ports."""
    make = launcher.Launcher._twins
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        def fixed(self: launcher.Launcher, process: ProcessPlan, *rest: Any) -> Any:
            made = make(self, process, *rest)
            if process.name != "fogs":
                return made
            return msgspec.structs.replace(made, live=msgspec.structs.replace(made.live, ports={"fog-2": port}))

        monkeypatch.setattr(launcher.Launcher, "_twins", fixed)
        with pytest.raises(TiertwinError) as caught:
            launcher.Launcher(tree_plan(tmp_path, LEAN, real_clock=True)).__enter__()
    assert str(port) in str(caught.value)


def test_a_child_that_breaks_at_once_is_told_with_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that never came to say why."""
    from tiertwin.runtime import children

    monkeypatch.setattr(children, "COMMAND", (*children.COMMAND[:1], "-c", "raise SystemExit('no interpreter here')"))
    said = failure(tmp_path)
    assert "ended with exit code 1" in said
    assert "no interpreter here" in said


# ------------------------------------------------------------------------------------------------------------ the end
@pytest.mark.parametrize(
    ("number", "clock"), [(signal.SIGINT, "virtual"), (signal.SIGTERM, "virtual"), (signal.SIGTERM, "real")]
)
def test_interrupted_it_leaves_nothing(tmp_path: Path, number: signal.Signals, clock: str) -> None:
    with Running(tmp_path, *LONG_RUN, *TREE, "--clock", clock) as running:
        running.wait_for_epoch(0)
        held = running.children()
        listening = {one for child in held for one in listeners(child)}
        running.known.signal(number)
        if number == signal.SIGTERM:
            running.known.signal(number)  # twice
        assert running.wait() == (130 if number == signal.SIGINT else 128 + number)
        assert "Traceback" not in running.stderr
        assert_gone(held)
        assert listening
        assert not listening & open_listeners()
        assert {child.name for child in held if child.alive} == set()
        assert json.loads((running.run / "status.json").read_text())


def test_interrupted_while_it_starts_it_leaves_nothing(tmp_path: Path) -> None:
    with Running(tmp_path, *LONG_RUN, *TREE) as running:
        until(lambda: len(running.children()) >= 3, "the first children")
        running.known.signal(signal.SIGTERM)
        assert running.wait() == 128 + signal.SIGTERM
        assert "Traceback" not in running.stderr
        assert_gone(running.seen)


def test_without_a_launcher_there_is_no_tree(tmp_path: Path) -> None:
    """Under the virtual clock nothing outlives the launcher, not even one that had no time to say so."""
    with Running(tmp_path, *LONG_RUN, *TREE) as running:
        running.wait_for_epoch(0)
        held = running.children()
        assert sorted(child.name for child in held) == [
            "cloud", "edges-1", "edges-2", "fogs", "gateways", "plant", "solver-1", "store"
        ]  # fmt: skip
        running.known.signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        assert_gone(held)
