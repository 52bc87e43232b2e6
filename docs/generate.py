"""Writes docs/kpis.md, docs/json-interface.md and docs/counters.md from their tables: ``python docs/generate.py``.

A test compares the committed files with what this writes.
"""

from __future__ import annotations

from pathlib import Path

from tiertwin.model.kpis import FAULT_KPIS, JSON_KPIS, KPIS, Kpi, kpi
from tiertwin.runtime.counters import COUNTERS, LAUNCHER, NODE, PROCESS

HERE = Path(__file__).parent
_REPORTED = {"run": "run", "epoch": "epoch", "both": "epoch, run"}

KPIS_HEAD = """\
# KPIs

<!-- Written by docs/generate.py from tiertwin.model.kpis; edit the table there. -->

A name means one thing everywhere: in the printed table, the `--json` object, the history of a run
(`kpi(policy, epoch, tier, twin, kpi, value, unit)`) and the report page. `ratio` is dimensionless: 0.01 is 1 %.

*Reported* says where a KPI appears: as a row of an epoch, as a value of the whole run, or both. A run reports those its
scenario exercises; a KPI without a value (no task was completed, a policy certifies nothing) is NaN in the history,
`null` in JSON and a dash in tables.

Figures *in the plant* are counted by the plant, which knows the truth; a twin sees it by telemetry only. Two values of
one seed that differ by less than 0.5 % are called even in tables and on the report page.

"""

JSON_HEAD = """\
# The JSON interface of `tiertwin run --json`

<!-- Written by docs/generate.py from tiertwin.model.kpis; edit the text there. -->

`tiertwin run --json` prints one object, and a complete run keeps the same object in `result.json`. It is a stable
interface: keys keep their name, unit and meaning within a major version; new keys may be added, so ignore those you do
not know. Numbers are finite; a value that does not exist for a policy is `null`.

```json
{
  "log_hash": "a911df3b…",
  "scenario": "metro",
  "seed": 7,
  "epochs": 10,
  "policies": {
    "hierarchical": {
      "objective": 421.7,
      "bytes": {"device-edge": {"up": 81234, "down": 9120}, "edge-fog": {"up": 20310, "down": 4410}},
      "…": 0
    }
  }
}
```

| key | type | meaning |
|---|---|---|
| `log_hash` | string | BLAKE2b-256 over the lines of `events.jsonl`, hex; the same for the same run. |
| `scenario` | string | Name of the scenario. |
| `seed` | integer | Seed of the run. |
| `epochs` | integer | Base epochs run, numbered from 0. |
| `policies` | object | One object a policy, by name, with the keys below. |

Keys of `policies.<name>`:

"""


JSON_FAULTS = """
Besides, where the scenario has [`faults`](scenario-reference.md#faults) or
[`assurance`](scenario-reference.md#assurance):

"""

COUNTERS_HEAD = """\
# Counters

<!-- Written by docs/generate.py from tiertwin.runtime.counters; edit the table there. -->

Whatever a tree refuses, drops, repeats, guards, clips or gives up is counted, under a name that stays.
`tiertwin inspect RUN` shows the counters of a running tree that are not 0 (with `--json` as `counters`, by node, and
`process_counters`). Prometheus gets `family.reason` as `tiertwin_<family>_total{reason="…"}`
([observation](observation.md)). All count up from the start of their process.

*Id* is the promise (P), rule (R) or step of the solver ladder (S) that a counter shows. What the most important ones
mean for somebody on duty: [what to look at](observation.md#what-to-look-at).

"""

SCOPE_HEADS = {
    NODE: "## Of every node\n\n",
    PROCESS: "\n## Of every process with nodes\n\n",
    LAUNCHER: "\n## Of the launcher\n\nServed by the metrics endpoint only: the launcher is no node.\n\n",
}


def counters_page() -> str:
    """Return docs/counters.md."""
    page = COUNTERS_HEAD
    for scope, head in SCOPE_HEADS.items():
        page += head + "| counter | id | unit | one more means |\n|---|---|---|---|\n"
        page += "".join(f"| `{c.name}` | {c.rule} | {c.unit} | {c.help} |\n" for c in COUNTERS if c.scope == scope)
    return page


def kpis_page() -> str:
    """Return docs/kpis.md."""
    head = "| name | unit | better | reported | definition |\n|---|---|---|---|---|\n"
    return KPIS_HEAD + head + "".join(_kpi_row(item) for item in KPIS)


def json_page() -> str:
    """Return docs/json-interface.md."""
    head = "| key | type | unit | meaning |\n|---|---|---|---|\n"
    return JSON_HEAD + head + _json_rows(JSON_KPIS) + JSON_FAULTS + head + _json_rows(FAULT_KPIS)


def _json_rows(names: tuple[str, ...]) -> str:
    return "".join(f"| `{name}` | {_type(name)} | {kpi(name).unit} | {kpi(name).definition} |\n" for name in names)


def _kpi_row(item: Kpi) -> str:
    return f"| `{item.name}` | {item.unit} | {item.better or '–'} | {_REPORTED[item.per]} | {item.definition} |\n"


def _type(name: str) -> str:
    return "object or null" if name == "bytes" else "number or null"


PAGES = {"kpis.md": kpis_page, "json-interface.md": json_page, "counters.md": counters_page}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (HERE / file).write_text(page(), encoding="utf-8")
