"""Runs written and read back: whole, killed, on a full disk, in the wrong place."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from support.fake_run import scenario, write_run
from tiertwin.errors import InputError, OutputError, UnknownNameError
from tiertwin.report.page import render
from tiertwin.report.tables import kpi_table
from tiertwin.store import RunWriter, new_run_folder, open_run
from tiertwin.store.history import SCHEMA

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    write_run(folder, epochs=6, policies=("hierarchical", "static"))
    with open_run(folder) as opened:
        yield opened


def small(folder, **options):
    return RunWriter(folder, scenario(), 7, ["hierarchical", "static"], **options)


def test_a_complete_run_reads_back(run):
    assert (run.status, run.reason, run.warnings) == ("complete", "", [])
    assert (run.seed, run.policies, run.settings) == (7, ["hierarchical", "static"], {"epochs": 6})
    assert run.log_hash == run.recorded_hash
    assert run.event_count == 12
    assert run.last_epoch() == run.last_epoch("static") == 5
    assert run.scenario["world"]["nodes"][0]["name"] == "Aachen"
    assert run.versions["tiertwin"]
    assert {path.name for path in run.folder.iterdir()} == {
        "scenario.json", "run.json", "versions.json", "events.jsonl", "history.duckdb", "result.json", "status.json",
    }  # fmt: skip


def test_kpis_are_tidy(run):
    kpis = run.kpis("static")
    assert kpis.columns == ["policy", "epoch", "tier", "twin", "kpi", "value", "unit"]
    rows = kpis.where(kpi="latency_mean_ms")
    assert list(rows["epoch"]) == list(range(6))
    assert set(rows["unit"]) == {"ms"}
    assert set(rows["tier"]) == {"network"}
    assert len(run.kpis()) == len(run.kpis("static")) + len(run.kpis("hierarchical"))


def test_links_have_a_row_a_direction(run):
    links = run.links("static", epoch=2)
    assert len(links) == 2 * 88
    there, back = links.where(link=0).to_dicts()
    assert (there["a"], there["b"]) == (back["b"], back["a"]) == ("Aachen", "Koeln")
    assert there["utilisation"] == pytest.approx(there["load_mbps"] / there["capacity_mbps"])


def test_summary_of_a_complete_run_is_its_result(run):
    summary = run.summary()
    assert summary.where(policy="static", kpi="jain")["value"][0] == run.result["policies"]["static"]["jain"]
    assert "certified_gap_median" not in set(summary.where(policy="static")["kpi"])


def test_query_and_parquet(run, tmp_path):
    found = run.query("SELECT count(*) AS n FROM link WHERE policy = $p", {"p": "static"})
    assert found["n"][0] == 6 * 176
    written = run.export_parquet(tmp_path / "parquet")
    assert [path.name for path in written] == [f"{table}.parquet" for table in SCHEMA]
    pandas = pytest.importorskip("pandas")
    assert len(pandas.read_parquet(written[0])) == len(run.kpis())
    with pytest.raises(InputError, match="expected a query DuckDB can answer"):
        run.query("SELECT nonsense FROM kpi")


def test_as_of_is_the_newest_row_known_by_then(tmp_path):
    """as_of(t) against a dictionary kept by hand, at 100 random times, with repeats and ties in known_ns."""
    draw = np.random.default_rng(1)
    logged = []
    entities = np.array([f"edge-{n}" for n in range(8)], dtype=object)
    with small(tmp_path / "run") as writer:
        for epoch in range(30):
            for _ in range(3):
                rows = draw.choice(8, size=3, replace=False)
                known = int(epoch * 1e9 + draw.integers(0, 4) * 250_000_000)
                values, sampled = draw.random(3), known - draw.integers(1, 9, 3) * 10_000_000
                writer.belief("hierarchical", epoch, "cloud-1", known, entities[rows], "load", values, sampled)
                logged += [(known, entities[r], v, s) for r, v, s in zip(rows, values, sampled, strict=True)]
            writer.belief("static", epoch, "cloud-1", known, entities, "load", np.full(8, -1.0), known)
            writer.belief("hierarchical", epoch, "fog-1", known, entities, "load", np.full(8, -2.0), known)
            writer.commit()
    logged.sort(key=lambda row: row[0])  # stable: of two rows known at one time the later one written is newer
    with open_run(tmp_path / "run") as run:
        for t in draw.integers(0, int(31e9), 100).tolist():
            expected = {entity: (value, int(sample)) for known, entity, value, sample in logged if known <= t}
            got = {row["entity"]: (row["value"], row["sample_ns"]) for row in run.as_of("cloud-1", t)}
            assert got == expected
        row = next(iter(run.as_of("cloud-1", int(31e9))))
        assert row["age_ms"] == pytest.approx((int(31e9) - row["sample_ns"]) / 1e6)
        assert len(run.as_of("fog-1", -1)) == 0
        with pytest.raises(UnknownNameError, match=r"unknown twin 'fog-9'. Did you mean"):
            run.as_of("fog-9", 0)


def test_nan_survives(tmp_path):
    with small(tmp_path / "run") as writer:
        writer.kpis("static", 0, {"latency_mean_ms": float("nan"), "jain": 1.0})
        writer.commit()
    with open_run(tmp_path / "run") as run:
        values = run.kpis()["value"]
        assert np.isnan(values[0])
        assert values[1] == 1.0
        assert "latency_mean_ms" not in set(run.summary()["kpi"])


def test_a_result_may_hold_numpy_and_nan(tmp_path):
    with small(tmp_path / "run") as writer:
        writer.finish(
            {"policies": {"static": {"jain": np.float64("nan"), "rounds_cold": np.int64(3), "x": (1.5, np.inf)}}}
        )
    assert open_run(tmp_path / "run").result == {
        "policies": {"static": {"jain": None, "rounds_cold": 3, "x": [1.5, None]}}
    }


def test_tiers_may_be_numbers(tmp_path):
    made = scenario()
    for twin in made["world"]["twins"]:
        twin["tier"] = ["device", "edge", "fog", "cloud"].index(twin["tier"])
    with RunWriter(tmp_path / "run", made, 7, ["static"]):
        pass
    assert open_run(tmp_path / "run").world("twins") == scenario()["world"]["twins"]


def test_wrong_names_and_lengths_are_refused(tmp_path):
    with small(tmp_path / "run") as writer:
        with pytest.raises(UnknownNameError, match=r"unknown KPI 'latency_mean'. Did you mean 'latency_mean_ms'"):
            writer.kpis("static", 0, {"latency_mean": 1.0})
        with pytest.raises(UnknownNameError, match="'rounds_cold' is of a whole run"):
            writer.kpis("static", 0, {"rounds_cold": 1.0})
        with pytest.raises(UnknownNameError, match=r"unknown policy 'statik' in this run. Did you mean 'static'"):
            writer.kpis("statik", 0, {"jain": 1.0})
        with pytest.raises(ValueError, match=r"expected 176 load_mbps \(one for each of the directed links"):
            writer.links("static", 0, np.zeros(88), np.zeros(88))
        with pytest.raises(ValueError, match="expected 2 values"):
            writer.belief("static", 0, "cloud-1", 0, ["a", "b"], "load", [1.0], 0)


def test_new_folders_count_up(tmp_path):
    names = [new_run_folder("metro", 7, tmp_path).name for _ in range(3)]
    assert names == ["metro-s7-001", "metro-s7-002", "metro-s7-003"]


# -- interruption ----------------------------------------------------------------------------------------------------


def test_interrupted_runs_compare_over_common_epochs(tmp_path):
    """A policy that came further must not be judged by a part of the day the others never saw."""
    done = {"hierarchical": 5, "static": 2}
    with small(tmp_path / "run") as writer:
        for policy, epochs in done.items():
            for epoch in range(epochs):
                writer.kpis(policy, epoch, {"latency_mean_ms": 10.0 * (epoch + 1), "objective": -1.0 - epoch})
            writer.commit()
    with open_run(tmp_path / "run") as run:
        assert run.status == "interrupted"
        found = {(row["policy"], row["kpi"]): row["value"] for row in run.summary()}
        assert len(run.kpis("hierarchical").where(kpi="objective")) == 5  # nothing is lost, only left out there
        assert "Over the epochs that were finished" in str(kpi_table(run).title)
    for policy in done:
        assert found[policy, "latency_mean_ms"] == pytest.approx(15.0)
        assert found[policy, "objective"] == pytest.approx(-1.5)


def test_a_policy_that_has_not_begun_holds_nobody_back(tmp_path):
    with small(tmp_path / "run") as writer:
        for epoch in range(3):
            writer.kpis("hierarchical", epoch, {"objective": float(epoch)})
        writer.commit()
    with open_run(tmp_path / "run") as run:
        assert [(row["policy"], row["value"]) for row in run.summary()] == [("hierarchical", 1.0)]


def test_leaving_without_finish_is_an_interruption(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_run(tmp_path / "run", epochs=4, policies=("hierarchical",), stop=KeyboardInterrupt)
    with open_run(tmp_path / "run") as run:
        assert (run.status, run.reason) == ("interrupted", "KeyboardInterrupt")
        assert run.last_epoch() == 3
        assert run.result is None
        summary = {row["kpi"]: row["value"] for row in run.summary()}
        rows = run.kpis()
        assert summary["objective"] == pytest.approx(np.mean(rows.where(kpi="objective")["value"]))
        assert summary["rounds_cold"] == rows.where(kpi="rounds")["value"][0]


def test_a_run_being_written_says_so(tmp_path):
    with small(tmp_path / "run") as writer:
        writer.event({"epoch": 0})
        writer.commit()
        run = open_run(tmp_path / "run")
        assert run.status == "running"
        assert run.event_count == 1
        code = "import sys; from tiertwin.store import open_run; open_run(sys.argv[1]).kpis()"
        other = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "run")], capture_output=True, text=True, check=False
        )
        assert "InputError" in other.stderr
        assert "still being written by another process" in other.stderr
    assert open_run(tmp_path / "run").status == "interrupted"


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from support import fake_run
from tiertwin.store import RunWriter
made = fake_run.scenario()
writer = RunWriter(sys.argv[1], made, 7, ["hierarchical"])
for epoch in range(5):
    fake_run._epoch(writer, made, "hierarchical", epoch, 7)
    writer.commit()
fake_run._epoch(writer, made, "hierarchical", 5, 7)
writer._log.flush()  # the worst moment: events of the epoch are out, its rows are not
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_9_leaves_every_committed_epoch(tmp_path):
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "run"), str(TESTS)], check=False)
    assert ended.returncode == -signal.SIGKILL
    with open_run(tmp_path / "run") as run:
        assert run.status == "interrupted"
        assert "killed" in run.reason
        assert run.last_epoch() == 4
        assert run.event_count == 6
        assert len(run.links(epoch=4)) == 176
        assert len(run.kpis().where(kpi="objective")) == 5
        assert "interrupted" in render(run)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.6, 0.85, 0.999])
def test_a_history_torn_anywhere_reads_up_to_a_whole_epoch(tmp_path, share):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "run"), str(TESTS)], check=False)
    log = tmp_path / "run" / "history.duckdb.wal"
    os.truncate(log, int(log.stat().st_size * share))
    events = tmp_path / "run" / "events.jsonl"
    os.truncate(events, int(events.stat().st_size * share))
    with open_run(tmp_path / "run") as run:
        rows = run.kpis()
        epochs = sorted(set(rows["epoch"].tolist())) if len(rows) else []
        assert epochs == list(range(len(epochs)))
        for epoch in epochs:
            assert len(run.links(epoch=epoch)) == 176
        assert [event["epoch"] for event in run.events()] == list(range(run.event_count))
        assert len(run.as_of("cloud-1", 10**12)) in (0, 50)


FULL_DISK = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from support import fake_run
from tiertwin.errors import OutputError
try:
    fake_run.write_run(Path(sys.argv[1]) / "run", epochs=1000, policies=("hierarchical",))
except OutputError as error:
    print(error)
"""


