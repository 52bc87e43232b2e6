"""The frame of a study's command: where its data are; one JSON object, or text for people."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import click

from tiertwin.cli.run import finite

Found: TypeAlias = dict[str, Any]
Told: TypeAlias = tuple[Found, Callable[[Found], None]]
"""What a study found, and what prints that for people."""


def framed(command: Callable[..., Told]) -> Callable[..., None]:
    """Give a command that returns `Told` the option --json, and print what it found in either way."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @functools.wraps(command)
    def shown(*arguments: Any, as_json: bool, **options: Any) -> None:
        found, tell = command(*arguments, **options)
        if as_json:
            click.echo(json.dumps(finite(found)))
        else:
            tell(found)

    return shown


def data_option(holds: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option --data, an argument `data`: the folder with what it `holds`; none: `study.datafolder` looks."""
    return click.option("--data", metavar="DIR", help=f"Folder with {holds} [default: TIERTWIN_DATA].")


def progress(text: str) -> None:
    """Say how far a study is, where it does not mix with what it prints."""
    click.echo(text, err=True)
