"""The table of KPIs: unit, direction and definition of every figure a run reports; `kpis.py` looks things up in it.

What the plant counts is in `plantkpis.py`; here is what twins, certificates and runs say of themselves.
"""

from __future__ import annotations

from tiertwin.model.kpi import Kpi
from tiertwin.model.plantkpis import PLANT_KPIS

_TWIN = (
    Kpi(
        "aoi_p99_ms",
        "ms",
        "lower",
        "both",
        "Age of information, p99",
        "99th percentile of now − sample time over the task rates that the edge twins hold, at the end of the epoch; "
        "run: median over epochs.",
    ),
    Kpi(
        "state_error",
        "ratio",
        "lower",
        "both",
        "State error",
        "Σ |believed − true| / Σ true of the groups' mean task rates that decisions used; run: mean over epochs.",
    ),
)

_CERTIFICATE = (
    Kpi(
        "lower_bound",
        "utils/s",
        "",
        "both",
        "Lower bound",
        "Value of the feasible plan the root can guarantee from the points it holds; run: mean over epochs.",
    ),
    Kpi(
        "upper_bound",
        "utils/s",
        "",
        "both",
        "Upper bound",
        "Best value any allocation can have by the cuts the root holds; run: mean over epochs.",
    ),
    Kpi(
        "scale",
        "utils/s",
        "",
        "both",
        "Scale S",
        "S = Σ w q^(1−α) at the current plan: what serving everybody 1 % more is worth, times 100; the divisor of "
        "the certified gap; run: mean over epochs.",
    ),
    Kpi(
        "reference",
        "utils/s",
        "",
        "epoch",
        "Monolithic reference",
        "Value of the one problem over exactly the rows and data versions the leaves used; absent in an epoch in "
        "which it was not solved or its own gap exceeded 1e-5 S.",
    ),
    Kpi("certified_gap", "ratio", "lower", "epoch", "Certified gap", "(upper bound − lower bound) / scale."),
    Kpi(
        "certified_gap_median",
        "ratio",
        "lower",
        "run",
        "Certified gap, median",
        "Median over epochs of (upper bound − lower bound) / scale.",
    ),
    Kpi(
        "gap_of_improvement",
        "ratio",
        "lower",
        "epoch",
        "Gap of improvement",
        "(upper bound − lower bound) / (upper bound − value with all quotas 0): the part of the benefit of "
        "cooperation not yet secured. Stricter than the certified gap.",
    ),
    Kpi(
        "gap_of_improvement_median",
        "ratio",
        "lower",
        "run",
        "Gap of improvement, median",
        "Median over epochs of the gap of improvement.",
    ),
    Kpi("rounds", "rounds", "lower", "epoch", "Rounds", "Rounds of quotas down and cuts up used in the epoch."),
    Kpi(
        "rounds_cold",
        "rounds",
        "lower",
        "run",
        "Rounds, cold",
        "Rounds of the first epoch, which starts without cuts or points.",
    ),
    Kpi(
        "rounds_warm_median",
        "rounds",
        "lower",
        "run",
        "Rounds, warm",
        "Median of rounds over the later epochs, which start from a refresh.",
    ),
)

_COST = (
    Kpi(
        "bytes",
        "B",
        "lower",
        "run",
        "Bytes on the wire",
        "Bytes of frames sent during the run, an object by tier pair (device-edge, edge-fog, fog-cloud), each with "
        "up and down.",
    ),
    Kpi("bytes_up", "B", "lower", "epoch", "Bytes up", "Bytes of frames sent towards the parent, by the lower tier."),
    Kpi("bytes_down", "B", "lower", "epoch", "Bytes down", "Bytes of frames sent to the lower tier by its parent."),
    Kpi(
        "solver_steps",
        "steps",
        "lower",
        "both",
        "Solver ladder steps",
        "Answers that did not come from the first solver of the ladder but from a later step; run: sum.",
    ),
    Kpi(
        "local_policy_epochs",
        "twin epochs",
        "lower",
        "both",
        "Epochs on local policy",
        "Epochs times twins in which a twin's lease had lapsed and it followed its local policy; run: sum.",
    ),
    Kpi(
        "guard_refusals",
        "plans",
        "",
        "epoch",
        "Plans refused by the guard",
        "Plans not sent because the twin's model predicted them worse than the standing one.",
    ),
    Kpi(
        "twin_cpu_s",
        "s",
        "lower",
        "run",
        "Twin CPU time",
        "CPU time of twins, orchestrators and solvers (user + system), without the plant.",
    ),
    Kpi(
        "twin_peak_rss_mb",
        "MB",
        "lower",
        "run",
        "Twin peak memory",
        "Peak resident memory in 10⁶ bytes: of the process, plant included; of a tree, summed over its processes.",
    ),
    Kpi(
        "twin_energy_j",
        "J",
        "lower",
        "run",
        "Twin energy",
        "Energy of the twin itself: its CPU time times the stated power of a core.",
    ),
    Kpi(
        "wall_s_per_epoch",
        "s",
        "lower",
        "run",
        "Wall time per epoch",
        "Wall time of the run divided by epochs, plant included; in a process of its own as measured there. "
        "Differs between machines; never part of the log.",
    ),
    Kpi("wall_s", "s", "lower", "epoch", "Wall time", "Wall time of the epoch, plant included."),
)

_LOAD = (
    Kpi(
        "offered_tasks_per_s",
        "tasks/s",
        "",
        "epoch",
        "Offered load",
        "Tasks created per second by the devices of the twin's domain, or of the whole network.",
    ),
)

_FAULTS = (
    Kpi(
        "faults",
        "faults",
        "",
        "both",
        "Faults injected",
        "Injected faults that last as the epoch begins; run: that came. Where the scenario has faults or assurance.",
    ),
    Kpi(
        "faults_detected",
        "faults",
        "higher",
        "run",
        "Faults detected",
        "Injected faults during which the twins raised an alarm, about whatever part.",
    ),
    Kpi(
        "detection_delay_s",
        "s",
        "lower",
        "run",
        "Detection delay",
        "Mean time from the start of an injected fault to the first alarm raised while it lasts, over those detected.",
    ),
    Kpi(
        "alarms",
        "alarms",
        "",
        "both",
        "Alarms raised",
        "Alarms that fogs and cloud raised, repeats not counted; run: sum.",
    ),
    Kpi(
        "incidents",
        "incidents",
        "",
        "both",
        "Incidents opened",
        "Incidents that alarms were put into as they opened; run: sum.",
    ),
    Kpi(
        "causes_named",
        "causes",
        "",
        "run",
        "Causes named",
        "Records of a cause held to be there, those with a probability told anew included.",
    ),
    Kpi(
        "false_alarms_per_day",
        "1/d",
        "lower",
        "run",
        "False alarms a day",
        "Alarms raised while no injected fault lasts nor one was over for less than 30 s, per day of such time; those "
        "of rain and wear among them, which are no false ones.",
    ),
)

KPIS: tuple[Kpi, ...] = PLANT_KPIS + _TWIN + _CERTIFICATE + _COST + _LOAD + _FAULTS
"""Every KPI, in the order in which tables print them."""