def test_a_full_disk_leaves_a_readable_run(tmp_path):
    """The whole writer on a tmpfs of 1 MiB, in a mount namespace of its own."""
    inner = f'mount -t tmpfs -o size=1m tmpfs "{tmp_path}" && "$@" && cp -r "{tmp_path}/run" "{tmp_path}-kept"'
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    script = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(TESTS)]
    ended = subprocess.run(
        ["unshare", *root, "--mount", "sh", "-c", inner, "sh", *script], capture_output=True, text=True, check=False
    )
    if "unshare" in ended.stderr or "mount:" in ended.stderr:
        pytest.skip(f"no tmpfs can be mounted here: {ended.stderr.strip()}")
    assert ended.returncode == 0, ended.stderr
    assert "the disk is full. Free some space or write elsewhere with --out" in ended.stdout
    assert "What was written before can be read: tiertwin report" in ended.stdout
    with open_run(Path(f"{tmp_path}-kept")) as run:
        assert run.status == "interrupted"
        assert "the disk is full" in run.reason
        assert run.last_epoch() >= 1
        assert run.event_count >= run.last_epoch()
        assert "the disk is full" in render(run)
        assert len(run.as_of("cloud-1", 10**12)) == 50


def test_the_disk_may_be_full_from_the_start(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"Could not write the run's settings to .*run\.json: the disk is full"):
        small(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "status.json").read_bytes())["state"] == "interrupted"


