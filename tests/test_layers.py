"""The direction of imports and includes, who may import what, and what each kind of process loads.

The table below *is* the architecture of the Python side; the link lines of CMakeLists.txt are that of the C++ side.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python" / "tiertwin"

# Lowest first; a package imports only from lines above it in this list (siblings on a line do not see each other).
LAYERS = [
    {"errors", "lazy", "_core"},
    {"model"},
    {"interop"},
    {"world"},
    {"twin", "allocate", "wire"},
    {"functions"},
    {"orchestrate", "plant", "store"},
    {"report"},
    {"runtime"},
    {"study"},
    {"cli"},
    {"__main__"},
]
OWNERS = {
    "cvxpy": {"allocate"},
    "zmq": {"wire"},
    "duckdb": {"store"},
    "pybind11": set(),
    "yaml": {"interop"},
    "pydantic": {"model", "interop", "world"},
    "click": {"cli"},
    "topohub": {"interop"},
    "pytest": {"allocate"},  # and there conformance_plugin.py alone: pytest loads it, nothing of ours does
    "prometheus_client": {"runtime"},  # and there runtime/exposition.py alone: an extra
    "threading": {"runtime"},
    "subprocess": {"runtime"},
    "multiprocessing": set(),
    "pickle": set(),
}
CPP_DEPENDS = {
    "base": set(),
    "graph": {"base"},
    "state": {"base"},
    "queueing": {"base"},
    "radio": {"base"},
    "alloc": {"base"},
    "sync": {"state", "base"},
    "log": {"sync", "state", "base"},
    "abstraction": {"graph", "state", "base"},
    "assure": {"abstraction", "base"},
    "perf": {"graph", "queueing", "radio", "base"},
    "whatif": {"graph", "queueing", "alloc", "base"},
    "forecast": {"base"},
    "localise": {"base"},
    "plant": {"graph", "radio", "base"},
}
CLOCKS = re.compile(r"\btime\.(time|monotonic|perf_counter|process_time)(_ns)?\(|datetime\.now\(")


def package_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Modules imported anywhere in a file, under ``if TYPE_CHECKING`` excepted."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for node in ast.walk(branch)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "tiertwin":
                found |= {f"tiertwin.{alias.name}" for alias in node.names}
    return found


PYTHON = sorted(p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py" or p.parent != PACKAGE)


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    level = {name: k for k, names in enumerate(LAYERS) for name in names}
    own = package_of(path)
    assert own in level, f"package {own!r} has no layer: give it one in LAYERS"
    for module in imports_of(path):
        if module.startswith("tiertwin."):
            other = module.split(".")[1]
            if other in ("__version__", own):
                continue
            assert other in level, f"{path}: imports unknown package {other}"
            assert level[other] < level[own], f"{path}: {own} may not import {other}"
        root = module.split(".")[0]
        if root in OWNERS and own not in OWNERS[root]:
            pytest.fail(f"{path}: only {sorted(OWNERS[root])} may import {root}")


def test_pytest_is_imported_by_the_plug_in_alone() -> None:
    importers = [p.name for p in PYTHON if any(m.split(".")[0] == "pytest" for m in imports_of(p))]
    assert importers == ["conformance_plugin.py"]


def test_an_extra_is_imported_in_one_file() -> None:
    importers = [p.name for p in PYTHON if any(m.split(".")[0] == "prometheus_client" for m in imports_of(p))]
    assert importers == ["exposition.py"]


def test_only_the_runtime_reads_clocks() -> None:
    offenders = [
        f"{p.relative_to(ROOT)}: {m.group(0)}"
        for p in PYTHON
        if package_of(p) not in ("runtime", "cli", "study", "store", "report")
        for m in CLOCKS.finditer(p.read_text())
    ]
    # a solve is timed where it happens; no decision depends on it
    allowed = {"python/tiertwin/allocate/monolithic.py"}
    assert [o for o in offenders if o.split(":")[0] not in allowed] == []


def test_the_twin_never_reads_the_plant() -> None:
    """Truth of the plant and the day's profiles may not be named where twins think."""
    secret = re.compile(r"truth_|profile_(urban|rural|background)|offered_tasks\(|tiertwin\.plant")
    for folder in ("twin", "functions", "orchestrate", "allocate", "wire"):
        for path in (PACKAGE / folder).rglob("*.py"):
            assert not secret.search(path.read_text()), f"{path} knows what only the plant knows"


