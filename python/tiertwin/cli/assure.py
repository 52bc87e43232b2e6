"""``tiertwin study forecast | life | petshop | nab | skab``: what assurance is worth on public data."""

from __future__ import annotations

import click

from tiertwin.cli.frame import Found, Told, data_option, framed, progress
from tiertwin.cli.tables import table

SPLIT = "tuning: every second file by name, from the first; options were chosen there. held out: the others."


@click.command("forecast")
@data_option("milan_hourly.npz")
@click.option(
    "--method", "methods", multiple=True, help="naive, holt-winters, ridge, kriging, boosted; repeat [default: core]."
)
@framed
def forecast_command(data: str | None, methods: tuple[str, ...]) -> Told:
    """Traffic of 150 cells of Milan, a day and an hour ahead, with 90 % bands."""
    from tiertwin.study.datafolder import data_file
    from tiertwin.study.forecast import CORE, forecast_study

    return forecast_study(data_file("milan_hourly.npz", data), methods or CORE, progress), _tell_forecasts


def _tell_forecasts(found: Found) -> None:
    data = found["data"]
    click.echo(
        f"Last {data['test_days']} of {data['days']} days, {data['cells']} cells; weekly naive NMAE "
        f"{found['weekly_naive_nmae']:.4f}. day: made at 0 h for 24 hours; hour: for the next; ratio: to the naive."
    )
    figures = ("nmae", "ratio", "coverage", "coverage_cells_10", "coverage_cells_90", "width")
    click.echo(table(found["rows"], ("method", "ahead", *figures)))


@click.command("life")
@data_option("cmapss_fd001_train.zip")
@click.option("--method", "methods", multiple=True, help="kernel, boosted; repeat [default: kernel].")
@click.option("--folds", default=5, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the folds and the cuts.")
@click.option("--plant", is_flag=True, help="Foretell failures of parts of the plant instead; needs no data.")
@framed
def life_command(data: str | None, methods: tuple[str, ...], folds: int, seed: int, plant: bool) -> Told:
    """Remaining life of NASA's simulated turbofans (FD001), with 90 % intervals and probabilities of failure."""
    from tiertwin.study.datafolder import data_file
    from tiertwin.study.life import life_study
    from tiertwin.study.partlife import part_life_study

    if plant:
        return part_life_study(seed=seed), _tell_part_lives
    path = data_file("cmapss_fd001_train.zip", data)
    return life_study(path, methods or ("kernel",), folds, seed, told=progress), _tell_lives


def _tell_lives(found: Found) -> None:
    from tiertwin.study.life import HORIZONS

    data = found["data"]
    click.echo(
        f"{data['engines']} engines in {data['folds']} folds (seed {data['seed']}), {data['cuts']} cuts each, life up "
        f"to {data['cap']:g} cycles, intervals of {100 * data['level']:g} %."
    )
    figures = ("rmse", "rmse_low", "rmse_high", "mae", "coverage", "coverage_below_cap", "width")
    click.echo(table(found["rows"], ("method", *figures)))
    click.echo("\nBrier scores of failure within so many cycles; base: always the share in the training folds.")
    scores = [f"{kind}_{w:g}" for w in HORIZONS for kind in ("brier", "base")]
    click.echo(table(found["rows"], ("method", *scores)))


def _tell_part_lives(found: Found) -> None:
    data = found["data"]
    click.echo(f"{data['parts']} parts over {data['days']} days (seed {data['seed']}), half of them learned from:")
    click.echo(
        f"{data['lives_learned']} lives; {data['lives_reported']} of the others cut at {data['cuts']} measurements."
    )
    click.echo("brier: of the probability; base: of always saying the share that failed.")
    click.echo(table(found["rows"], ("lead_days", "method", "precision", "recall", "f1", "brier", "base")))


@click.command("petshop")
@data_option("the data set as published, or its archive petshop_temporal.zip; or that archive")
@framed
def petshop_command(data: str | None) -> Told:
    """Find the root causes of 16 issues of a web shop's microservices."""
    from tiertwin.study.datafolder import data_folder
    from tiertwin.study.petshop import petshop_study
    from tiertwin.study.petshopdata import ARCHIVE

    return petshop_study(data_folder(ARCHIVE, data)), _tell_petshop


def _tell_petshop(found: Found) -> None:
    click.echo(f"{found['issues']} issues. top: the injected cause is the first, or among the first three. published:")
    click.echo("top-1 of the baseline of the data's authors, which learns from normal days.")
    figures = ("metric", "method", "issues", "top1", "top3", "published_top1")
    click.echo(table(found["rows"], figures))
    click.echo(
        "\nresponsibility, when less is known: what is normal from the issue's own windows alone, one window of it:"
    )
    click.echo(table(found["other_windows"], ("own_normal", "first_window", "metric", "top1", "top3")))
    click.echo("\nBy threshold of an alarm, all issues (above: chosen without the issue itself):")
    click.echo(table(found["by_threshold"], ("method", "threshold", "top1", "top3")))


@click.command("nab")
@data_option("the data set as published, or its archive nab.zip")
@framed
def nab_command(data: str | None) -> Told:
    """Numenta Anomaly Benchmark: realKnownCause and realAWSCloudwatch by NAB's scoring rules.

    Reads data/<group>/*.csv or nab.zip, and the windows in labels/combined_windows.json or nab_combined_windows.json.
    """
    from tiertwin.study.datafolder import data_folder
    from tiertwin.study.nab import ARCHIVE, nab_study

    return nab_study(data_folder(ARCHIVE, data)), _tell_nab


def _tell_nab(found: Found) -> None:
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


@click.command("skab")
@data_option("the data set as published, or its archive skab.zip")
@framed
def skab_command(data: str | None) -> Told:
    """Skoltech Anomaly Benchmark: outliers in the valve1 runs, learnt on the first 400 rows of each.

    Reads data/valve1/*.csv, or skab.zip.
    """
    from tiertwin.study.datafolder import data_folder
    from tiertwin.study.skab import ARCHIVE, skab_study

    return skab_study(data_folder(ARCHIVE, data)), _tell_skab


def _tell_skab(found: Found) -> None:
    click.echo(SPLIT)
    click.echo("far_after_clean: false alarms among the normal rows after the first 400.")
    figures = ("f1", "far_percent", "mar_percent")
    click.echo(table(found["rows"], ("detector", "files", *figures, "far_after_clean_percent")))
    click.echo("\nOurs by run; delay: rows (about seconds) from the first anomalous row to the first one told:")
    click.echo(table(found["by_run"], ("run", *figures, "delay_rows")))
    click.echo("\nPublished by SKAB for its 34 files (not the files above alone):")
    click.echo(table(found["published"], ("detector", "files", *figures)))
