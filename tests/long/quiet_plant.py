"""False alarms of the stream detector on the plant without faults: what twins believed and how full links were.

    python tests/long/quiet_plant.py RUN…      # run directories, e.g. of `tiertwin run metro --epochs 120 --out RUN`

One sample an epoch (1 s). No season is long enough to be learnt here, so none is judged by. Prints, for thresholds 3, 4
and 5, alarms and alarms a million samples judged; series that never moved are not counted.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import numpy as np

from tiertwin.functions.assure.streams import StreamOptions, Streams

QUERIES = {
    "beliefs": "SELECT twin, entity, attribute, epoch, value FROM belief WHERE policy = 'hierarchical'",
    "links": "SELECT link, a, b, epoch, utilisation FROM link WHERE policy = 'hierarchical'",
}


def matrix(run: Path, query: str) -> np.ndarray:
    with duckdb.connect(str(run / "history.duckdb"), read_only=True) as store:
        rows = store.execute(query).fetchall()
    series = {key: k for k, key in enumerate(dict.fromkeys(row[:3] for row in rows))}
    values = np.full((max(row[3] for row in rows) + 1, len(series)), np.nan)
    for *key, epoch, value in rows:
        values[epoch, series[tuple(key)]] = np.nan if value is None else value
    return values[:, np.nanstd(values, axis=0) > 0.0].copy()


def main() -> None:
    print(f"{'what':8} {'series':>6} {'samples judged':>14} {'least':>5} {'alarms':>6} {'a million':>9}")
    for what, query in QUERIES.items():
        runs = [matrix(Path(run), query) for run in sys.argv[1:]]
        for least in (3.0, 4.0, 5.0):
            options = StreamOptions(least=least, seasons=(), recur=0.0)
            alarms = judged = 0
            for values in runs:
                told = Streams(values.shape[1], options).push(values, np.arange(float(len(values))))[1]
                alarms += int((told > 0.0).sum())
                judged += int(np.isfinite(values[options.warm + 1 :]).sum())
            series = sum(values.shape[1] for values in runs)
            print(f"{what:8} {series:6} {judged:14} {least:5} {alarms:6} {1e6 * alarms / judged:9.0f}")


if __name__ == "__main__":
    main()
