"""Configures and builds the C++ tests and the fuzz targets once into a cached folder, then runs them.

Skips with the reason where there is no compiler, CMake or doctest; ``TIERTWIN_REQUIRE_CPP=1`` turns that skip into a
failure. ``TIERTWIN_CPP_PRESET`` names a preset of ``CMakePresets.json`` to build by instead: with ``debug-asan`` the
same tests run under AddressSanitizer and UndefinedBehaviorSanitizer. ``TIERTWIN_FUZZ_RUNS``: inputs for each of the
fuzz targets that have tables and files behind them, and a hundred times as many for the codec alone.
``TIERTWIN_TSAN=1`` also builds what runs on several threads (``thread_tests``) with ThreadSanitizer, preset
``debug-tsan``, and runs it: 40 s of processor time from cold.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "cpp-tests"


def unavailable(why: str) -> None:
    if os.environ.get("TIERTWIN_REQUIRE_CPP") == "1":
        pytest.fail(f"TIERTWIN_REQUIRE_CPP=1, but {why}")
    pytest.skip(f"C++ tests not run: {why}")


def run(*words: str, seconds: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=seconds, cwd=ROOT)


def configuring(preset: str) -> list[str]:
    """Return the command that configures by a preset, or for a strict release build."""
    if preset:
        return ["cmake", "--preset", preset]
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    options = ["-DTIERTWIN_TESTS=ON", "-DTIERTWIN_PYTHON=OFF", "-DTIERTWIN_STRICT=ON", "-DCMAKE_BUILD_TYPE=Release"]
    return ["cmake", "-S", str(ROOT), "-B", str(BUILD), *generator, *options]


@pytest.mark.timeout(1200)
def test_core_tests_pass() -> None:
    for tool in ("cmake", "c++"):
        if shutil.which(tool) is None:
            unavailable(f"{tool} is not installed")
    preset = os.environ.get("TIERTWIN_CPP_PRESET", "")
    folder = ROOT / "build" / preset if preset else BUILD
    configured = run(*configuring(preset), seconds=120)
    if configured.returncode and "doctest" in configured.stderr:
        unavailable("doctest is not installed (Debian: doctest-dev)")
    assert configured.returncode == 0, configured.stderr
    built = run("cmake", "--build", str(folder), "-j", str(os.cpu_count() or 1), seconds=800)
    assert built.returncode == 0, built.stdout[-4000:]
    tested = run(str(folder / "tests" / "cpp" / "core_tests"), seconds=300)
    assert tested.returncode == 0, tested.stdout[-4000:]
    assert "test cases: 0" not in tested.stdout
    runs = int(os.environ.get("TIERTWIN_FUZZ_RUNS", "100000"))
    for target, corpus, count in (("log", "log", runs), ("frame", "frame", runs), ("codec", "frame", 100 * runs)):
        fuzzer = folder / "tests" / "fuzz" / f"{target}_fuzz"
        inputs = ROOT / "tests" / "fuzz" / "corpus" / corpus
        fuzzed = run(str(fuzzer), str(inputs), "--runs", str(count), seconds=400)
        assert fuzzed.returncode == 0, fuzzed.stderr[-2000:]


@pytest.mark.timeout(900)
def test_threads_race_nowhere() -> None:
    if os.environ.get("TIERTWIN_TSAN") != "1":
        pytest.skip("ThreadSanitizer not run: TIERTWIN_TSAN=1 builds for it, as .ci/run does")
    configured = run(*configuring("debug-tsan"), seconds=120)
    assert configured.returncode == 0, configured.stderr
    folder = ROOT / "build" / "debug-tsan"
    words = ("cmake", "--build", str(folder), "--target", "thread_tests", "-j", str(os.cpu_count() or 1))
    built = run(*words, seconds=600)
    assert built.returncode == 0, built.stdout[-4000:]
    program = str(folder / "tests" / "cpp" / "thread_tests")
    tested = run(program, seconds=120)
    if "unexpected memory mapping" in tested.stderr:  # kernels that scatter addresses more widely than it knows
        tested = run("setarch", "-R", program, seconds=120)
    assert tested.returncode == 0, tested.stderr[-4000:] + tested.stdout[-2000:]
    assert "test cases: 0" not in tested.stdout
