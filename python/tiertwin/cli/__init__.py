"""The command line: ``tiertwin VERB``.

Verbs are imported when they are used, so ``tiertwin --help`` is instant: it loads click and nothing else of weight. A
new verb is one line in :data:`VERBS` and one module with a click command of the same name.

Exit codes: 0 done; 1 the answer is no (a replay that differs); 2 wrong input or unwritable output, told in one message
without a traceback; 130 interrupted by Ctrl-C; 143 ended by SIGTERM.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from tiertwin import __version__
from tiertwin.errors import TiertwinError, suggest

# verb → what it does, in one line of `--help`; the module is tiertwin.cli.<verb>, the command in it has the same name
VERBS = {
    "run": "Run a scenario and print the KPI table of all policies.",
    "inspect": "Show a run: KPIs, link loads, what a twin believed.",
    "replay": "Run it again and compare the event logs.",
    "report": "Make one self-contained HTML page of a run.",
    "whatif": "Fork a twin: what if links fail, demand grows, it rains?",
    "plan": "Choose what to build in a network, over what may come.",
    "study": "Compare policies over many seeds, with confidence intervals.",
    "node": "Start nodes of a running tree by hand, on this host or another.",
    "doctor": "Say what is wrong with a running tree of processes.",
    "chaos": "Play faults on a tree of processes; which promises held?",
    "keys": "Make or check the keys of a tree of processes.",
    "init": "Write a scenario to start from, or its JSON Schema.",
}
EXIT_NO, EXIT_WRONG, EXIT_INTERRUPTED = 1, 2, 130


class Verbs(click.Group):
    """A click group whose commands are imported on use, and whose errors are one message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one verb."""
        if cmd_name not in VERBS:
            return None
        return getattr(import_module(f"tiertwin.cli.{cmd_name}"), cmd_name)  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one may have been meant."""
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(f"unknown command {args[0]!r}{suggest(args[0], list(VERBS))}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run the command line and leave with its exit code."""
        extra["standalone_mode"] = False
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows "?" and loses nothing
        try:
            done = super().main(args, prog_name or "tiertwin", **extra)
            sys.exit(done if isinstance(done, int) else 0)
        except click.Abort:
            click.echo("Interrupted.", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except TiertwinError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(EXIT_WRONG)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `tiertwin run`: the built-in national scenario, no file needed.",
)
@click.version_option(__version__, prog_name="tiertwin")
def main() -> None:
    """A hierarchical network digital twin that decides.

    A tree of twins (device, edge, fog, cloud) mirrors a network from live telemetry and allocates its compute and
    bandwidth with a certified gap to the optimum.
    """
