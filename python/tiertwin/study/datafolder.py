"""Real data that does not come with the package: a folder of yours, named by TIERTWIN_DATA or given.

A data set is one file in that folder (`data_file`), or files below it as they were published, or a zip archive of these
in it (`places`, `open_folder`); nothing is unpacked.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from tiertwin.errors import InputError

Place: TypeAlias = Path | zipfile.Path
"""A folder or a file, on disk or in an archive."""

VARIABLE = "TIERTWIN_DATA"
SOURCES = {
    "petshop_temporal.zip": "the folder 'dataset' of the PetShop data, github.com/amazon-science/"
    "petshop-root-cause-analysis, with its scenarios temporal_traffic1 and temporal_traffic2, arXiv 2311.04806",
    "milan_hourly.npz": "array 'activity' (cells × hours, from 1 Nov 2013) made of the Telecom Italia Big Data "
    "Challenge's call-detail records, doi:10.1038/sdata.2015.55",
    "cmapss_fd001_train.zip": "train_FD001.txt of the C-MAPSS turbofan data of NASA (simulated engines run to "
    "failure), A. Saxena et al., PHM 2008",
    "nab.zip": "the folder 'data' of the Numenta Anomaly Benchmark, github.com/numenta/NAB (which may lie there as it "
    "is), with nab_combined_windows.json beside it",
    "skab.zip": "the folder 'data' of the Skoltech Anomaly Benchmark, github.com/waico/SKAB (which may lie there as it "
    "is)",
    "ucc5g_traces.csv.gz": "the 5G traces of University College Cork in one table with a column 'trace' that names the "
    "file of each row, doi:10.1145/3339825.3394938",
}


class DataMissingError(InputError):
    """A data set is not where it should be; the message says which variable to set and what the file holds."""


def data_folder(name: str, given: str | Path | None = None) -> Path:
    """Return the folder given, or else that of the variable; `name`: what is looked for. Raises DataMissingError."""
    if given is not None:
        return Path(given)
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        raise DataMissingError(
            f"Set {VARIABLE} to the folder with {name}: `export {VARIABLE}=/path/to/folder`. {_about(name)}"
        )
    return Path(folder)


def data_file(name: str, given: str | Path | None = None) -> Path:
    """Return the path of a file in the folder given, or else in that of the variable; raises DataMissingError."""
    folder = data_folder(name, given)
    path = folder / name
    if path.is_file():
        return path
    if given is not None:
        raise DataMissingError(f"--data: expected a folder with {name}, got {str(given)!r}. {_about(name)}")
    raise DataMissingError(f"No {name} in {folder}, the folder that {VARIABLE} names. {_about(name)}")


def _about(name: str) -> str:
    return f"{name} holds {SOURCES[name]}."


def places(data: Path, archive: str) -> Iterator[Place]:
    """Yield where a data set may lie: in the folder `data`; in its archive there, or in `data` if that is a file.

    Raises
    ------
    DataMissingError
        There is neither folder nor file.
    InputError
        The archive is none; only when it comes to it.
    """
    if not data.exists():
        raise DataMissingError(f"No folder or archive {data}")
    if data.is_dir():
        yield data
    packed = data / archive if data.is_dir() else data
    if packed.is_file():
        try:
            yield zipfile.Path(packed)
        except zipfile.BadZipFile as error:
            raise InputError(f"expected a zip archive, {error}", str(packed)) from None


def open_folder(data: Path, archive: str, inside: str, marker: str) -> Place:
    """Return the first folder in which the folder `marker` is, of ``inside/`` of each place and the place itself.

    Raises
    ------
    DataMissingError
        There is none; and as `places`.
    """
    for place in places(data, archive):
        for folder in (place / inside, place):
            if (folder / marker).is_dir():
                return folder
    raise DataMissingError(
        f"--data: expected a folder with {inside}/{marker}/*.csv, {marker}/*.csv or {archive} with these in it, "
        f"got {data}"
    )


def csv_files(folder: Place) -> dict[str, Place]:
    """Return the CSV files below a folder by name (relative, with slashes), in order of it."""
    found = dict(_walk(folder, ""))
    return {name: found[name] for name in sorted(found)}


def _walk(folder: Place, above: str) -> Iterator[tuple[str, Place]]:
    for child in folder.iterdir():
        if child.is_dir():
            yield from _walk(child, f"{above}{child.name}/")
        elif child.name.endswith(".csv"):
            yield above + child.name, child
