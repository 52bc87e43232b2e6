"""``tiertwin study nab`` and ``study skab``: the detectors on public benchmarks, scored by their own rules."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tiertwin.cli.run import finite
from tiertwin.cli.tables import table

DATA = click.option(
    "--data",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="TIERTWIN_DATA",
    required=True,
    help="Folder with the data set as published, or with its zip [default: TIERTWIN_DATA].",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
SPLIT = "tuning: every second file by name, from the first; options were chosen there. held out: the others."


@click.command()
@DATA
@JSON
def nab(folder: Path, as_json: bool) -> None:
    """Numenta Anomaly Benchmark: realKnownCause and realAWSCloudwatch by NAB's scoring rules.

    Reads data/<group>/*.csv or nab.zip, and the windows in labels/combined_windows.json or nab_combined_windows.json.
    """
    from tiertwin.study.nab import nab_study

    found = nab_study(folder)
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    click.echo(SPLIT)
    click.echo("score: threshold the best for these very files, as NAB has it; score_fixed: one")
    click.echo("fixed before: ours with every alarm it gives, the others with that which is best for the tuning half.")
    click.echo(table(found["rows"], ("detector", "profile", "files", "windows", "score", "score_fixed")))
    click.echo("\nOurs by file, standard profile, one threshold (the best for all files):")
    columns = ("file", "part", "windows", "found", "false_alarms", "false_alarms_a_day", "raw")
    click.echo(table(found["by_file"], columns))
    click.echo(
        "\nPublished by NAB, standard profile, its threshold for 58 files: summed over the files above, and of all 58:"
    )
    click.echo(table(found["published"], ("detector", "files", "score")))


@click.command()
@DATA
@JSON
def skab(folder: Path, as_json: bool) -> None:
    """Skoltech Anomaly Benchmark: outliers in the valve1 runs, learnt on the first 400 rows of each.

    Reads data/valve1/*.csv, or skab.zip.
    """
    from tiertwin.study.skab import skab_study

    found = skab_study(folder)
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    click.echo(SPLIT)
    click.echo("far_after_clean: false alarms among the normal rows after the first 400.")
    figures = ("f1", "far_percent", "mar_percent")
    click.echo(table(found["rows"], ("detector", "files", *figures, "far_after_clean_percent")))
    click.echo("\nOurs by run; delay: rows (about seconds) from the first anomalous row to the first one told:")
    click.echo(table(found["by_run"], ("run", *figures, "delay_rows")))
    click.echo("\nPublished by SKAB for its 34 files (not the files above alone):")
    click.echo(table(found["published"], ("detector", "files", *figures)))
