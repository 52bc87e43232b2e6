"""Traces of movement: SUMO's floating car data and tables of positions, read in bounded memory, and replayed.

reader = SumoTrace("fcd.xml")                    # or CsvTrace("drive.csv.gz", CsvColumns(...))
replay = Replay(reader, max_gap_s=10.0)          # any time; or StreamReplay: forwards, in bounded memory
x, y = replay.at(37.5)                           # m, NaN where a user is not known to be
"""

from __future__ import annotations

from tiertwin.plant.traces.batch import Skips, TraceBatch
from tiertwin.plant.traces.csvfile import CsvColumns, CsvTrace
from tiertwin.plant.traces.replay import Replay, StreamReplay, TraceMobility
from tiertwin.plant.traces.sumo import SumoTrace
from tiertwin.plant.traces.ucc import ucc_drives

__all__ = [
    "CsvColumns",
    "CsvTrace",
    "Replay",
    "Skips",
    "StreamReplay",
    "SumoTrace",
    "TraceBatch",
    "TraceMobility",
    "ucc_drives",
]
