"""The Numenta Anomaly Benchmark on the files of a folder: ours beside re-made and published detectors.

Data: `data/<group>/<file>.csv` (timestamp, value) and the windows in `labels/combined_windows.json`, as in the
repository numenta/NAB; or `nab.zip` with `data/…` and `nab_combined_windows.json` beside it. Groups read: those there
are of the ones asked for. Scores by study/nabscore.py.

Split: files by name, 1st, 3rd, 5th … for tuning, the others held out. The options of our detector (`OPTIONS`) were
chosen on the tuning half, by random search over a coarse grid; docs/assurance-detection.md tells what else was looked
at.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.streams import StreamOptions, judge_series
from tiertwin.study.datafolder import Place, csv_files, open_folder
from tiertwin.study.nabpublished import DETECTORS as OTHERS
from tiertwin.study.nabpublished import RAW, WHOLE_BENCHMARK
from tiertwin.study.nabscore import PROFILES, Labelled, curve, normalised, standard_score

if TYPE_CHECKING:
    from tiertwin.study.nabscore import F64

ARCHIVE = "nab.zip"
GROUPS = ("realAWSCloudwatch", "realKnownCause")
LABELS = ("labels/combined_windows.json", "combined_windows.json", "nab_combined_windows.json")
OPTIONS = StreamOptions(least=2.0)
FIXED = {"ours": OPTIONS.least}
CHI2_4_AT_99 = 13.276704135987624
WHOLE = {
    "relativeEntropy": 0.5,
    "windowedGaussian": 1.0 - 2.0**-40.75,
}  # NAB's threshold on all 58 files; it is printed there as 1.0


def load_corpus(folder: Path, groups: Sequence[str] = GROUPS) -> list[Labelled]:
    """Return the files of these groups in order of name. Raises InputError."""
    files = csv_files(open_folder(folder, ARCHIVE, "data", groups[0]))
    windows = _windows(folder)
    names = [name for name in files if name.split("/")[0] in groups]
    unlabelled = [name for name in names if name not in windows]
    if unlabelled:
        raise InputError(
            f"{unlabelled[0]}: expected its windows in the labels, got none (an empty list where there are none)"
        )
    return [_series(files[name], name, windows[name]) for name in names]


def _windows(folder: Path) -> dict[str, list[list[str]]]:
    for name in LABELS:
        for place in (folder, folder.parent):
            if (place / name).is_file():
                found: dict[str, list[list[str]]] = json.loads((place / name).read_text(encoding="utf-8"))
                return found
    raise InputError(f"--data: expected one of {', '.join(LABELS)} in {folder} or beside it, got none")


def _series(file: Place, name: str, windows: list[list[str]]) -> Labelled:
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    if header.split(",")[:2] != ["timestamp", "value"]:
        raise InputError(f"{name}: expected the columns timestamp,value, got {header!r}")
    times, values = [], []
    for number, row in enumerate(rows, 2):
        try:
            stamp, value = row.split(",")[:2]
            times.append((datetime.fromisoformat(stamp) - datetime(1970, 1, 1)).total_seconds())
            values.append(float(value))
        except ValueError as error:
            raise InputError(f"{name}, line {number}: expected 'timestamp,value', got {row!r}") from error
    place = {time: k for k, time in enumerate(times)}
    ends = [tuple((datetime.fromisoformat(end) - datetime(1970, 1, 1)).total_seconds() for end in w) for w in windows]
    missing = [end for window in ends for end in window if end not in place]
    if missing:
        raise InputError(f"{name}: expected the ends of windows among its timestamps, {len(missing)} are not")
    return Labelled(name, np.array(values), np.array(times), tuple((place[a], place[b]) for a, b in ends))


def ours(series: Labelled) -> F64:
    """Return the alarms of our detector, one pass in order; stamps that go backwards (NAB has some) stand still."""
    return judge_series(series.values, np.maximum.accumulate(series.times_s), OPTIONS)[1]


def null(series: Labelled) -> F64:
    """Return NAB's null detector: 0.5 everywhere."""
    return np.full(series.values.size, 0.5)


def perfect(series: Labelled) -> F64:
    """Return a detection at the first row of every window."""
    score = np.zeros(series.values.size)
    score[[first for first, _ in series.windows]] = 1.0
    return score


def chance(series: Labelled) -> F64:
    """Return NAB's random detector: uniform numbers, seed 42 for each file."""
    numbers = random.Random(42)  # noqa: S311 - NAB's own
    return np.array([numbers.uniform(0.0, 1.0) for _ in range(series.values.size)])


