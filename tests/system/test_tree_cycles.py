"""Started and stopped again and again, a tree hangs never and leaves nothing open (P15); 200 times in tests/long."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from support.cycles import LEANEST, cycle
from support.facilities import needs
from support.processes import descriptors, open_listeners

pytestmark = [pytest.mark.system, pytest.mark.processes]


@pytest.mark.timeout(400)
def test_twenty_starts_and_stops(tmp_path: Path) -> None:
    needs("proc")
    cycle(tmp_path / "first", LEANEST)  # what is opened once and kept
    gc.collect()
    before = descriptors()
    for k in range(20):
        done = cycle(tmp_path / str(k), LEANEST)
        assert done.killed == []  # every child ended when told, the watchdog never fired
        assert done.broke == []
        assert not done.listening & open_listeners()
        assert descriptors() == before
