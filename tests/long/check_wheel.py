"""From a fresh clone to a wheel to an empty environment in an empty folder, as a user meets it: before a release.

    python tests/long/check_wheel.py [--keep FOLDER]

Builds from what is committed, so commit first. Takes some minutes, most of it for the C++ core; needs the network or a
local index for the dependencies. Ends with `all well`, or with the step that failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WANTED = ("_core.pyi", "py.typed", "report/style.css", "report/script.js", "cli/starter.yaml")
ALLOWED = {".py", ".pyi", ".typed", ".css", ".js", ".yaml", ".so"}


def main() -> None:
    """Run every step in a temporary folder, or in the one given."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--keep", type=Path, help="work in this new folder and leave it there")
    kept: Path | None = options.parse_args().keep
    if kept is not None:
        kept.mkdir(parents=True)
        steps(kept.resolve())
    else:
        with tempfile.TemporaryDirectory() as folder:
            steps(Path(folder))
    print("all well")


def steps(folder: Path) -> None:
    """Clone, build, look into the wheel, install, use."""
    clone, wheels, env, empty = (folder / name for name in ("clone", "wheels", "env", "empty"))
    tell(["git", "clone", "--quiet", str(ROOT), str(clone)])
    tell([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), "."], clone)
    (wheel,) = wheels.glob("*.whl")
    look_into(wheel)
    dirty = tell(["git", "status", "--porcelain"], clone)
    expect(not dirty, f"building left something in the clone:\n{dirty}")

    tell([sys.executable, "-m", "venv", str(env)])
    tell([str(env / "bin" / "pip"), "install", "--quiet", str(wheel)])
    empty.mkdir()
    program = str(env / "bin" / "tiertwin")
    found = json.loads(tell([program, "run", "metro", "--epochs", "2", "--quiet", "--json"], empty))
    expect(len(found["policies"]) == 6, f"expected six policies, got {sorted(found['policies'])}")
    tell([program, "init"], empty)
    tell([program, "run", "scenario.yaml", "--epochs", "1", "--policy", "nearest", "--quiet"], empty)
    tell([program, "report", found["run"]], empty)
    expect((empty / found["run"] / "report.html").stat().st_size > 10_000, "the report page is empty")
    tell([program, "replay", found["run"]], empty)


def look_into(wheel: Path) -> None:
    """Check the list of files: the package and its data, nothing of tests and sources."""
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    for name in WANTED:
        expect(f"tiertwin/{name}" in names, f"{wheel.name} lacks tiertwin/{name}")
    strange = [name for name in names if not name.startswith("tiertwin/") or Path(name).suffix not in ALLOWED]
    expect(not strange, f"{wheel.name} holds what it should not: {strange[:5]}")
    expect(sum(name.endswith(".so") for name in names) == 1, f"{wheel.name}: expected one compiled module")
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e6:.1f} MB")


def tell(command: list[str], folder: Path | None = None) -> str:
    """Say and run a command that must succeed, without this checkout in its path; return what it printed."""
    print("$", " ".join(command), flush=True)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout


def expect(fact: bool, otherwise: str) -> None:
    """End with a message where `fact` does not hold."""
    if not fact:
        sys.exit(f"failed: {otherwise}")


if __name__ == "__main__":
    main()
