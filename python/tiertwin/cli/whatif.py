"""``tiertwin whatif``: what a twin expects if links fail, demand grows, it rains; what the plant says; what to build.

``whatif SCENARIO --plan`` is ``tiertwin plan SCENARIO``: the rest of the line is that verb's, and so is the code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiertwin.model.interventions import Situation
    from tiertwin.orchestrate.fork import Fork

# option → its spelling and meaning, for --help; tiertwin.model.whatif reads the spellings
_INTERVENTIONS = {
    "--fail-link": ("A,B", "The link between two nodes goes down."),
    "--degrade-link": ("A,B,SHARE", "It keeps that share of its capacity."),
    "--repair-link": ("A,B", "A link that is believed down comes back."),
    "--fail-node": ("NODE", "A node with its links, servers and cells."),
    "--fail-site": ("SITE", "The edge server and the cells of a site."),
    "--fail-group": ("NAME=A,B;C,D", "Links that share a risk."),
    "--demand": ("xF[@AREA]", "Task rates times F, everywhere or in an area."),
    "--move": ("A,B,SHARE", "That share of the demand at A comes from B."),
    "--add-capacity": ("PLACE,xF", "A site, fog-1, cloud-1 or a link A,B gets more; or PLACE,+AMOUNT (GHz, Mb/s)."),
    "--add-site": ("NODE,GHZ", "An edge server where there is none."),
    "--rain": ("MM_H[@AREA]", "Rain on microwave links; also MM_H@AREA,KM and MM_H@LON,LAT,KM."),
    "--storm": ("xF@AREA", "Users change cells F times as often."),
    "--set": ("KEY=VALUE", "A key of the scenario, such as objective.energy_utils_per_j=0.2."),
}

_PLAN = "--plan"


def _with_interventions(command: Callable[..., Any]) -> Callable[..., Any]:
    for option, (spelling, what) in reversed(_INTERVENTIONS.items()):
        command = click.option(option, multiple=True, metavar=spelling, help=what)(command)
    return command


class _OrPlan(click.Command):
    """A command that is `tiertwin plan` where ``--plan`` is among its words."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the words; with ``--plan`` they are those of `plan`."""
        if _PLAN not in args:
            return super().make_context(info_name, args, parent, **extra)
        from tiertwin.cli.plan import plan

        rest = [word for word in args if word != _PLAN]
        changes = [word for word in rest if word.split("=")[0] in _INTERVENTIONS]
        if changes:
            raise click.UsageError(
                f"{_PLAN} chooses what to build; what it is planned for is told by --growth and --failures. "
                f"Leave out {changes[0]}"
            )
        return plan.make_context(f"{info_name} {_PLAN}", rest, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Do what the context is of."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


@click.command(cls=_OrPlan)
@click.argument("source", default="germany50", metavar="SCENARIO|RUN")
@_with_interventions
@click.option(
    _PLAN, is_flag=True, expose_value=False, help="Choose what to build: see `tiertwin whatif --plan --help`."
)
@click.option("--all-single-failures", is_flag=True, help="Every link and every node by itself, the worst first.")
@click.option("--all-double-failures", is_flag=True, help="Every pair of them.")
@click.option("--top", default=20, show_default=True, help="So many situations of a sweep are shown.")
@click.option("--twin", default=None, metavar="NAME", help="Whose domain [default: the whole network].")
@click.option(
    "--replan",
    type=click.Choice(["none", "local", "tree"]),
    default=None,
    help="Set-points stay; edges decide anew; the whole hierarchy does [default: tree, local for sweeps].",
)
@click.option("--epochs", default=12, show_default=True, help="Of a SCENARIO to run before it is forked.")
@click.option("--epoch", type=int, default=None, help="Of a RUN: as believed at its end [default: the last].")
@click.option("--seed", type=int, default=None, help="Of the run before the fork [default: the scenario's].")
@click.option("--threads", default=2, show_default=True, help="Of a sweep; the answers do not depend on it.")
@click.option("--faithful", is_flag=True, help="Play it in the plant too, with and without, seed by seed.")
@click.option("--seeds", default=5, show_default=True, help="With --faithful: how many, from 1 on.")
@click.option("--play-epochs", default=10, show_default=True, help="With --faithful: epochs after the fork.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def whatif(
    source: str,
    all_single_failures: bool,
    all_double_failures: bool,
    top: int,
    twin: str | None,
    replan: str | None,
    epochs: int,
    epoch: int | None,
    seed: int | None,
    threads: int,
    faithful: bool,
    seeds: int,
    play_epochs: int,
    as_json: bool,
    **given: tuple[str, ...],
) -> None:
    """Fork a live twin of SCENARIO, or a stored RUN, change it, and see what the twin expects.

    Interventions may be repeated and combined; they are applied in the order of this list. With a sweep, they are what
    every situation starts from.
    """
    from tiertwin.errors import InputError
    from tiertwin.model.interventions import Situation
    from tiertwin.model.whatif import parse_intervention

    names = [option.removeprefix("--") for option in _INTERVENTIONS]
    wanted = [parse_intervention(name, text) for name in names for text in given[name.replace("-", "_")]]
    sweeping = all_single_failures or all_double_failures
    if not wanted and not sweeping:
        raise InputError(
            "whatif: expected an intervention or a sweep, such as --fail-link A,B or --all-single-failures"
        )
    if sweeping and (faithful or replan == "tree"):
        raise InputError("whatif: a sweep is of the twin's model with --replan none or local; leave out the other")
    if top < 1 or seeds < 1:
        raise InputError(f"whatif: expected --top and --seeds of at least 1, got {top} and {seeds}")
    fork, notes = _forked(source, twin, epochs, epoch, seed)
    fork.apply(wanted)
    told: dict[str, Any] = {
        "source": source,
        "twin": fork.belief.name,
        "interventions": Situation("", tuple(wanted)).text(),
    }
    if sweeping:
        told |= _swept(fork, _situations(fork, all_single_failures, all_double_failures), threads, replan, top, as_json)
    else:
        told |= _compared(fork, replan or "tree", as_json)
    if faithful:
        played = fork.play(range(1, seeds + 1), play_epochs)
        told["plant"] = {"seeds": list(played.seeds), "epochs": played.epochs, "rows": played.rows()}
        notes += played.notes
        if not as_json:
            click.echo(f"\n{played.table()}")
    _end(told, notes, as_json)


def _forked(source: str, twin: str | None, epochs: int, epoch: int | None, seed: int | None) -> tuple[Fork, list[str]]:
    from tiertwin.errors import InputError

    if (Path(source) / "run.json").is_file():
        from tiertwin.runtime.storedfork import NOT_KEPT, stored_fork

        if twin is not None:
            raise InputError("--twin: a stored run is forked whole; leave it out")
        fork, at = stored_fork(source, epoch)
        return fork, [f"{NOT_KEPT} As of epoch {at}."]
    if epoch is not None:
        raise InputError("--epoch: of a RUN; a SCENARIO is forked after --epochs")
    from tiertwin.runtime.api import run

    result = run(source, epochs=epochs, seed=seed)
    return result.twin(twin or result.world.twins[0].name).fork(), []


def _situations(fork: Fork, single: bool, double: bool) -> Sequence[Situation]:
    from tiertwin.orchestrate.situations import double_failures, single_failures

    world = fork.belief.world
    found = [*(single_failures(world) if single else ()), *(double_failures(world) if double else ())]
    return [situation for situation in found if fork.allows(situation)]


def _swept(
    fork: Fork, situations: Sequence[Situation], threads: int, replan: str | None, top: int, as_json: bool
) -> dict[str, Any]:
    sweep = fork.sweep(situations, threads=threads, replan=replan or "local")
    if not as_json:
        click.echo(sweep.table(top))
    return {"replan": replan or "local", "summary": sweep.summary(), "rows": sweep.rows(top)}


def _compared(fork: Fork, replan: str, as_json: bool) -> dict[str, Any]:
    compared = fork.compare(replan)
    if not as_json:
        click.echo(compared.table())
    before, after = compared.scores()
    scores = {"score_before": before, "score_after": after}
    return {"replan": replan, "rows": compared.rows(), **scores, "intervals": compared.note}


def _end(told: dict[str, Any], notes: list[str], as_json: bool) -> None:
    from tiertwin.cli.run import finite

    if as_json:
        click.echo(json.dumps(finite({**told, "notes": notes}), sort_keys=True, allow_nan=False))
        return
    for note in notes:
        click.echo(note)
