"""``tiertwin study``: paired experiments over seeds, and the study of scale."""

from __future__ import annotations

import json
from typing import Any

import click


@click.group()
def study() -> None:
    """Compare policies over many seeds, with confidence intervals."""


@study.command("policies")
@click.argument("scenario", default="germany50")
@click.option("--seeds", default=5, show_default=True, help="Number of seeds: 1, 2, …")
@click.option("--epochs", default=60, show_default=True)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    help="Policies to compare with hierarchical; repeat for several [default: all that act].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def policies_study(scenario: str, seeds: int, epochs: int, policies: tuple[str, ...], as_json: bool) -> None:
    """Every policy on every seed's world; prices of hierarchy and of telemetry."""
    from tiertwin.errors import InputError
    from tiertwin.orchestrate.policies import HIERARCHICAL, policy_names
    from tiertwin.runtime.plan import MONOLITHIC
    from tiertwin.study.compare import compare
    from tiertwin.world import load

    if seeds < 2:
        raise InputError(f"--seeds: expected at least 2 (an interval needs two worlds), got {seeds}")
    chosen = list(policies) or policy_names()
    if MONOLITHIC in chosen:
        raise InputError(f"--policy: {MONOLITHIC!r} plans and does not act; its price is printed below the table")
    if HIERARCHICAL not in chosen:
        chosen.insert(0, HIERARCHICAL)
    found = compare(load(scenario), range(1, seeds + 1), epochs, chosen, lambda text: click.echo(text, err=True))
    price = {"hierarchy": vars(found.price_of_hierarchy), "telemetry": vars(found.price_of_telemetry)}
    if as_json:
        click.echo(json.dumps({"rows": found.rows(), "prices": price, "gaps": found.gaps, "seeds": found.seeds}))
        return
    click.echo(
        f"Means over {seeds} seeds with the half width of 95 % intervals (Student's t). difference: hierarchical minus"
    )
    click.echo("the policy, paired by seed; wins: seeds on which hierarchical is better. Units: docs/kpis.md.")
    click.echo(table(found.rows(), ("kpi", "policy", "mean", "half", "difference", "difference_half", "wins")))
    click.echo(f"price of hierarchy  {100 * found.price_of_hierarchy:.4f} % of S")
    click.echo(f"price of telemetry  {100 * found.price_of_telemetry:.4f} % of S")


@study.command("scale")
@click.option("--seconds", default=300.0, show_default=True, help="Time limit of the monolithic problem.")
@click.option("--quick", is_flag=True, help="Up to 10 000 groups only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a size.")
def scale(seconds: float, quick: bool, as_json: bool) -> None:
    """Hierarchy against one monolithic problem, 1 000 to 100 000 groups."""
    from tiertwin.study.scale import SIZES, scale_study

    rows = []
    for row in scale_study(SIZES[:2] if quick else SIZES, monolithic_seconds=seconds):
        rows.append(row)
        if as_json:
            click.echo(json.dumps(row))
    if not as_json:
        click.echo(
            table(
                rows, ("groups", "hierarchical_s", "rounds", "certified_gap", "true_gap", "monolithic", "monolithic_s")
            )
        )


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """Plain text, columns aligned, numbers to four digits."""
    cells = [list(columns)]
    for row in rows:
        cells.append(
            [
                "" if row.get(c) is None else f"{row[c]:.4g}" if isinstance(row[c], float) else str(row[c])
                for c in columns
            ]
        )
    width = [max(len(line[k]) for line in cells) for k in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, width, strict=True)).rstrip() for line in cells)
