"""Runs ``tiertwin`` as a user would: in a process of its own, from a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def tiertwin(*words: str, cwd: Path, seconds: int = 110) -> subprocess.CompletedProcess[str]:
    """Run the command line and return how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "tiertwin", *words],
        capture_output=True,
        text=True,
        timeout=seconds,
        cwd=cwd,
        check=False,
    )