# -- wrong places ----------------------------------------------------------------------------------------------------


def test_where_a_run_cannot_be_written(tmp_path):
    write_run(tmp_path / "run", epochs=1, policies=("hierarchical",))
    with pytest.raises(OutputError, match=r"run: it holds a run already. Choose a new folder with --out"):
        small(tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match=r"is not empty \(thesis.tex"):
        small(tmp_path / "other")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        small(tmp_path / "other" / "thesis.tex" / "run")
    with pytest.raises(OutputError, match=r"Could not write a run to /proc/tiertwin"):
        small("/proc/tiertwin")


def test_what_is_not_a_run(tmp_path):
    with pytest.raises(InputError, match="found no folder there"):
        open_run(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"expected the folder of a run, but it has no run\.json"):
        open_run(tmp_path)
    write_run(tmp_path / "run", epochs=1, policies=("hierarchical",))
    held = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps({**held, "format": 99}))
    with pytest.raises(InputError, match="a newer tiertwin wrote it"):
        open_run(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json: expected a JSON object, got"):
        open_run(tmp_path / "run")


def test_parts_that_are_missing_are_warnings(tmp_path):
    write_run(tmp_path / "run", epochs=1, policies=("hierarchical",))
    for name in ("history.duckdb", "versions.json", "events.jsonl"):
        (tmp_path / "run" / name).unlink()
    with open_run(tmp_path / "run") as run:
        assert run.event_count == 0
        assert len(run.kpis()) == len(run.links()) == len(run.as_of("cloud-1", 5)) == 0
        assert run.last_epoch() == -1
        assert run.export_parquet(tmp_path / "parquet") == []
        text = "\n".join(run.warnings)
        assert "versions.json" in text
        assert "history.duckdb is missing" in text


def test_a_damaged_history_says_what_it_is(tmp_path):
    write_run(tmp_path / "run", epochs=1, policies=("hierarchical",))
    (tmp_path / "run" / "history.duckdb").write_bytes(b"not a database" * 1000)
    with (
        open_run(tmp_path / "run") as run,
        pytest.raises(InputError, match="expected a history written by DuckDB, got"),
    ):
        run.kpis()
