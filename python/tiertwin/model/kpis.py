"""The one table of KPI names: unit, direction and definition of every figure a run reports.

The printed KPI table, the ``--json`` object of ``tiertwin run``, the history in the data repository, the report page,
``docs/kpis.md`` and ``docs/json-interface.md`` all read it, so a name means one thing everywhere. It imports nothing
but the standard library: ``tiertwin --help`` and a twin may load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tiertwin.errors import UnknownNameError, suggest

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
        "Wall time of the run divided by epochs, plant included. Differs between machines; never part of the log.",
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

KPIS: tuple[Kpi, ...] = _PLANT + _TWIN + _CERTIFICATE + _COST + _LOAD
"""Every KPI, in the order in which tables print them."""

# The order and set of `policies.<name>` in the --json object: a stable interface, documented in docs/json-interface.md.
JSON_KPIS: tuple[str, ...] = (
    "objective",
    "objective_at_references",
    "utility_mean",
    "utilisation",
    "latency_mean_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "deadline_miss_ratio",
    "goodput_mbps",
    "energy_per_task_j",
    "jain",
    "aoi_p99_ms",
    "state_error",
    "lower_bound",
    "upper_bound",
    "scale",
    "certified_gap_median",
    "gap_of_improvement_median",
    "rounds_cold",
    "rounds_warm_median",
    "bytes",
    "solver_steps",
    "local_policy_epochs",
    "twin_cpu_s",
    "twin_peak_rss_mb",
    "twin_energy_j",
    "wall_s_per_epoch",
)
"""Keys every ``policies.<name>`` of the JSON object has (a value may be null where a policy has none)."""

_BY_NAME = {item.name: item for item in KPIS}
RUN_KPIS: tuple[str, ...] = tuple(item.name for item in KPIS if item.per in ("run", "both"))
EPOCH_KPIS: tuple[str, ...] = tuple(item.name for item in KPIS if item.per in ("epoch", "both"))


def kpi(name: str) -> Kpi:
    """Return the KPI of this name.

    Raises
    ------
    UnknownNameError
        No KPI has that name; the nearest names are suggested.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        known = sorted(_BY_NAME)
        raise UnknownNameError(f"unknown KPI {name!r}{suggest(name, known)}") from None


TIE = 0.005
"""Values of one seed that differ by less than this share of the better one count as equal."""


def tied(one: float, two: float) -> bool:
    """Return whether two values of one KPI are too near to call one of them better."""
    return abs(one - two) <= TIE * max(abs(one), abs(two))


def best(name: str, values: dict[str, float | None]) -> set[str]:
    """Return the keys of `values` that are best by this KPI's direction: all that tie, none where no direction is."""
    direction = kpi(name).better
    known = {key: value for key, value in values.items() if value is not None and value == value}
    if not direction or len(known) < 2:
        return set()
    top = max(known.values()) if direction == "higher" else min(known.values())
    winners = {key for key, value in known.items() if tied(value, top)}
    return winners if len(winners) < len(known) else set()  # all equal: nobody is ahead


def format_value(name: str, value: float | None) -> str:
    """Return `value` as people read it: ratios in percent, bytes in kB to GB, else four significant digits."""
    if value is None or value != value:
        return "–"
    unit = kpi(name).unit
    if unit == "ratio":
        return f"{value:.3f}" if name == "jain" else _percent(value)
    if unit == "B":
        return human_bytes(value)
    return _significant(value)


def _percent(ratio: float) -> str:
    percent = 100.0 * ratio
    if percent == 0:
        return "0 %"
    # three digits with their zeros (0.100 %), but no exponent down to a millionth
    text = f"{percent:#.3g}" if abs(percent) >= 1e-4 else f"{percent:.1e}"
    return f"{text.removesuffix('.')} %"


def _significant(value: float) -> str:
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e7 or size < 1e-3:
        return f"{value:.3g}"
    if float(value).is_integer() and size < 1e6:
        return f"{value:.0f}"
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3
    return f"{value:,.{digits}f}".replace(",", "\u202f")


def human_bytes(value: float) -> str:
    """Return a byte count with a decimal unit, `12.3 MB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"
