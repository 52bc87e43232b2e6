"""The conformance suite as users of pytest see it: by the command line, in the words of a failure, at no cost else."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

MINE = """
from dataclasses import replace
from tiertwin.allocate.families.fair import FairKernel
from tiertwin.allocate.kernel import KernelAllocator

class Mine(FairKernel):
    name, family = "mine", "fair"

class Careless(Mine):
    name = "careless"
    def allocate(self, problem, **how):
        found = super().allocate(problem, **how)
        return replace(found, x=1.5 * found.x)

class Leaf(KernelAllocator):
    name = "leaf-mine"
"""


PLUG_IN = "tiertwin.allocate.conformance_plugin"
INFO = "Metadata-Version: 2.1\nName: as-installed\nVersion: 1.0\n"


def run(folder: Path, *words: str, how: tuple[str, ...] = ("-p", PLUG_IN)) -> tuple[int, str]:
    (folder / "mine.py").write_text(MINE)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *how, "-p", "no:cacheprovider", *words],
        capture_output=True, text=True, timeout=110, cwd=folder, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_one_test_a_check_and_a_failure_in_words(tmp_path: Path) -> None:
    named = ["--tiertwin-allocator", "mine:Mine", "--tiertwin-allocator", "mine:Careless"]
    code, told = run(tmp_path, "-v", *named)
    assert code == 1
    assert "mine:Mine::fair-certificate PASSED" in told
    assert "mine:Careless::fair-feasibility FAILED" in told
    assert "allocator 'careless' of fair breaks own_capacity 1 by 0.499 (relative) at benign problem 0" in told
    assert "what must hold: Every plan keeps every limit within 1e-6, relative." in told
    assert "Traceback" not in told
    assert "conformance.py:" not in told


def test_beside_own_tests_alone_and_by_a_registered_name(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own():\n    assert True\n")
    code, told = run(tmp_path, "-q", "--tiertwin-allocator", "mine:Leaf")
    assert (code, "8 passed" in told) == (0, True), told
    alone = ["--pyargs", "tiertwin.allocate.conformance_plugin"]
    code, told = run(tmp_path, "-q", *alone, "--tiertwin-allocator", "kernel", "--tiertwin-family", "routing")
    assert (code, "10 passed" in told) == (0, True), told


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("mine:Nope", "mine:Nope: expected MODULE:NAME that can be imported"),
        ("nowhere:Mine", "No module named 'nowhere'"),
        ("fair.kernle", "Did you mean 'kernel'"),
    ],
)
def test_what_cannot_be_found_is_a_usage_error(tmp_path: Path, place: str, told: str) -> None:
    code, said = run(tmp_path, "-q", "--tiertwin-allocator", place)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert told in said


def test_without_the_option_nothing_of_ours_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\ndef test_own():\n    loaded = {m for m in sys.modules if m.startswith('tiertwin')}\n"
        "    own = {'tiertwin', 'tiertwin.lazy', 'tiertwin.allocate', 'tiertwin.allocate.conformance_plugin'}\n"
        "    assert loaded <= own, loaded\n"
        "    assert not {'numpy', 'cvxpy', 'scipy'} & set(sys.modules)\n"
    )
    code, told = run(tmp_path, "-q", "-p", "no:hypothesispytest")
    assert (code, "1 passed" in told) == (0, True), told


@pytest.mark.parametrize("twice", [False, True])
def test_installed_packages_bring_it_and_naming_it_as_well_does_no_harm(tmp_path: Path, twice: bool) -> None:
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]
    (tmp_path / "as_installed-1.0.dist-info").mkdir()
    (tmp_path / "as_installed-1.0.dist-info" / "METADATA").write_text(INFO)
    lines = [f"{name} = {place}" for name, place in project["entry-points"]["pytest11"].items()]
    (tmp_path / "as_installed-1.0.dist-info" / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))
    if twice:
        (tmp_path / "conftest.py").write_text(f"pytest_plugins = [{PLUG_IN!r}]\n")
    code, told = run(tmp_path, "-q", "--tiertwin-allocator", "mine:Mine", how=("-p", PLUG_IN) if twice else ())
    assert (code, "10 passed" in told) == (0, True), told
