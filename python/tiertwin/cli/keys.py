"""``tiertwin keys``: a folder of keys for a tree that runs on more than one host or longer than one run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

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
@click.option("--rotate", multiple=True, metavar="NODE", help="Give the node a new key; its old one stays valid.")
@click.option("--retire", multiple=True, metavar="NODE", help="Take the node's old key out of the table.")
@click.option("--revoke", multiple=True, metavar="NODE", help="Take all keys of the node out of the table.")
@click.option(
    "--audit", type=click.Path(path_type=Path), default=None, help="Check that no line of an audit log was changed."
)
def keys(
    scenario: str,
    out: Path,
    days: int,
    solvers: int | None,
    check: bool,
    rotate: tuple[str, ...],
    retire: tuple[str, ...],
    revoke: tuple[str, ...],
    audit: Path | None,
) -> int:
    """Make one secret key for each node of SCENARIO (a name or a YAML file), and the table of who may connect where.

    `tiertwin run` makes keys of its own and needs none of these. A host needs the key files of its nodes and
    access.json, and no other key. Nodes that run look at their folder once a second: --rotate, wait until every host
    has the files, then --retire.
    """
    if check:
        return show(out)
    if audit is not None:
        return checked(audit)
    if rotate or retire or revoke:
        return change(out, rotate, retire, revoke, days)
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


def change(folder: Path, rotate: Sequence[str], retire: Sequence[str], revoke: Sequence[str], days: int) -> int:
    """Change keys of a folder, and say what is to be copied where."""
    from tiertwin.store.folder import writing
    from tiertwin.wire.keys import ACCESS_FILE
    from tiertwin.wire.rotation import retire as take_old_out
    from tiertwin.wire.rotation import revoke as take_out
    from tiertwin.wire.rotation import rotate as give_new

    with writing("keys", folder):
        for key in give_new(folder, rotate, time.time(), days) if rotate else ():
            click.echo(f"{key.node}: new key {key.public[:8]}…, valid for {days} days; the old one stays valid.")
        for verb, gone in (("retired", take_old_out(folder, retire)), ("revoked", take_out(folder, revoke))):
            for public in gone:
                click.echo(f"{verb}: {public[:8]}…")
    click.echo(f"Copy {ACCESS_FILE} to every host first, then each new key to the host of its node.")
    return 0


def checked(path: Path) -> int:
    """Print whether the lines of an audit log follow from one another."""
    from tiertwin.runtime.audit import verify

    count, chain = verify(path)
    click.echo(f"{count} lines follow from one another; the chain ends in {chain[:16] or '–'}…")
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
