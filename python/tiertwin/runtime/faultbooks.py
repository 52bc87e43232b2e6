"""What watching was worth over a run: alarms and causes as they were told, held against the faults that were injected.

    detected       an alarm was raised while the fault lasted; its delay: from the fault's start to the first of them
    false alarm    one raised while there was no fault, nor one over for less than `SETTLE_S`: queues empty slowly

Which part an alarm is about is not asked here (`tiertwin study localise` asks), so with faults at once one may be
counted as detected by the other's alarm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tiertwin.plant import PlantKpis

SETTLE_S = 30.0
DAY_S = 86_400.0


@dataclass
class FaultBooks:
    """Collects a run's alarms, incidents and causes, and the plant's truth of its faults."""

    faults: set[tuple[float, float]] = field(default_factory=set)
    alarms_s: list[float] = field(default_factory=list)
    incidents: int = 0
    causes: int = 0
    watched: bool = False
    end_s: float = 0.0

    def add(self, kpis: PlantKpis, lines: Iterable[Mapping[str, Any]], start_s: float) -> dict[str, float]:
        """Take an epoch that began at `start_s` (plant time); return its figures, none where nobody watches."""
        self.end_s = kpis.to_ns * 1e-9
        if kpis.faults is None:
            return {}
        self.watched = True
        self.faults |= {(float(start), float(end)) for start, end in kpis.faults}
        alarms = incidents = causes = 0
        for line in lines:
            alarms += line["what"] == "alarm" and bool(line["raised"])
            incidents += line["what"] == "incident" and bool(line["open"])
            causes += line["what"] == "cause" and "over" not in line
        self.alarms_s += [start_s] * alarms
        self.incidents += incidents
        self.causes += causes
        lasting = sum(begin <= start_s < end for begin, end in self.faults)
        return {"faults": float(lasting), "alarms": float(alarms), "incidents": float(incidents)}

    def summary(self) -> dict[str, Any]:
        """Return the run's figures, none where nobody watches."""
        if not self.watched:
            return {}
        delays = [delay for fault in self.faults if (delay := self._delay(*fault)) is not None]
        quiet_s, false = self._quiet()
        return {
            "faults": len(self.faults),
            "faults_detected": len(delays),
            "detection_delay_s": float(np.mean(delays)) if delays else None,
            "alarms": len(self.alarms_s),
            "incidents": self.incidents,
            "causes_named": self.causes,
            "false_alarms_per_day": false * DAY_S / quiet_s if quiet_s > 0.0 else None,
        }

    def _delay(self, start: float, end: float) -> float | None:
        during = [at - start for at in self.alarms_s if start <= at <= end]
        return min(during, default=None)

    def _quiet(self) -> tuple[float, int]:
        """Return the seconds without a fault, and the alarms raised in them."""
        busy = sorted((start, min(end + SETTLE_S, self.end_s)) for start, end in self.faults)
        taken = reach = 0.0
        for start, end in busy:
            taken += max(0.0, end - max(start, reach))
            reach = max(reach, end)
        false = sum(not any(start <= at < end for start, end in busy) for at in self.alarms_s)
        return max(self.end_s - taken, 0.0), false
