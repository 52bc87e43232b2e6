"""The ceiling on a process's memory (R42)."""

from __future__ import annotations

from tiertwin.runtime.ceiling import ALLOWED_MB, Ceiling


def test_growth_counts_from_when_everything_was_built():
    now = [900.0]
    ceiling = Ceiling(resident=lambda: now[0])
    assert ceiling.exceeded() == 0.0  # it has not begun
    ceiling.begin()
    now[0] = 900.0 + ALLOWED_MB
    assert ceiling.exceeded() == 0.0
    now[0] += 0.5
    assert ceiling.exceeded() == now[0]
    now[0] = 200.0
    assert ceiling.exceeded() == 0.0


def test_where_the_system_does_not_say_there_is_no_ceiling():
    ceiling = Ceiling(resident=lambda: 0.0)
    ceiling.begin()
    assert ceiling.exceeded() == 0.0


def test_it_sees_this_process():
    ceiling = Ceiling(allowed_mb=20.0)
    ceiling.begin()
    held = bytearray(40_000_000)
    for k in range(0, len(held), 4096):
        held[k] = 1
    assert ceiling.exceeded() > 20.0
