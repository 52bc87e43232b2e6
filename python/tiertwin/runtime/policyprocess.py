"""A process that runs one policy that needs no tree, twins and plant together, and tells of every epoch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiertwin.errors import ProcessError
from tiertwin.runtime import logs
from tiertwin.runtime.childconfig import settings_from_plain
from tiertwin.runtime.control import Collected, Stop
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.memory import high_water_mb
from tiertwin.runtime.tree import make_host
from tiertwin.world.stored import stored_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin.runtime.child import Pipe
    from tiertwin.runtime.childconfig import ChildConfig


def run_policy(config: ChildConfig, pipe: Pipe) -> None:
    """Run all epochs, as fast as the launcher takes what is told; then wait to be stopped."""
    wanted = config.policy
    assert wanted is not None
    world, settings = stored_world(Path(wanted.world), access=True), settings_from_plain(wanted.settings)
    run = InProcessRun(make_host(world, settings, _Nobody()), world, settings.rhythm)
    for epoch in range(wanted.epochs):
        logs.began(epoch)
        began = time.monotonic()
        run.run_epoch(epoch)
        seconds = time.monotonic() - began
        kpis, truth = run.plant_books()
        pipe.tell(Collected(run.take_records(), run.observe(), kpis, truth, high_water_mb(), seconds))
    while (message := pipe.reader.wait()) is not None and not isinstance(message, Stop):
        raise ProcessError(f"expected to be stopped, got {type(message).__name__}")
    logs.info("stopped", peak_mb=round(high_water_mb(), 1))


class _Nobody:
    """Solves no master problem: only the policy `hierarchical` has any."""

    def start(self, node: str, ticket: int, requests: Sequence[Any]) -> None:
        raise ProcessError(f"{node}: a policy without a tree has no master problem, yet it asked for {len(requests)}")

    def answers(self, node: str, ticket: int) -> list[Any]:
        raise ProcessError(f"{node}: a policy without a tree has no master problem, yet it waits for {ticket}")
