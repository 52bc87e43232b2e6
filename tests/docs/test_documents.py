"""The documents say what is there: code runs, commands and links exist, tests and folders are those named."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from tiertwin.cli import VERBS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    p
    for p in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"]
    if p.name != "LICENSE"
)
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/tiertwin run",
    "python3 -m venv .venv && .venv/bin/pip install '.[test]' && .venv/bin/pytest",
)
USE = re.compile(r"(?:\.venv/bin/|`|^|-m )tiertwin ([a-z]+)((?: --?[a-z-]+| [A-Za-z0-9/_.]+)*)", re.MULTILINE)
EXTRA = re.compile(r"tiertwin\[([a-z]+)\]|'\.\[([a-z]+)\]'")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(text: str, language: str) -> list[str]:
    """Fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Anchors of the headings, by GitHub's rule."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("code", blocks(README, "python"), ids=lambda code: code.splitlines()[0])
def test_readme_code_runs(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=110, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "% of S" in done.stdout
    assert "latency_mean" in done.stdout


def test_readme_has_the_two_commands_as_they_are() -> None:
    assert [block.strip() for block in blocks(README, "") if "venv" in block] == list(COMMANDS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_and_options_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for verb, words in USE.findall(text):
        assert verb in VERBS, f"{name_of(path)}: no command `tiertwin {verb}`"
        command = getattr(import_module(f"tiertwin.cli.{verb}"), verb)
        if isinstance(command, click.Group) and words.split():
            command = command.commands.get(words.split()[0], command)
        if (verb, "--plan" in words.split()) == ("whatif", True):  # the rest of the line is that of `plan`
            command = import_module("tiertwin.cli.plan").plan
        known = {option for param in command.params for option in [*param.opts, *param.secondary_opts]}
        known |= {"--plan"} if verb == "whatif" else set()
        for option in re.findall(r"--[a-z0-9-]+", words):
            assert option in known | {"--help"}, f"{name_of(path)}: `tiertwin {verb}` has no option {option}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_resolve(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{name_of(path)}: {target} is not there"
        assert there.is_relative_to(ROOT), f"{name_of(path)}: {target} leaves the project"
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), f"{name_of(path)}: no heading for {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_named_files_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for named in re.findall(r"`((?:cpp|python|tests|docs|benchmarks|examples)/[\w./-]+?)(?:::\w+)?`", text):
        assert (ROOT / named).exists(), f"{name_of(path)}: {named} is not there"


def test_extras_exist() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for path in DOCUMENTS:
        for pair in EXTRA.findall(path.read_text(encoding="utf-8")):
            extra = next(filter(None, pair))
            assert re.search(rf"^{extra} = \[", project, re.MULTILINE), f"{name_of(path)}: no extra {extra!r}"


def test_every_test_named_exists() -> None:
    named = [pair for path in DOCUMENTS for pair in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", path.read_text("utf-8"))]
    assert len(named) >= 20
    for file, test in named:
        functions = {n.name for n in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(n, ast.FunctionDef)}
        assert test in functions, f"{file} has no {test}"


def test_every_promise_has_its_row_and_every_command_its_script() -> None:
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[?P(\d+)", text, re.MULTILINE) == [str(k) for k in range(1, 17)]
    scripts = re.findall(r"`python ((?:tests|benchmarks)/[\w/]+\.py)([^`]*)`", text)
    assert len(scripts) >= 8
    for file, words in scripts:
        tree = ast.parse((ROOT / file).read_text())
        if file == "tests/long/promises.py":
            assert words.split()[0] in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}, words
    cases = " ".join(path.read_text() for path in (ROOT / "tests" / "cpp").glob("*.cpp"))
    for case in re.findall(r"-tc='([^'*]+)\*'", text):
        assert f'"{case}' in cases, case


def test_the_module_table_is_the_folders() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `((?:cpp|python/tiertwin)/\w+)` \|", text, re.MULTILINE)
    there = [
        name_of(folder)
        for root in (ROOT / "cpp", ROOT / "python" / "tiertwin")
        for folder in root.iterdir()
        if folder.is_dir() and any(p.suffix in {".cpp", ".hpp", ".py"} for p in folder.iterdir())
    ]
    assert sorted(listed) == sorted(there)


def test_figures_are_those_of_the_script() -> None:
    figures = ROOT / "docs" / "figures"
    script = (figures / "make.py").read_text(encoding="utf-8")
    for svg in figures.glob("*.svg"):
        assert f'"{svg.stem}"' in script, f"{svg.name}: nothing makes it"
        assert svg.read_text(encoding="utf-8").startswith('<svg xmlns="http://www.w3.org/2000/svg"')


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = sorted(p for p in folder.glob("[0-9]*.md"))
    assert [p.name[:4] for p in pages] == [f"{k:04}" for k in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert f"({page.name})" in index, f"{page.name} is not in the list"
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
