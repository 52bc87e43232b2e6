"""The 5G trace data set of University College Cork, gathered into one table.

Its column ``trace`` names the file a row was in; each is a user here.

D. Raca, D. Leahy, C. J. Sreenan, J. J. Quinlan, "Beyond Throughput, The Next Generation: A 5G Dataset with Channel and
Context Metrics", ACM MMSys 2020.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiertwin.plant.traces.csvfile import CsvColumns, CsvTrace
from tiertwin.plant.traces.source import Source

UCC_COLUMNS = CsvColumns(
    time="Timestamp",
    user="trace",
    lat="Latitude",
    lon="Longitude",
    speed="Speed",
    speed_unit_mps=1.0 / 3.6,
    time_format="%Y.%m.%d_%H.%M.%S",
)


def ucc_drives(source: Source, *, numbers: Sequence[str] = (), words: Sequence[str] = ()) -> CsvTrace:
    """Return a reader of the drives, a user each.

    Stamps are whole seconds, so that some rows repeat one: left out and counted, as are gaps of more than 10 s.
    """
    return CsvTrace(source, UCC_COLUMNS, numbers=numbers, words=words, policy="skip", max_gap_s=10.0)
