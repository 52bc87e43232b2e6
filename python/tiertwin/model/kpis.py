"""The one table of KPI names: unit, direction and definition of every figure a run reports.

The printed KPI table, the ``--json`` object of ``tiertwin run``, the history in the data repository, the report page,
``docs/kpis.md`` and ``docs/json-interface.md`` all read it, so a name means one thing everywhere. It imports nothing
but the standard library: ``tiertwin --help`` and a twin may load it.
"""

from __future__ import annotations

from tiertwin.errors import UnknownNameError, suggest
from tiertwin.model.kpi import Kpi
from tiertwin.model.kpitable import KPIS

__all__ = [
    "EPOCH_KPIS",
    "FAULT_KPIS",
    "JSON_KPIS",
    "KPIS",
    "RUN_KPIS",
    "TIE",
    "Kpi",
    "best",
    "format_value",
    "human_bytes",
    "kpi",
    "tied",
]

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

FAULT_KPIS: tuple[str, ...] = (
    "faults",
    "faults_detected",
    "detection_delay_s",
    "alarms",
    "incidents",
    "causes_named",
    "false_alarms_per_day",
)
"""Keys it has besides where the scenario has faults or assurance."""

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
        return f"{value:.3f}" if name == "jain" and abs(value) < 1e3 else _percent(value)
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
