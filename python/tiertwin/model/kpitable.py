"""The table of KPIs: unit, direction and definition of every figure a run reports; `kpis.py` looks things up in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", ""]
Per = Literal["run", "epoch", "both"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI.

    Parameters
    ----------
    name
        Its fixed name, in JSON, SQL and Python.
    unit
        Unit of the value; ``ratio`` is dimensionless (0.01 is 1 %).
    better
        Which direction is better; empty where neither is (a bound, a scale).
    per
        ``epoch``: a row of the history; ``run``: a value of ``policies.<name>`` in the JSON object; ``both``: both.
    title
        What a table or a chart calls it.
    definition
        What exactly is counted, over what, and by whom.
    """

    name: str
    unit: str
    better: Better
    per: Per
    title: str
    definition: str


# The plant's figures are counted by the plant, which knows the truth; twins only see telemetry.
_PLANT = (
    Kpi(
        "objective",
        "utils/s",
        "higher",
        "both",
        "Objective",
        "Value of the committed allocation by the independent checker, the same formula for every policy "
        "Σ w U_α(q) − Σ (s·latency + energy)·x − Σ κ y/(C − y) (served utility minus latency, energy and queueing "
        "cost); run: mean over epochs.",
    ),
    Kpi(
        "objective_at_references",
        "utils/s",
        "higher",
        "run",
        "Objective, reference epochs",
        "Mean of `objective` over just the epochs that have a monolithic reference, so that policies and reference "
        "compare.",
    ),
    Kpi(
        "utility_mean",
        "utils",
        "higher",
        "both",
        "Mean utility a task",
        "The same utility evaluated on what the plant really did, per offered task: Σ b n U_α(q) − s·latency − energy "
        "over site × class, q the share of offered tasks completed (at least 0.01), divided by the tasks offered.",
    ),
    Kpi(
        "utilisation",
        "ratio",
        "",
        "both",
        "Utilisation",
        "Busy share of edge, fog and cloud compute, weighted by capacity; for a twin: of its own compute; "
        "run: mean over epochs. Neither direction is better by itself: read it beside misses and latency.",
    ),
    Kpi(
        "latency_mean_ms",
        "ms",
        "lower",
        "both",
        "Latency, mean",
        "Mean time from the creation of a task to its completion, over tasks completed in the epoch or run.",
    ),
    Kpi("latency_p50_ms", "ms", "lower", "both", "Latency, p50", "Median of the same times."),
    Kpi("latency_p95_ms", "ms", "lower", "both", "Latency, p95", "95th percentile of the same times."),
    Kpi("latency_p99_ms", "ms", "lower", "both", "Latency, p99", "99th percentile of the same times."),
    Kpi(
        "deadline_miss_ratio",
        "ratio",
        "lower",
        "both",
        "Deadline misses",
        "Tasks not completed within the deadline of their class (late, lost, or still waiting past it) divided by "
        "tasks due.",
    ),
    Kpi(
        "goodput_mbps",
        "Mb/s",
        "higher",
        "both",
        "Goodput",
        "Input volume of tasks completed within their deadline, per second.",
    ),
    Kpi(
        "energy_per_task_j",
        "J",
        "lower",
        "both",
        "Energy per task",
        "Energy of devices, radio and servers in the plant divided by tasks completed.",
    ),
    Kpi(
        "energy_per_bit_j",
        "J/bit",
        "lower",
        "both",
        "Energy per bit",
        "The same energy divided by bits of input of tasks completed.",
    ),
    Kpi(
        "base_station_energy_j",
        "J",
        "lower",
        "epoch",
        "Base stations",
        "Energy of all base stations in the epoch, awake and asleep; only where the scenario has `base_stations` "
        "or `access`.",
    ),
    Kpi(
        "failures",
        "failures",
        "lower",
        "epoch",
        "Failures",
        "Links and servers that failed by wear in the epoch; only where the scenario has `failures`.",
    ),
    Kpi(
        "downtime_s",
        "s",
        "lower",
        "epoch",
        "Downtime",
        "Time that links (both ways together) and servers were down in the epoch, added up, whatever took them down; "
        "only where the scenario has `failures` or `weather`.",
    ),
    Kpi(
        "handovers",
        "1",
        "",
        "epoch",
        "Handovers",
        "Users that went to another cell in the epoch; only where the scenario has `access`, like the next six.",
    ),
    Kpi(
        "ping_pong_ratio", "ratio", "lower", "epoch", "Ping-pongs", "Handovers back within a second, of all handovers."
    ),
    Kpi(
        "radio_link_failures",
        "1",
        "lower",
        "epoch",
        "Radio-link failures",
        "Users that lost their cell (TS 38.331, 5.3.10) in the epoch.",
    ),
    Kpi("users_without_cell", "1", "lower", "epoch", "Without a cell", "Users that no cell serves at the epoch's end."),
    Kpi(
        "down_delay_ms",
        "ms",
        "lower",
        "epoch",
        "Delay down",
        "Mean time of packets to users from their base station on; twins do not steer it.",
    ),
    Kpi("down_loss_ratio", "ratio", "lower", "epoch", "Loss down", "Packets to users that full buffers dropped."),
    Kpi(
        "spectral_efficiency_up",
        "bit/s/Hz",
        "higher",
        "epoch",
        "Spectral efficiency up",
        "Bits received of tasks over the resource blocks that they used (180 kHz and 1 ms each).",
    ),
    Kpi(
        "jain",
        "ratio",
        "higher",
        "both",
        "Jain fairness",
        "(Σx)² / (n Σx²) over site × class, with x the share of offered tasks done in time; 1 is equal service.",
    ),
    Kpi(
        "slice_compliance",
        "ratio",
        "higher",
        "both",
        "Slice compliance",
        "Share of slices and epochs whose guarantee held.",
    ),
    Kpi(
        "spectral_efficiency",
        "b/s/Hz",
        "higher",
        "both",
        "Spectral efficiency",
        "Served traffic per area divided by the bandwidth it held.",
    ),
    Kpi(
        "interruption_ms",
        "ms",
        "lower",
        "both",
        "Interruption",
        "Time during which a service answered nobody (handover, migration), per interruption.",
    ),
    Kpi(
        "restoration_detect_s",
        "s",
        "lower",
        "both",
        "Restoration: detect",
        "From the fault to the first alarm.",
    ),
    Kpi(
        "restoration_locate_s",
        "s",
        "lower",
        "both",
        "Restoration: locate",
        "From the alarm to the name of the cause.",
    ),
    Kpi(
        "restoration_decide_s",
        "s",
        "lower",
        "both",
        "Restoration: decide",
        "From the name of the cause to the decision.",
    ),
    Kpi(
        "restoration_apply_s",
        "s",
        "lower",
        "both",
        "Restoration: apply",
        "From the decision to the KPI being back at its level of before the fault.",
    ),
)

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

KPIS: tuple[Kpi, ...] = _PLANT + _TWIN + _CERTIFICATE + _COST + _LOAD + _FAULTS
"""Every KPI, in the order in which tables print them."""
