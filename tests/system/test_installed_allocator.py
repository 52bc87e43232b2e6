"""An allocator of a separately installed package: found by its entry point, conforming, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

PACKAGE = '''
"""Best plan by the reference solver, with an own name: all a package needs to write."""
from tiertwin.allocate.kernel import KernelAllocator


class Mine:
    name = "mine"

    def __init__(self):
        self._inner = KernelAllocator()

    def warm_up(self, shape):
        self._inner.warm_up(shape)

    def allocate(self, problem, *, quota=None, price=None, iteration_limit=80):
        return self._inner.allocate(problem, quota=quota, price=price, iteration_limit=iteration_limit)
'''
PROGRAM = """
from tiertwin.allocate import conformance, registry
assert "mine" in registry.names(), registry.names()
made = registry.get("mine")
assert type(made).__module__ == "mine_allocator"
conformance.check_allocator(made)
print("conforms")
"""
RUN = """
import tiertwin as tt
result = tt.run(tt.load("metro", policy__leaf_solver="mine"), epochs=2, seed=7, policies=["hierarchical"])
print(result.to_json()["policies"]["hierarchical"]["certified_gap_median"] < 0.01)
"""
METADATA = "Metadata-Version: 2.1\nName: mine-allocator\nVersion: 1.0\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder as pip leaves it: the module, and its dist-info with the entry point."""
    (tmp_path / "mine_allocator.py").write_text(PACKAGE)
    info = tmp_path / "mine_allocator-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text("[tiertwin.allocators]\nmine = mine_allocator:Mine\n")
    return tmp_path


def python(site: Path, *words: str) -> str:
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=110,
        env={**os.environ, "PYTHONPATH": path},
        cwd=site,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_allocator_of_an_installed_package_passes_the_conformance_suite(site: Path) -> None:
    assert python(site, "-c", PROGRAM).split() == ["conforms"]


def test_a_scenario_can_name_it(site: Path) -> None:
    assert python(site, "-c", RUN).split() == ["True"]


@pytest.mark.processes
def test_a_scenario_of_a_tree_of_processes_can_name_it(site: Path) -> None:
    python(site, "-m", "tiertwin", "init", "--like", "metro", "own")
    scenario = site / "own" / "scenario.yaml"
    text = scenario.read_text()
    assert "policy: {" in text
    scenario.write_text(text.replace("policy: {", "policy: {leaf_solver: mine, "))
    words = ["--epochs", "2", "--policy", "hierarchical", "--no-watch", "--clock", "virtual", "--out", "run"]
    python(site, "-m", "tiertwin", "run", "own/scenario.yaml", *words, "--processes", "device=1,edge=1,fog=1")
    stored = json.loads((site / "run" / "scenario.json").read_text())
    assert stored["policy"]["leaf_solver"] == "mine"