CPP = sorted([*(ROOT / "cpp").rglob("*.cpp"), *(ROOT / "cpp").rglob("*.hpp")])


@pytest.mark.parametrize("path", CPP, ids=lambda p: str(p.relative_to(ROOT / "cpp")))
def test_includes_point_down(path: Path) -> None:
    own = path.relative_to(ROOT / "cpp").parts[0]
    text = path.read_text()
    if own == "bindings":
        assert path.name == "common.hpp" or "#include <pybind11" not in text, "pybind11 is included by common.hpp only"
        return
    assert "pybind11" not in text, f"{path}: the core knows no Python"
    for include in re.findall(r'#include "([a-z]+)/', text):
        assert include == own or include in CPP_DEPENDS[own], f"{path}: {own} may not include {include}"
    for forbidden in ("<iostream>", "<fstream>", "<thread>", "<chrono>", "<cstdio>", "<random>"):
        assert f"#include {forbidden}" not in text, f"{path}: the core has no I/O, thread, clock or chance of its own"


def test_cmake_link_lines_are_the_table_above() -> None:
    text = (ROOT / "CMakeLists.txt").read_text()
    found = {
        name: set(depends.split())
        for name, depends in re.findall(r"tiertwin_module\((\w+)(?: DEPENDS ([\w ]+))?\)", text)
    }
    assert found == CPP_DEPENDS


HEAVY = ["numpy", "tiertwin._core", "pydantic", "yaml", "networkx", "cvxpy", "duckdb"]
LOADS = {
    "import tiertwin": HEAVY,
    "from tiertwin.cli import main; main(['--help'])": HEAVY,
    "import tiertwin.twin.twin, tiertwin.orchestrate.gateway": [
        "pydantic",
        "yaml",
        "networkx",
        "cvxpy",
        "duckdb",
        "click",
    ],
    "import tiertwin.orchestrate.edge, tiertwin.orchestrate.inner": [
        "pydantic",
        "yaml",
        "networkx",
        "cvxpy",
        "duckdb",
        "click",
    ],
    "import tiertwin.wire.zeromq, tiertwin.wire.keys": [
        "numpy",
        "pydantic",
        "yaml",
        "networkx",
        "cvxpy",
        "duckdb",
        "click",
    ],
    "import tiertwin.cli.node, tiertwin.runtime.deployment, tiertwin.runtime.liveprocess": [
        "pydantic",
        "yaml",
        "networkx",
        "cvxpy",
        "duckdb",
        "asyncio",
        "rich",
    ],
    "import tiertwin.allocate.conformance_plugin": [*HEAVY, "click", "scipy", "tiertwin.errors"],
    "import tiertwin.allocate.families.registry, tiertwin.allocate.families.conformance": ["cvxpy", "scipy", "pytest"],
    "import tiertwin.allocate.master": ["pydantic", "yaml", "duckdb", "click"],
    "import tiertwin.store": ["cvxpy", "pydantic", "yaml", "networkx"],
}


@pytest.mark.parametrize("code", LOADS, ids=lambda c: c[:50])
def test_what_a_process_loads(code: str) -> None:
    program = f"""
import sys
try:
    {code}
except SystemExit:
    pass
print("LOADED", *[m for m in {LOADS[code]!r} if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == ["LOADED"], f"{code} loads too much"


# What each kind of process of a tree may load from outside the standard library, and what of ours it may not.
TWIN_LOADS = {"tiertwin", "numpy", "zmq", "msgspec"}
LAUNCHER_LOADS = TWIN_LOADS | {"pydantic", "yaml", "click", "rich"}
BROUGHT = {"typing_extensions", "typing_inspection", "annotated_types", "pydantic_core"}  # by the packages themselves
KINDS = ("plant", "gateways", "edges", "fogs", "cloud")
LAUNCH = """
import json, sys
from tiertwin.runtime import children
folder, words = sys.argv[1], sys.argv[2:]
children.COMMAND = (sys.executable, "-P", {watched!r}, folder)
from tiertwin.cli import main
try:
    main(words)