def windowed_gaussian(series: Labelled, window: int = 6400, step: int = 100) -> F64:
    """Return NAB's windowed Gaussian: 1 − Q(|x − mean|/std) over the last rows, moved on in steps."""
    values, score = series.values, np.zeros(series.values.size)
    start, stop = 0, 0
    mean, spread = 0.0, 1.0
    for k, value in enumerate(values):
        if k:
            score[k] = 1.0 - 0.5 * math.erfc(abs(value - mean) / spread / math.sqrt(2.0))
        if k < window:
            stop = k + 1
        elif (k - window + 1) % step == 0:
            start, stop = start + step, k + 1
        else:
            continue
        mean = float(np.mean(values[start:stop]))
        spread = float(np.std(values[start:stop])) or 1e-6
    return score


def relative_entropy(series: Labelled, window: int = 52, bins: int = 5, limit: float = CHI2_4_AT_99) -> F64:
    """Return NAB's relative entropy detector: 1 where the mix of the last rows is unlike all before.

    It is told the range of the whole series. C. Wang et al., IFIP/IEEE IM 2011.
    """
    values, score = series.values, np.zeros(series.values.size)
    low, high = float(values.min()), float(values.max())
    if low == high:
        return score
    place = np.minimum(np.ceil((values - low) / ((high - low) / bins)).astype(int), bins - 1)
    known = np.zeros((0, bins))
    for k in range(window - 1, values.size):
        share = np.bincount(place[k + 1 - window : k + 1], minlength=bins) / window
        with np.errstate(divide="ignore", invalid="ignore"):
            away = 2.0 * window * np.where(share > 0.0, share * np.log(share / known), 0.0).sum(axis=1)
        if not (away < limit).any():
            score[k] = float(len(known) > 0)
            known = np.vstack([known, share])
    return score


DETECTORS: dict[str, Callable[[Labelled], F64]] = {
    "ours": ours,
    "relativeEntropy": relative_entropy,
    "windowedGaussian": windowed_gaussian,
    "random": chance,
    "null": null,
    "perfect": perfect,
}


def nab_study(folder: Path, detectors: Sequence[str] = tuple(DETECTORS)) -> dict[str, Any]:
    """Return scores of each detector and profile, on the tuning half, the held-out half and all files.

    Keys of a row: detector, profile, files, windows; `score`: NAB's own, with the threshold that is best for these very
    files; `score_fixed`: with one fixed before, ours with every alarm, others that which is best for the tuning half.
    """
    corpus = load_corpus(folder)
    parts = {"tuning": corpus[0::2], "held out": corpus[1::2], "all": corpus}
    rows, by_file = [], []
    for name in detectors:
        scores = {series.name: DETECTORS[name](series) for series in corpus}
        for profile_name, profile in PROFILES.items():
            fixed = FIXED.get(name) or standard_score(parts["tuning"], scores, profile)[1]
            for part, files in parts.items():
                score, threshold = standard_score(files, scores, profile)
                rows.append(
                    {
                        "detector": name,
                        "profile": profile_name,
                        "files": part,
                        "windows": sum(len(series.windows) for series in files),
                        "score": score,
                        "threshold": threshold,
                        "score_fixed": standard_score(files, scores, profile, fixed)[0],
                    }
                )
        if name == "ours":
            used = standard_score(corpus, scores, PROFILES["standard"])[1]
            by_file = [_file_row(series, scores[series.name], used, k % 2 == 0) for k, series in enumerate(corpus)]
    whole = [{"detector": name, "files": "58 of NAB", "score": score} for name, score in WHOLE_BENCHMARK.items()]
    return {
        "rows": rows,
        "by_file": by_file,
        "published": [*_published(parts), *whole],
        "groups": list(GROUPS),
    }


def _published(parts: dict[str, list[Labelled]]) -> list[dict[str, Any]]:
    """Return the standard scores on these files that follow from NAB's published ones by file."""
    return [
        {
            "detector": name,
            "files": part,
            "score": normalised(sum(RAW[series.name][k] for series in files), files, PROFILES["standard"]),
        }
        for k, name in enumerate(OTHERS)
        for part, files in parts.items()
        if all(series.name in RAW for series in files)
    ]


def _file_row(series: Labelled, score: F64, threshold: float, tuning: bool) -> dict[str, Any]:
    told = np.flatnonzero(score >= threshold)
    told = told[told >= series.probation]
    hit = [any(first <= row <= last for row in told) for first, last in series.windows]
    inside = sum(any(first <= row <= last for first, last in series.windows) for row in told)
    days = (series.times_s[-1] - series.times_s[series.probation]) / 86_400.0
    found = curve([series], {series.name: score}, PROFILES["standard"])
    raw = found.at(threshold)
    return {
        "file": series.name,
        "part": "tuning" if tuning else "held out",
        "windows": len(series.windows),
        "found": sum(hit),
        "false_alarms": len(told) - inside,
        "false_alarms_a_day": (len(told) - inside) / days,
        "raw": raw,
        "score": normalised(raw, [series], PROFILES["standard"]),
    }
