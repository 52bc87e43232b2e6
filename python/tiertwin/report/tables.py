"""The KPI table of all policies, as printed at the end of ``tiertwin run`` and by ``tiertwin inspect``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tiertwin.model.kpis import TIE, best, format_value, human_bytes
from tiertwin.model.kpis import kpi as find_kpi

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from tiertwin.store import StoredRun

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Planned",
        ("objective", "objective_at_references"),
    ),
    (
        "In the plant",
        (
            "utility_mean",
            "deadline_miss_ratio",
            "latency_mean_ms",
            "latency_p95_ms",
            "latency_p99_ms",
            "goodput_mbps",
            "energy_per_task_j",
            "jain",
            "utilisation",
        ),
    ),
    ("What the twins knew", ("aoi_p99_ms", "state_error")),
    (
        "Certificate",
        ("certified_gap_median", "gap_of_improvement_median", "rounds_cold", "rounds_warm_median"),
    ),
    (
        "Cost of deciding",
        (
            "bytes",
            "solver_steps",
            "local_policy_epochs",
            "twin_cpu_s",
            "twin_peak_rss_mb",
            "twin_energy_j",
            "wall_s_per_epoch",
        ),
    ),
)
"""Rows of the table, in order."""

REFERENCES = frozenset({"monolithic", "oracle"})
"""Policies that are yardsticks: solved in some epochs only, or knowing what a twin cannot; never marked as best."""

UNSPOKEN = frozenset({"ratio", "B", "rounds", "steps", "plans", "twin epochs"})
"""Units that stand in the value or in the title already."""

Values = Mapping[str, Mapping[str, Any]]  # policy → KPI → value


def values_of(run: StoredRun) -> dict[str, dict[str, Any]]:
    """Return policy → KPI → value of a run: of its result, or of its finished epochs if it was interrupted."""
    if run.result:
        return {policy: dict(values) for policy, values in run.result.get("policies", {}).items()}
    found: dict[str, dict[str, Any]] = {}
    for row in run.summary():
        found.setdefault(row["policy"], {})[row["kpi"]] = row["value"]
    return found


def number(name: str, values: Mapping[str, Any]) -> float | None:
    """Return a KPI as one number; ``bytes`` is summed over tier pairs and directions. None where there is none."""
    value = values.get(name)
    if isinstance(value, Mapping):
        return float(sum(sum(pair.values()) for pair in value.values()))
    return float(value) if isinstance(value, int | float) else None


def winners(name: str, values: Values) -> set[str]:
    """Return the policies that are best in a KPI, yardsticks aside."""
    return best(name, {p: number(name, held) for p, held in values.items() if p not in REFERENCES})


def cell(name: str, value: float | None) -> str:
    """Return one value as people read it."""
    return human_bytes(value) if name == "bytes" and value is not None else format_value(name, value)


def label(name: str) -> str:
    """Return title and unit: ``Latency, mean [ms]``."""
    held = find_kpi(name)
    return held.title if held.unit in UNSPOKEN else f"{held.title} [{held.unit}]"


def direction(name: str) -> str:
    """Return ``higher is better``, ``lower is better`` or nothing."""
    better = find_kpi(name).better
    return f"{better} is better" if better else ""


def policy_table(result: Mapping[str, Any]) -> RichTable:
    """Return the KPI table of the object that ``tiertwin run --json`` prints."""
    return _table(result["policies"])


def kpi_table(run: StoredRun) -> RichTable:
    """Return the KPI table of a stored run, interrupted or not."""
    made = _table(values_of(run))
    if run.result is None:
        made.title = "Over the epochs that were finished"
    return made


def _table(values: Values) -> RichTable:
    from rich.table import Table as RichTable  # noqa: PLC0415  only for people
    from rich.text import Text  # noqa: PLC0415  as Text: in a plain string rich would read [ms] as a style

    policies = list(values)
    made = RichTable(box=None, pad_edge=False, header_style="bold", title_justify="left", caption_justify="left")
    made.add_column("KPI")
    for policy in policies:  # on a narrow terminal the names of KPIs wrap, figures never
        made.add_column(Text(policy), justify="right", no_wrap=True)
    for group, names in GROUPS:
        held = [name for name in names if any(number(name, values[p]) is not None for p in policies)]
        if held:
            made.add_row(Text(group, style="dim"))
        for name in held:
            ahead = winners(name, values)
            cells = [cell(name, number(name, values[p])) for p in policies]
            marked = [
                Text(f"{text}*", style="bold green") if policy in ahead else Text(f"{text} ")
                for policy, text in zip(policies, cells, strict=True)
            ]
            made.add_row(Text(f" {label(name)}"), *marked)
    yardsticks = [policy for policy in policies if policy in REFERENCES]
    note = f"; {', '.join(yardsticks)}: a yardstick, not compared" if yardsticks else ""
    made.caption = (
        f"* best of the policies compared, within {100 * TIE:g} %{note}. One seed: differences may be chance."
    )
    return made