except SystemExit as end:
    code = end.code
end = {{"process": "launcher", "modules": sorted(sys.modules), "peak_mb": 0}}
with open(folder + "/launcher.end", "w") as file:
    json.dump(end, file)
sys.exit(code)
"""


@lru_cache
def bare() -> frozenset[str]:
    """Packages that this interpreter loads by itself: `sitecustomize` of some distributions, and what that brings."""
    program = "import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return frozenset(name.split(".")[0] for name in done.stdout.split())


def foreign(modules: list[str]) -> set[str]:
    """Packages from outside the standard library, and neither parts of extensions nor of this interpreter's site."""
    roots = {name.split(".")[0] for name in modules}
    found = roots - sys.stdlib_module_names - BROUGHT - bare()
    return {r for r in found if not r.startswith(("_", "cython_runtime"))}


@pytest.mark.processes
@pytest.mark.system
@pytest.mark.parametrize(("clock", "masters"), [("virtual", "kernel"), ("real", "kernel"), ("virtual", "cvxpy")])
def test_what_each_process_of_a_tree_loads(tmp_path: Path, clock: str, masters: str) -> None:
    program = LAUNCH.format(watched=str(ROOT / "tests" / "support" / "watched_child.py"))
    scenario = tmp_path / "wanted.yaml"
    scenario.write_text(f"name: wanted\ntopology: {{builtin: metro}}\npolicy: {{master_solver: {masters}}}\n")
    words = ["run", str(scenario), "--epochs", "1", "--policy", "hierarchical", "--no-watch", "--clock", clock]
    words += ["--processes", "device=1,edge=1,fog=1", "--solvers", "1", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), *words], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    ends = {end["process"]: end for end in map(json.loads, (p.read_text() for p in tmp_path.glob("*.end")))}
    assert ends.keys() == {*KINDS, "solver-1", "store", "launcher"}
    for name in KINDS:
        assert foreign(ends[name]["modules"]) <= TWIN_LOADS, name
        assert not {"asyncio", "email", "http", "multiprocessing", "zipfile"} & set(ends[name]["modules"]), name
    assert foreign(ends["launcher"]["modules"]) == LAUNCHER_LOADS
    assert foreign(ends["store"]["modules"]) == TWIN_LOADS | {"duckdb"}
    if masters == "cvxpy" or clock == "real":  # under the real clock what is behind the kernels must be ready
        assert {"cvxpy"} <= foreign(ends["solver-1"]["modules"])
        assert not {"duckdb", "pydantic", "click"} & foreign(ends["solver-1"]["modules"])
    else:  # nothing failed its check
        assert foreign(ends["solver-1"]["modules"]) <= TWIN_LOADS
    print(
        clock, masters, "VmHWM, MB:", {name: round(end["peak_mb"], 1) for name, end in ends.items() if end["peak_mb"]}
    )


@pytest.mark.processes
@pytest.mark.system
def test_what_the_process_of_a_policy_loads(tmp_path: Path) -> None:
    """As much as a process of twins."""
    program = LAUNCH.format(watched=str(ROOT / "tests" / "support" / "watched_child.py"))
    words = ["run", "metro", "--epochs", "1", "--policy", "nearest", "--policy", "static", "--no-watch", "--jobs", "2"]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), *words, "--out", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    ends = {end["process"]: end for end in map(json.loads, (p.read_text() for p in tmp_path.glob("*.end")))}
    assert ends.keys() == {"nearest", "static", "store", "launcher"}
    for name in ("nearest", "static"):
        assert foreign(ends[name]["modules"]) <= TWIN_LOADS, name
