"""Reads the PetShop data set: issues of a web shop of 41 microservices, metrics every 5 minutes, the injected cause.

M. Hardt, W. R. Orchard, P. Blöbaum, E. Kirschbaum, S. Kasiviswanathan, The PetShop Dataset: Finding Causes of
Performance Issues across Microservices, CLeaR 2024 (arXiv 2311.04806), CC BY 4.0. Layout as published: a folder a
traffic scenario with ``graph.csv`` (who calls whom), ``noissue/metrics.csv`` (normal days; not in every extract) and
``train|test/issue_N/{metrics.csv, target.json}``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiertwin.errors import InputError
from tiertwin.study.datafolder import DataMissingError, Place, places

F64 = NDArray[np.float64]
METRICS = ("latency", "availability")  # those that issues are reported in
ARCHIVE = "petshop_temporal.zip"


@dataclass(frozen=True, eq=False)
class Metrics:
    """One table of metrics.

    Parameters
    ----------
    time_s
        Begin of each window of 5 minutes, Unix time, [T].
    values
        By (metric, statistic): [T, services], NaN where nothing was measured.
    """

    time_s: F64
    values: dict[tuple[str, str], F64]


@dataclass(frozen=True, eq=False)
class Issue:
    """One injected issue: what was reported where, when, and which service was the cause."""

    name: str
    split: str
    node: int
    metric: str
    statistic: str
    time_s: float
    cause: int
    metrics: Metrics


@dataclass(frozen=True, eq=False)
class Shop:
    """One traffic scenario: `calls[a, b]`: service a calls service b."""

    name: str
    services: tuple[str, ...]
    calls: NDArray[np.bool_]
    issues: tuple[Issue, ...]
    normal: Metrics | None


def shops(data: Path) -> list[Shop]:
    """Return all scenarios in a folder or archive, by name; DataMissingError: there is none."""
    for place in places(data, ARCHIVE):
        found = [_shop(folder) for folder in _folders(place)]
        if found:
            return found
    raise DataMissingError(
        f"No graph.csv of the PetShop data in {data}: expected its folder 'dataset' as published at "
        f"github.com/amazon-science/petshop-root-cause-analysis, or an archive of it ({ARCHIVE})."
    )


def _folders(root: Place, depth: int = 0) -> Iterator[Place]:
    if (root / "graph.csv").is_file():
        yield root
    elif depth < 3:
        for child in sorted((c for c in root.iterdir() if c.is_dir()), key=lambda c: c.name):
            yield from _folders(child, depth + 1)


def _shop(folder: Place) -> Shop:
    rows = _table(folder / "graph.csv")
    services = tuple(rows[0][1:])
    number = {name: k for k, name in enumerate(services)}
    if [row[0] for row in rows[1:]] != list(services):
        raise InputError("expected the same services in rows and columns, in one order", f"{folder / 'graph.csv'}")
    try:
        calls = np.array([[float(cell or 0.0) for cell in row[1:]] for row in rows[1:]]) > 0.0
    except ValueError as error:
        raise InputError(f"expected numbers, {error}", f"{folder / 'graph.csv'}") from None
    issues = [
        _issue(issue, split, number)
        for split in ("train", "test")
        for issue in sorted(_children(folder / split), key=lambda f: f.name)
    ]
    normal = folder / "noissue" / "metrics.csv"
    return Shop(folder.name, services, calls, tuple(issues), _metrics(normal, number) if normal.is_file() else None)


def _children(folder: Place) -> list[Place]:
    return [c for c in folder.iterdir() if (c / "target.json").is_file()] if folder.is_dir() else []


def _issue(folder: Place, split: str, number: dict[str, int]) -> Issue:
    where = f"{folder / 'target.json'}"
    try:
        told = json.loads((folder / "target.json").read_text(encoding="utf-8"))
        target, cause = told["target"], told["root_cause"]["node"]
        node, metric, statistic, time_s = target["node"], target["metric"], target["agg"], float(target["timestamp"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"expected target (node, metric, agg, timestamp) and root_cause.node; {error!r}", where
        ) from None
    for name in (node, cause):
        if name not in number:
            raise InputError(f"service {name!r} is not in graph.csv", where)
    metrics = _metrics(folder / "metrics.csv", number)
    if (metric, statistic) not in metrics.values:
        raise InputError(f"metric {metric!r} ({statistic}) is not in metrics.csv", where)
    return Issue(folder.name, split, number[node], metric, statistic, time_s, number[cause], metrics)


def _metrics(file: Place, number: dict[str, int]) -> Metrics:
    rows = _table(file)
    if len(rows) < 5 or len({len(row) for row in rows[:3]}) != 1:
        raise InputError("expected three header rows (service, metric, statistic), a name row and samples", f"{file}")
    columns = list(zip(rows[0][1:], rows[1][1:], rows[2][1:], strict=True))
    samples = rows[3:] if _is_number(rows[3][0]) else rows[4:]
    try:
        time_s = np.array([float(row[0]) for row in samples])
        cells = np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in samples])
    except ValueError as error:
        raise InputError(f"expected numbers; {error}", f"{file}") from None
    if cells.shape != (len(samples), len(columns)) or (np.diff(time_s) <= 0).any():
        raise InputError("expected as many cells in each row as in the header, and rising times", f"{file}")
    values: dict[tuple[str, str], F64] = {}
    for column, (service, metric, statistic) in enumerate(columns):
        if service in number:
            table = values.setdefault((metric, statistic), np.full((len(samples), len(number)), np.nan))
            table[:, number[service]] = cells[:, column]
    return Metrics(time_s, values)


def _table(file: Place) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read; {error}", f"{file}") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
