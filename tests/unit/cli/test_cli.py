"""The command line: verbs, messages, exit codes; and that asking for help loads nothing heavy."""

import json
import os
import re
import subprocess
import sys
import types

import pytest
from click.testing import CliRunner

from support.fake_run import write_run
from tiertwin import __version__
from tiertwin.cli import VERBS, main
from tiertwin.errors import InputError
from tiertwin.store import ReplayCheck, open_run
from tiertwin.world import load

HEAVY = ("numpy", "tiertwin._core", "pydantic", "yaml", "networkx", "cvxpy", "duckdb", "rich", "zmq", "msgspec")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    base = tmp_path_factory.mktemp("runs")
    write_run(base / "whole", epochs=5, policies=("hierarchical", "edge-only", "monolithic"))
    write_run(base / "cut", epochs=3, policies=("hierarchical", "edge-only"), finish=False)
    return base


def call(*arguments, columns=200):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env={"COLUMNS": str(columns)})


def test_help_lists_the_verbs_and_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from tiertwin.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as ended:\n    assert ended.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    for verb, does in VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(does)}$", done.stdout, re.MULTILINE)


def test_version():
    assert call("--version").output == f"tiertwin, version {__version__}\n"


def test_an_unknown_verb_suggests_one():
    done = call("inspekt")
    assert done.exit_code == 2
    assert "unknown command 'inspekt'. Did you mean 'inspect'" in done.stderr


@pytest.mark.parametrize("verb", ["inspect", "report"])
def test_what_is_no_run_is_one_message_and_exit_2(verb, tmp_path):
    done = call(verb, tmp_path)
    assert done.exit_code == 2
    assert done.stderr == f"Error: {tmp_path}: expected the folder of a run, but it has no run.json\n"
    assert done.stdout == ""


# -- inspect ---------------------------------------------------------------------------------------------------------


def test_inspect_prints_the_kpi_table(runs):
    done = call("inspect", runs / "whole")
    assert done.exit_code == 0, done.output
    assert "germany50 (made-up figures) · seed 7 · 5 epochs · complete" in done.stdout
    assert open_run(runs / "whole").log_hash in done.stdout
    assert re.search(r"Deadline misses +\S+ %\* ", done.stdout)
    assert re.search(r"Energy per task \[J\] +\S+ +\S+\* ", done.stdout)
    assert "Latency, mean [ms]" in done.stdout
    assert "monolithic: a yardstick, not compared" in " ".join(done.stdout.split())


def test_a_narrow_terminal_cuts_no_figure(runs):
    wide = call("inspect", runs / "whole").stdout.split()
    narrow = call("inspect", runs / "whole", columns=70).stdout.split()
    assert sorted(wide) == sorted(narrow)


def test_inspect_of_an_interrupted_run(runs):
    done = call("inspect", runs / "cut")
    assert done.exit_code == 0
    assert "3 epochs · interrupted: closed before its last epoch" in done.stdout
    assert "Over the epochs that were finished" in done.stdout
    assert "Note: The run is interrupted" in done.stderr


def test_inspect_links_are_fullest_first(runs):
    done = call("inspect", runs / "whole", "--links", "--at", "2", "--rows", "5")
    lines = done.stdout.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("link "))
    used = [float(line.split()[-1]) for line in lines[start + 1 : start + 6]]
    assert used == sorted(used, reverse=True)
    assert "Links at the end of epoch 2, hierarchical" in done.stdout
    assert "171 more rows" in done.stdout


def test_inspect_twin_is_its_belief_at_the_end_of_the_epoch(runs):
    done = call("inspect", runs / "whole", "--twin", "cloud-1", "--at", 2, "--json")
    held = json.loads(done.stdout)
    with open_run(runs / "whole") as run:
        assert held["beliefs"] == run.as_of("cloud-1", 3_000_000_000).to_dicts()
        assert held["log_hash"] == run.log_hash
    assert len(held["beliefs"]) == 50
    text = call("inspect", runs / "whole", "--twin", "cloud-1", "--at", 2).stdout
    text = " ".join(text.split())
    assert "What cloud-1 believed at the end of epoch 2, hierarchical" in text
    assert "(its newest belief is of t = 3.000 s, and so are the ages)" in text
    assert (held["policy"], held["at_epoch"]) == ("hierarchical", 2)


