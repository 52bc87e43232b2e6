"""Snippets that mypy must accept or refuse, line by line: the types users see are as tight as we say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SNIPPETS = Path(__file__).parent / "snippets"
EXPECTED = re.compile(r"# rejected: ([a-z-]+)$")
REPORTED = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*?)  \[(?P<code>[a-z-]+)\]$")

Findings = dict[tuple[str, int], set[str]]


def expected() -> Findings:
    found: Findings = {}
    for path in sorted(SNIPPETS.glob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if match := EXPECTED.search(line):
                found[path.name, number] = {match[1]}
    return found


@pytest.mark.timeout(600)  # without a cache mypy reads numpy, networkx and all of the package first
def test_mypy_accepts_and_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    api = pytest.importorskip("mypy.api", reason="snippets not checked: pip install 'tiertwin[dev]'")
    monkeypatch.chdir(ROOT)  # pyproject.toml holds the settings, and names its paths from there
    monkeypatch.setenv("PYTHONPATH", "")
    paths = [str(p) for p in sorted(SNIPPETS.glob("*.py"))]
    told, complaints, _ = api.run(["--no-error-summary", "--no-pretty", *paths])
    assert complaints == ""
    found: Findings = {}
    for line in told.splitlines():
        if match := REPORTED.match(line):
            found.setdefault((Path(match["file"]).name, int(match["line"])), set()).add(match["code"])
    assert found == expected(), told
