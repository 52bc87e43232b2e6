"""``tiertwin keys``: a folder of keys for a tree that runs on more than one host or longer than one run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tiertwin.wire.keys import KeyState

SOON_DAYS, DEFAULT_SOLVERS = 14, 2


@click.command()
@click.argument("scenario", default="germany50")
@click.option("--out", type=click.Path(path_type=Path), default="keys", show_default=True, help="Folder of the keys.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long they are valid.")
@click.option(
    "--solvers",
    type=click.IntRange(0, 64),
    default=None,
    help="Solver processes with a key [default: as many as the scenario's `deployment:` says, else 2].",
)
@click.option("--check", is_flag=True, help="Make nothing; say of each key in the folder how it stands.")
def keys(scenario: str, out: Path, days: int, solvers: int | None, check: bool) -> int:
    """Make one secret key for each node of SCENARIO (a name or a YAML file), and the table of who may connect where.

    `tiertwin run` makes keys of its own and needs none of these. A host needs the key files of its nodes and
    access.json, and no other key.
    """
    if check:
        return show(out)
    from tiertwin.runtime.deployment import tree_members
    from tiertwin.store.folder import writing
    from tiertwin.wire.keys import make_keys, write_keys
    from tiertwin.world import load, resolve

    wanted = load(scenario)
    if solvers is None:
        solvers = DEFAULT_SOLVERS if wanted.deployment is None else wanted.deployment.solvers
    members = tree_members(resolve(wanted).twins, solvers)
    with writing("keys", out):
        written = write_keys(out, make_keys(members, time.time(), days))
    click.echo(f"{len(written) - 1} keys and {written[-1].name} in {out}, valid for {days} days.")
    click.echo(f"Copy to each host the keys of its nodes and {written[-1].name}. How they stand: tiertwin keys --check")
    return 0


def show(folder: Path) -> int:
    """Print the state of every key; 1 when one of them would be refused."""
    from tiertwin.cli import EXIT_NO
    from tiertwin.wire.keys import check_folder

    states = check_folder(folder, time.time())
    width = max(len(state.name) for state in states)
    for state in states:
        click.echo(f"{state.name:<{width}}  {state.role:<8}  {standing(state)}")
    wrong = sum(bool(state.problem) for state in states)
    click.echo(f"{len(states)} files, " + (f"{wrong} would be refused." if wrong else "all in order."))
    return EXIT_NO if wrong else 0


def standing(state: KeyState) -> str:
    """What to say of one file."""
    if state.problem:
        return f"refused: {state.problem}"
    warning = ", make new ones" if state.days_left < SOON_DAYS else ""
    return f"valid for {int(state.days_left)} days{warning}"