def test_inspect_json_holds_the_kpis(runs):
    held = json.loads(call("inspect", runs / "cut", "--json").stdout)
    assert held["status"] == "interrupted"
    assert held["last_epoch"] == 2
    assert {"policy": "edge-only", "kpi": "solver_steps", "value": 0.0, "unit": "steps"} in held["kpis"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--twin", "fog-12"), "unknown twin 'fog-12'. Did you mean 'fog-"),
        (("--twin", "fog-1"), "fog-1 had learned nothing by the end of epoch 4 under hierarchical"),
        (("--links", "--at", "5"), "--at: expected an epoch this run holds for hierarchical (0 to 4), got 5"),
        (("--policy", "edge"), "--policy: unknown policy 'edge' in this run. Did you mean 'edge-only'"),
        (("--rows", "0"), "0 is not in the range x>=1"),
    ],
)
def test_inspect_says_what_is_wrong(runs, options, message):
    done = call("inspect", runs / "whole", *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


# -- report ----------------------------------------------------------------------------------------------------------


def test_report_writes_the_page(runs, tmp_path):
    done = call("report", runs / "whole", "--out", tmp_path / "page.html")
    assert done.exit_code == 0
    assert re.fullmatch(r".*page\.html \(\d+ kB\)\n", done.stdout)
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert call("report", runs / "cut").exit_code == 0
    assert (runs / "cut" / "report.html").exists()


def test_report_into_nowhere(runs):
    done = call("report", runs / "whole", "--out", "/proc/nowhere/page.html")
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: Could not write the report to /proc/nowhere/page.html: ")


# -- replay ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def replayed(monkeypatch):
    """Stands in for the runtime: replays the events of the stored run, changed by the test."""

    def install(change):
        def replay(folder):
            with open_run(folder) as run:
                check = ReplayCheck(run)
                for number, event in enumerate(run.events()):
                    check.write(change(number, event))
                return check.report()

        module = types.ModuleType("tiertwin.runtime.api")
        module.replay = replay
        monkeypatch.setitem(sys.modules, "tiertwin.runtime.api", module)

    return install


def test_replay_identical(runs, replayed):
    replayed(lambda _, event: event)
    done = call("replay", runs / "whole")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"Identical: 15 events, log {open_run(runs / 'whole').log_hash}\n"
    held = json.loads(call("replay", runs / "whole", "--json").stdout)
    assert held["identical"]
    assert held["log_hash"] == held["recorded_hash"]


def test_replay_names_the_first_difference(runs, replayed):
    replayed(lambda number, event: event | {"value": 0.0} if number >= 4 else event)
    done = call("replay", runs / "whole")
    assert done.exit_code == 1
    assert "First difference: event 4 at value" in done.stdout
    assert '"value": 0.0' in done.stdout
    assert "versions.json says what made the run" in done.stdout


# -- init ------------------------------------------------------------------------------------------------------------


def test_init_writes_a_starter_once(tmp_path):
    done = call("init", tmp_path / "mine")
    path = tmp_path / "mine" / "scenario.yaml"
    assert done.stdout == f"{path} written. Next: tiertwin run {path}\n"
    assert path.read_text(encoding="utf-8").startswith("# A scenario for tiertwin")
    again = call("init", tmp_path / "mine")
    assert again.exit_code == 2
    assert "it is there already" in again.stderr


def test_the_starter_is_a_scenario(tmp_path):
    from tiertwin.world import load

    call("init", tmp_path)
    scenario = load(str(tmp_path / "scenario.yaml"))
    assert scenario.name == "my-network"
    assert [service.name for service in scenario.classes] == ["camera", "meter"]


@pytest.mark.parametrize("name", ["mixed", "metro"])
def test_init_like_writes_a_built_in_scenario(tmp_path, name):
    done = call("init", tmp_path, "--like", name)
    assert done.exit_code == 0, done.output
    assert load(tmp_path / "scenario.yaml") == load(name)


def test_init_like_nothing_known(tmp_path):
    done = call("init", tmp_path, "--like", "mixd")
    assert done.exit_code == 2
    assert "Unknown built-in scenario 'mixd'" in done.output
    assert "mixed" in done.output
    assert not (tmp_path / "scenario.yaml").exists()


def test_init_schema_prints_the_json_schema():
    held = json.loads(call("init", "--schema").stdout)
    assert held["title"] == "Scenario"
    assert held["additionalProperties"] is False
    assert {"name", "topology"} <= set(held["required"])


# -- how it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            InputError(["services[0].tmax_s: expected > 0, got -1", "seed: expected an integer"], "a.yaml"),
            2,
            "2 problems",
        ),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_errors_are_one_message(monkeypatch, error, code, words):
    def fail(*_):
        raise error

    monkeypatch.setattr("tiertwin.cli.report.open_run", fail)
    done = call("report", "anything")
    assert done.exit_code == code
    assert words in done.stderr
    assert "Traceback" not in done.output


def test_a_closed_pipe_is_quiet(runs):
    """`tiertwin inspect RUN | head -1`: no traceback."""
    code = "from tiertwin.cli import main; main()"
    reader, pipe = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", str(runs / "whole"), "--links", "--json"],
        stdout=pipe,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(pipe)
    assert done.stderr == ""
    assert done.returncode == 1
