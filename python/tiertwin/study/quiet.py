"""False alarms a day: the plant with all of its twins and no fault, for as long as is affordable.

Runs of `RUN_S` one after the other, each with a seed of its own and with the time to get warm left out; day flat at its
mean, telemetry lost as in `study localise`; decisions every `DECIDE_EVERY` base epochs, as deciding takes half of the
time. What a day may have at most is the exact bound of a Poisson count (95 %, one-sided): of no alarm at all the rule
of three, 3 over the time watched.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.runtime.sidebyside import SideBySide
from tiertwin.study.localise import WARM_S, prepared, quiet_figures
from tiertwin.world import load

if TYPE_CHECKING:
    from tiertwin.model import Scenario

RUN_S, DECIDE_EVERY = 900, 4


def quiet_study(
    scenario: Scenario,
    hours: float,
    seed: int = 1,
    loss: float = 0.1,
    jobs: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Return what `localise.quiet_figures` counts, and ``runs``.

    Parameters
    ----------
    scenario
        Its day is made flat at the daily mean.
    hours
        Watched in all, > 0; rounded up to whole epochs.
    seed
        Of the first run; the others follow it.
    loss
        Share of telemetry lost, 0 … 1.
    jobs
        Runs at a time; by default as many as there are cores.

    Raises
    ------
    InputError
        No time, or a loss out of range.
    """
    if not (np.isfinite(hours) and hours > 0.0) or not 0.0 <= loss < 1.0:
        raise InputError(f"expected hours above 0 and a loss of 0 … 1, got {hours} and {loss}", "quiet_study")
    watched = prepared(scenario, loss, seed, DECIDE_EVERY)
    written = load(watched, faults={"events": []}).model_dump(mode="json")
    epochs = ceil(hours * 3600.0 / watched.base_epoch_s)
    parts = [min(RUN_S, epochs - start) for start in range(0, epochs, RUN_S)]
    wanted = [
        {"scenario": written, "seed": seed + k, "epochs": WARM_S + part, "for_s": 0, "looks": []}
        for k, part in enumerate(parts)
    ]
    answers = []
    with SideBySide("tiertwin.study.faultruns", jobs) as workers:
        for number, answer in enumerate(workers.run(wanted)):
            answers.append(answer)
            say(f"run {number + 1} of {len(parts)}: {sum(up for *_, up in answer['alarms'])} alarms raised")
    return {"runs": len(parts), "seed": seed, "loss": loss, **quiet_figures(answers, watched.base_epoch_s)}
