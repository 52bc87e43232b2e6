"""A tree of processes under the real clock, with the telemetry of one site measured on this very host.

The twins of `metro` run in ten processes. Eleven sites are simulated; the twelfth, Centre, is this machine: the load
of its processors and the bytes of its network interfaces, read from the operating system once a report.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from tiertwin.runtime.livetree import LiveTree, Measured
from tiertwin.twin.layout import Layout

EPOCHS = 4


class ThisHost:
    """Reads /proc; obeys nothing, only notes what it was told."""

    def __init__(self, layout: Layout) -> None:
        self.server, self.links = layout.server_rows[:1], layout.link_rows
        self.told = 0
        self.bytes, self.at = self.interface_bytes(), time.monotonic()

    def interface_bytes(self) -> int:
        lines = Path("/proc/net/dev").read_text().splitlines()[2:]
        return sum(int(line.split(":")[1].split()[8]) for line in lines)  # sent, all interfaces

    def read(self) -> Iterator[Measured]:
        yield Measured("load_ghz", self.server, [os.getloadavg()[0] * 2.0])
        sent, now = self.interface_bytes(), time.monotonic()
        mbps = 8e-6 * (sent - self.bytes) / max(now - self.at, 1e-3)
        self.bytes, self.at = sent, now
        yield Measured("background_mbps", self.links, [mbps / len(self.links)] * len(self.links))

    def act(self, wanted: object) -> None:
        self.told += 1


with LiveTree("metro", own=["plant-centre"], seed=7) as tree:
    layout = tree.layout_of("plant-centre")
    host = ThisHost(layout)
    source = tree.source("plant-centre", host)
    decided = 0
    for epoch in range(EPOCHS):
        source.run_until(tree.end_of(epoch))
        decided += "certified_gap" in tree.epoch(epoch).values
    print(f"the tree decided      {decided > 0}")
    print(f"our gateway knows us  {source.live}")
    print(f"set-points came down  {host.told > 0}")
