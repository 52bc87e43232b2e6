"""A storm of alarms into incidents, and streams judged: time, and memory that stays. No peer: rates are our own.

`alarms/storm/N`: N events of 40 faults over 10 000 objects and 8 causes within 3 s, in calls of 10 000; the check
asserts one incident a fault with all its objects, and that the log holds what it held before the first event (but for
the records of incidents). `alarms/streams/S`: 2 000 rows of S series; the check asserts that an injected spike alarms
everywhere and that memory stays.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from typing import Any

import numpy as np

FAULTS, OBJECTS = 40, 10_000


def storm(events: int) -> dict[str, Any]:
    from tiertwin.functions.assure.incidents import Incidents

    rng = np.random.default_rng(1)
    names = [f"n{k}" for k in range(OBJECTS)]
    size = OBJECTS // FAULTS
    log = Incidents(names, [(names[k], names[k - 1]) for k in range(OBJECTS) if k % size], window_s=5.0)
    stamps = np.sort(rng.integers(0, 3 * 10**9, events))
    obj, cause = rng.integers(0, OBJECTS, events), rng.integers(0, len(log.causes), events)
    severity = rng.integers(1, 6, events)
    before = log.memory_bytes()
    begun = time.process_time()
    for k in range(0, events, 10_000):
        log.push(*(column[k : k + 10_000] for column in (stamps, obj, cause, severity)))
    seconds = time.process_time() - begun
    found = log.open()
    assert len(found) == FAULTS, len(found)
    for incident in found:
        assert len({int(alarm.object_instance[1:]) // size for alarm in incident.alarms}) == 1
    assert sum(len({alarm.object_instance for alarm in i.alarms}) for i in found) == len(set(obj.tolist()))
    after = log.memory_bytes()
    assert after - before < 100 * OBJECTS
    return {"name": f"alarms/storm/{events}", "seconds": seconds, "per_s": events / seconds, "bytes": after}


def streams(series: int, rows: int = 2000) -> dict[str, Any]:
    from tiertwin.functions.assure.streams import Streams

    rng = np.random.default_rng(2)
    values, times = rng.standard_normal((rows, series)), np.arange(rows, dtype=np.float64) * 300.0
    values[1500] += 25.0
    watch = Streams(series)
    before = watch.memory_bytes()
    begun = time.process_time()
    _, alarm = watch.push(values, times)
    seconds = time.process_time() - begun
    assert (alarm[1500] > 0.0).all()
    assert watch.memory_bytes() == before
    return {
        "name": f"alarms/streams/{series}",
        "seconds": seconds,
        "per_s": rows * series / seconds,
        "bytes": before,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round instead of five")
    parser.add_argument("--json", action="store_true", help="one JSON object a case")
    asked = parser.parse_args()
    for case, size in ((storm, 1_000_000), (streams, 100)):
        rounds = [case(size) for _ in range(1 if asked.quick else 5)]
        times = sorted(row["seconds"] for row in rounds)
        row = rounds[0] | {"seconds": statistics.median(times), "least_s": times[0], "most_s": times[-1]}
        row |= {"per_s": rounds[0]["seconds"] * rounds[0]["per_s"] / row["seconds"]}
        row["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        shown = f"{row['name']:24} {row['seconds']:7.3f} s CPU ({row['least_s']:.3f} … {row['most_s']:.3f})"
        print(json.dumps(row) if asked.json else f"{shown}  {row['per_s']:12,.0f}/s  {row['bytes'] / 1e6:.1f} MB held")


if __name__ == "__main__":
    main()
