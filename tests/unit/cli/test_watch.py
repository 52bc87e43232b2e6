"""The live view on wide and narrow terminals."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tiertwin.cli.watch import draw
from tiertwin.world import World, load, resolve


@pytest.fixture(scope="module")
def germany() -> World:
    return resolve(load("germany50"))


def shown(world: World, width: int, policy: str = "hierarchical", **values: float) -> list[str]:
    """Lines of the live view on a terminal of `width` columns."""
    servers = world.site_count + world.fog_count + 1
    row: Any = SimpleNamespace(
        epoch=8,
        kpis=SimpleNamespace(server_utilisation=np.linspace(0.0, 1.0, servers)),
        values={"deadline_miss_ratio": 0.0177, "offered_tasks_per_s": 123_456.0, "aoi_p99_ms": 1353.0, **values},
    )
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    console.print(draw(policy, row, world, 60, width))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("width", [40, 60, 80, 132])
def test_every_site_keeps_its_figure_on_its_line(germany: World, width: int) -> None:
    """Nothing is broken in the middle: names stand beside their bars, facts in one piece."""
    lines = shown(germany, width, certified_gap=0.00236)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for fact in ("epoch 9/60", "certified gap 0.236 %", "misses 1.77 %", "age p99 1353 ms", "load 123456 tasks/s"):
        assert fact in text
    for twin in germany.twins:
        if twin.tier == 1:
            name = twin.name.removeprefix("edge-")[:12]
            (line,) = [line for line in lines if f" {name}" in line and "fog-" not in line]
            after = line.partition(name)[2]
            assert after.split("%")[0][2:].strip(" █░").isdigit()  # two letters more on a wide terminal


def test_a_wide_terminal_is_used(germany: World) -> None:
    assert len(shown(germany, 132)) < len(shown(germany, 60)) < len(shown(germany, 40))


def test_a_policy_may_be_called_anything(germany: World) -> None:
    assert "[bold]mine[/]" in shown(germany, 80, policy="[bold]mine[/]")[0]
