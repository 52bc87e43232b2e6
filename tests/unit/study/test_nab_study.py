"""NAB: its scoring rules by hand, and against what NAB publishes; how files are read."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from support.data import data_file
from tiertwin.errors import InputError
from tiertwin.study import nab
from tiertwin.study.nabpublished import DETECTORS, RAW
from tiertwin.study.nabscore import ABOVE_ALL, PROFILES, Labelled, curve, normalised, sigma, standard_score

STANDARD = PROFILES["standard"]


def series(rows: int = 100, windows: tuple[tuple[int, int], ...] = ((40, 59),), name: str = "f") -> Labelled:
    return Labelled(name, np.zeros(rows), np.arange(rows) * 300.0, windows)


def told(rows: int, *at: int) -> dict[str, np.ndarray]:
    score = np.zeros(rows)
    score[list(at)] = 1.0
    return {"f": score}


def raw(at: tuple[int, ...], file: Labelled | None = None, profile: str = "standard") -> float:
    file = file or series()
    return curve([file], told(len(file.values), *at), PROFILES[profile]).at(1.0)


def s(y: float) -> float:
    return 2.0 / (1.0 + math.exp(5.0 * y)) - 1.0


def test_a_window_is_worth_its_best_detection() -> None:
    assert sigma(np.array([-1.0, 0.0, 1.0, 3.0])) == pytest.approx([0.98661, 0.0, -0.98661, -1.0], abs=1e-5)
    assert raw((40,)) == pytest.approx(1.0)
    assert raw((50,)) == pytest.approx(s(-0.5) / s(-1.0))
    assert raw((50, 55)) == raw((50,))
    assert raw((59,)) == pytest.approx(s(-1 / 20) / s(-1.0))


def test_false_detections_cost_by_their_distance_from_the_window_before() -> None:
    assert raw((30,)) == pytest.approx(-1.0 - 0.11)
    assert raw((62,)) == pytest.approx(-1.0 + 0.11 * s(3 / 19))
    assert raw((99,)) == pytest.approx(-1.0 + 0.11 * s(40 / 19))
    assert raw((30,), profile="reward_low_FP_rate") == pytest.approx(-1.22)
    assert raw((30,), profile="reward_low_FN_rate") == pytest.approx(-2.11)


def test_the_probation_counts_nothing() -> None:
    assert raw((3, 14)) == -1.0
    assert raw((15,)) == pytest.approx(-1.11)
    early = series(windows=((2, 9), (40, 59)))
    assert raw((5,), early) == -1.0  # the window within the probation is neither won nor lost
    assert series(10_000).probation == 750


def test_null_is_0_and_perfect_100() -> None:
    files = [series(name="f"), series(200, ((50, 60), (90, 120)), "g"), series(50, (), "h")]
    for profile in PROFILES.values():
        none = {f.name: nab.null(f) * 0.0 for f in files}
        best = {f.name: nab.perfect(f) for f in files}
        assert standard_score(files, none, profile, 0.5)[0] == 0.0
        assert standard_score(files, none, profile) == (0.0, ABOVE_ALL)
        assert standard_score(files, best, profile) == (pytest.approx(100.0), 1.0)
    assert math.isnan(normalised(0.0, [files[2]], STANDARD))


def test_the_curve_is_that_of_counting_anew_at_each_threshold() -> None:
    rng = np.random.default_rng(1)
    files = [series(120, ((30, 41), (80, 90)), "f"), series(90, ((20, 33),), "g")]
    scores = {f.name: np.round(rng.random(len(f.values)), 2) for f in files}
    found = curve(files, scores, STANDARD)
    for threshold, value in zip(found.thresholds, found.raw, strict=True):
        total = 0.0
        for f in files:
            alarms = [k for k in np.flatnonzero(scores[f.name] >= threshold) if k >= f.probation]
            before = None
            for first, last in f.windows:
                inside = [k for k in alarms if first <= k <= last]
                total += s(-(last - inside[0] + 1) / (last - first + 1)) / s(-1.0) if inside else -1.0
            for k in alarms:
                if any(first <= k <= last for first, last in f.windows):
                    continue
                before = [w for w in f.windows if w[1] < k]
                y = (k - before[-1][1]) / (before[-1][1] - before[-1][0]) if before else 3.0
                total += 0.11 * (s(y) if y < 3.0 else -1.0)
        assert value == pytest.approx(total)
    assert standard_score(files, scores, STANDARD)[0] == pytest.approx(normalised(found.raw.max(), files, STANDARD))


def test_scores_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="expected 100 finite scores"):
        curve([series()], {"f": np.zeros(99)}, STANDARD)
    with pytest.raises(InputError, match="finite"):
        curve([series()], {"f": np.full(100, np.nan)}, STANDARD)


@pytest.mark.parametrize("name", ["windowedGaussian", "relativeEntropy"])
def test_published_scores_come_out_file_by_file(name: str) -> None:
    """To nine digits, with NAB's thresholds over all 58 files: 0.5, and one that is printed there as 1.0."""
    corpus = nab.load_corpus(data_file("nab.zip").parent)
    assert {f.name for f in corpus} == set(RAW)
    for f in corpus:
        found = curve([f], {f.name: nab.DETECTORS[name](f)}, STANDARD).at(nab.WHOLE[name])
        assert found == pytest.approx(RAW[f.name][DETECTORS.index(name)], abs=1e-9), f.name


