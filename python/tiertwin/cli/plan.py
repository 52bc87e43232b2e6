"""``tiertwin plan``: what to build in a network, chosen over what may come."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tiertwin.cli.aside import solvers_aside
from tiertwin.cli.run import finite
from tiertwin.cli.tables import table


@click.command("plan")
@click.argument("scenario", default="germany50")
@click.option("--build", "most", default=3, show_default=True, help="How many candidates may be built.")
@click.option("--budget", type=float, help="What they may cost together [default: no limit].")
@click.option(
    "--candidate",
    "given",
    multiple=True,
    help="add-site A,64 | add-capacity A,B,x2 | new-link A,B,10000, : COST after.",
)
@click.option("--candidates", "file", type=click.Path(path_type=Path), help="File with one a line; # begins a comment.")
@click.option("--every-site", type=float, help="So many GHz more at each site are candidates.")
@click.option("--every-link", type=float, help="Each link, times so much, is a candidate.")
@click.option("--growth", type=float, multiple=True, help="Factor on all demand; repeat [default: 1 2].")
@click.option("--failures", default=10, show_default=True, help="Likeliest cuts of a link planned for.")
@click.option("--failure-share", default=0.3, show_default=True, help="Weight of all cuts together.")
@click.option("--compare", is_flag=True, help="Choose by greedy and (up to two) exhaustive search, too.")
@click.option("--score", "scored", default=2, show_default=True, help="Heaviest situations put to the twin.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def plan(
    scenario: str,
    most: int,
    budget: float | None,
    given: tuple[str, ...],
    file: Path | None,
    every_site: float | None,
    every_link: float | None,
    growth: tuple[float, ...],
    failures: int,
    failure_share: float,
    compare: bool,
    scored: int,
    as_json: bool,
) -> None:
    """Choose sites, links and capacity to build, under a budget, over failures and growth."""
    from tiertwin.functions.whatif.candidates import every_candidate, parse_candidate, read_candidates
    from tiertwin.functions.whatif.plan import plan as chosen_of
    from tiertwin.functions.whatif.plan import score
    from tiertwin.study.planning import compare_plans, planning_situations
    from tiertwin.world import load, resolve

    world = resolve(load(scenario))
    candidates = [parse_candidate(text) for text in given]
    candidates += read_candidates(file) if file is not None else []
    candidates += every_candidate(world, every_site, every_link)
    situations = planning_situations(world, growth or (1.0, 2.0), failures, failure_share)
    heaviest = sorted(situations, key=lambda one: -one.probability)[:scored]
    with solvers_aside():
        found = chosen_of(world, candidates, most, float("inf") if budget is None else budget, situations)
        twin = [vars(one) for one in score(world, found, heaviest)] if scored else []
        rows = compare_plans(world, found, situations, scored) if compare else []
    if as_json:
        told = {
            "scenario": scenario,
            "built": [one.name for one in found.built],
            "cost": found.cost,
            "value": found.chosen.worth.value,
            "bound": found.chosen.bound,
            "gap": found.chosen.gap,
            "status": found.chosen.status,
            "outcome": found.outcome_rows(),
            "candidates": found.rows(),
            "twin": twin,
            "methods": rows,
        }
        click.echo(json.dumps(finite(told)))
        return
    shown = [row for row in found.rows() if row["built"] or row["reason"]]
    click.echo(table(shown, ("candidate", "cost", "built", "alone", "reason")))
    click.echo(
        f"\n{len(candidates)} candidates, {len(situations)} situations: cost {found.cost:g}, {found.chosen.status},"
    )
    click.echo(f"at most {100 * found.chosen.gap:.4f} % from the best. alone: value that a candidate adds by itself.\n")
    click.echo(table(found.outcome_rows(), ("kpi", "before", "after", "change")))
    if twin:
        click.echo("\nThe twin's own expectation, utils/s:")
        click.echo(table(twin, ("situation", "probability", "before", "after", "gap")))
    if rows:
        figures = ("method", "built", "cost", "value", "coverage", "growth", "trials", "cpu_s", "trials_s", "twin")
        click.echo("\n" + table(rows, figures))
