"""How a simulated plant behaves where a world does not say: radio under load, disciplines, buffers, telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from tiertwin.plant.faults import faults_of
from tiertwin.plant.reports import F64
from tiertwin.plant.surroundings import rules_of, stations_of, wear_of, weather_of


@dataclass(frozen=True, slots=True)
class PlantOptions:
    """Knobs of `SimulatedPlant`; the defaults are those of the built-in scenarios."""

    report_s: float = 1.0
    """Period of every device, server and link report; 0: no telemetry."""
    delay_s: tuple[float, float] = (0.020, 0.080)
    """Least and most time a report is under way; uniform between."""
    loss: float = 0.01
    """Share of reports that never arrive."""
    noise: float = 0.03
    """Relative standard deviation of measured values."""
    clock_offset_s: float = 0.050
    """Every device clock is off by a fixed amount, uniform within plus and minus this."""
    radio_factor: tuple[float, ...] = (1.0, 1.0, 0.98, 0.96, 0.94, 0.92, 0.89, 0.86, 0.83, 0.80)
    """Factor on the ring rates in equal bins of the site's airtime load: interference grows with use (our table)."""
    radio_window_s: float = 1.0
    """Over which the airtime load is measured."""
    radio: Literal["ps", "fifo"] = "ps"
    """Airtime is shared equally by all uplinks of a site, or given to one after the other."""
    servers: Literal["weighted", "ps", "fifo"] = "weighted"
    """Cores are shared by what each site and class was granted (`SimulatedPlant.set_site_shares`), or equally by all
    tasks (a task has at most one either way), or given to one task after the other."""
    links: Literal["weighted", "fifo"] = "weighted"
    """Links are shared by what each site and class was granted, or send one task after the other."""
    buffer_s: float = 10.0
    """A queue refuses a task (it is lost) when the work in it would take longer; infinity allowed."""
    server_idle_w_per_core: float = 2.0
    """Idle power, charged to tasks in proportion to their work on a full server."""
    link_j_per_mb: float = 0.01
    """Energy of a megabit over a link."""
    exponential_sizes: bool = False
    """Draw sizes of tasks exponentially (mean of the class) instead of fixed."""
    traces: Mapping[int, tuple[F64, float]] = field(default_factory=dict)
    """Class → (times of its tasks, s, ascending; repeat after s, or 0 to play once): instead of its random arrivals."""

    wear: Mapping[str, Any] | None = None
    """Parts that fail and wear (`tiertwin.plant.surroundings`); without it nothing fails by itself."""
    weather: Mapping[str, Any] | None = None
    """Rain and microwave links; without it the sky is clear."""
    stations: Mapping[str, Any] | None = None
    """Base stations, their energy and sleep; without it neither is counted."""

    faults: Mapping[str, Any] | None = None
    """Faults injected (`tiertwin.plant.faults`), and counters of links and servers; without it there are neither."""

    access: Mapping[str, Any] | None = None
    """Where the world has a radio access: ``radio`` and ``secrets``, fields of `AccessRadio` and `AccessSecrets` that
    are not to have their defaults; ``record``: keep what every packet met. Secrets are on by default."""

    @classmethod
    def of(cls, world: Any, **changes: Any) -> PlantOptions:
        """Return the options that the sections of a world's scenario ask for, with `changes`."""
        section = getattr(getattr(world, "scenario", None), "telemetry", None)
        options = cls(
            wear=wear_of(world),
            weather=weather_of(world),
            stations=stations_of(world),
            faults=faults_of(world),
            access=rules_of(world),
        )
        if section is not None:
            low_ms, high_ms = section.delay_ms
            options = replace(
                options,
                report_s=float(section.period_s),
                delay_s=(low_ms / 1e3, high_ms / 1e3),
                loss=float(section.loss),
                noise=float(section.noise),
                clock_offset_s=section.clock_offset_ms / 1e3,
            )
        return replace(options, **changes)

    def with_traces_of(self, world: Any) -> PlantOptions:
        """Return the options with the traces of the world's classes, where they do not have one for a class."""
        pairs = zip(getattr(world, "trace_s", ()), getattr(world, "trace_repeat_s", ()), strict=True)
        own = {c: (times, float(repeat)) for c, (times, repeat) in enumerate(pairs) if len(times)}
        return replace(self, traces={**own, **self.traces})

    def trace_arrays(self, classes: int) -> tuple[np.ndarray[Any, Any], F64, F64]:
        """Return offsets [C + 1], times and repeat periods [C] of the traces."""
        times = [
            np.asarray(self.traces[c][0], dtype=np.float64) if c in self.traces else np.empty(0) for c in range(classes)
        ]
        ptr = np.cumsum([0, *(len(t) for t in times)], dtype=np.int64)
        repeat = np.array([self.traces[c][1] if c in self.traces else 0.0 for c in range(classes)], dtype=np.float64)
        return ptr, np.concatenate(times), repeat