def test_the_study_of_the_real_files() -> None:
    """Null and perfect are exact; ours beats the simple detectors on the held-out half, and HTM's sum on all files."""
    found = nab.nab_study(data_file("nab.zip").parent, ("ours", "null", "perfect"))
    score = {(r["detector"], r["profile"], r["files"]): r["score"] for r in found["rows"]}
    published = {(r["detector"], r["files"]): r["score"] for r in found["published"]}
    assert score["null", "standard", "all"] == 0.0
    assert score["perfect", "reward_low_FN_rate", "all"] == pytest.approx(100.0)
    for simple in ("windowedGaussian", "relativeEntropy"):
        assert score["ours", "standard", "held out"] > published[simple, "held out"] + 5.0
    assert score["ours", "standard", "all"] > published["numenta (HTM)", "all"]
    assert len(found["by_file"]) == 24
    assert sum(row["windows"] for row in found["by_file"]) == 49


def folder_of(tmp: Path, packed: bool, labels: str) -> Path:
    text = "timestamp,value\n" + "\n".join(f"2014-02-01 00:{k:02d}:00,{k}.5" for k in range(40))
    name = "realKnownCause/a.csv"
    if packed:
        with zipfile.ZipFile(tmp / "nab.zip", "w") as archive:
            archive.writestr(f"data/{name}", text)
            archive.writestr("data/realAWSCloudwatch/b.csv", text)
    else:
        for group in ("realKnownCause", "realAWSCloudwatch"):
            (tmp / "data" / group).mkdir(parents=True)
        (tmp / "data" / name).write_text(text)
        (tmp / "data" / "realAWSCloudwatch/b.csv").write_text(text)
    windows = {name: [["2014-02-01 00:20:00.000000", "2014-02-01 00:25:00.000000"]], "realAWSCloudwatch/b.csv": []}
    (tmp / labels).parent.mkdir(exist_ok=True)
    (tmp / labels).write_text(json.dumps(windows))
    return tmp


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("labels", nab.LABELS)
def test_a_folder_or_its_zip(tmp_path: Path, packed: bool, labels: str) -> None:
    b, a = nab.load_corpus(folder_of(tmp_path, packed, labels))
    assert (a.name, b.windows) == ("realKnownCause/a.csv", ())
    assert a.windows == ((20, 25),)
    assert a.values[3] == 3.5
    assert np.diff(a.times_s).tolist() == [60.0] * 39


def test_what_is_missing_or_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder with data/realAWSCloudwatch"):
        nab.load_corpus(tmp_path)
    (tmp_path / "nab.zip").write_text("no zip")
    with pytest.raises(InputError, match="expected a zip archive"):
        nab.load_corpus(tmp_path)
    with zipfile.ZipFile(tmp_path / "nab.zip", "w") as archive:
        archive.writestr("other/x.csv", "")
    with pytest.raises(InputError, match=r"nab\.zip with these in it"):
        nab.load_corpus(tmp_path)
    (tmp_path / "x").mkdir()
    folder = folder_of(tmp_path / "x", False, nab.LABELS[2])
    file = folder / "data/realKnownCause/a.csv"
    good = file.read_text()
    for text, message in (
        (good.replace("timestamp,value", "t,v"), "expected the columns timestamp,value"),
        (good.replace("3.5", "x", 1), "line 5: expected 'timestamp,value'"),
        (good.replace("00:20:00", "00:20:01"), "expected the ends of windows among its timestamps"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            nab.load_corpus(folder)
    file.write_text(good)
    (folder / nab.LABELS[2]).write_text("{}")
    with pytest.raises(InputError, match="expected its windows in the labels"):
        nab.load_corpus(folder)
    (folder / nab.LABELS[2]).unlink()
    with pytest.raises(InputError, match=r"expected one of labels/combined_windows\.json"):
        nab.load_corpus(folder)
