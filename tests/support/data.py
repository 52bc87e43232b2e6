"""Real data that does not come with the project: a folder named by TIERTWIN_DATA."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "TIERTWIN_DATA"


def data_file(name: str) -> Path:
    """Path of a file in that folder; skips the test where it is absent."""
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        pytest.skip(f"{VARIABLE} names no folder with {name}")
    path = Path(folder) / name
    if not path.exists():
        pytest.skip(f"no {name} in the folder that {VARIABLE} names")
    return path
