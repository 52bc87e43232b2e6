"""Real data that does not come with the package: a folder of yours, named by TIERTWIN_DATA."""

from __future__ import annotations

import os
from pathlib import Path

from tiertwin.errors import InputError

VARIABLE = "TIERTWIN_DATA"
SOURCES = {
    "petshop_temporal.zip": "the folder 'dataset' of the PetShop data, github.com/amazon-science/"
    "petshop-root-cause-analysis, with its scenarios temporal_traffic1 and temporal_traffic2, arXiv 2311.04806",
    "milan_hourly.npz": "array 'activity' (cells × hours, from 1 Nov 2013) made of the Telecom Italia Big Data "
    "Challenge's call-detail records, doi:10.1038/sdata.2015.55",
    "cmapss_fd001_train.zip": "train_FD001.txt of the C-MAPSS turbofan data of NASA (simulated engines run to "
    "failure), A. Saxena et al., PHM 2008",
    "ucc5g_traces.csv.gz": "the 5G traces of University College Cork in one table with a column 'trace' that names the "
    "file of each row, doi:10.1145/3339825.3394938",
}


class DataMissingError(InputError):
    """A data set is not where it should be; the message says which variable to set and what the file holds."""


def data_file(name: str, given: str | Path | None = None) -> Path:
    """Return the path of a file in the folder given, or else in that of the variable; raises DataMissingError."""
    about = f"{name} holds {SOURCES[name]}."
    if given is not None:
        path = Path(given) / name
        if not path.is_file():
            raise DataMissingError(f"--data: expected a folder with {name}, got {str(given)!r}. {about}")
        return path
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        raise DataMissingError(
            f"Set {VARIABLE} to the folder with {name}: `export {VARIABLE}=/path/to/folder`. {about}"
        )
    path = Path(folder) / name
    if not path.is_file():
        raise DataMissingError(f"No {name} in {folder}, the folder that {VARIABLE} names. {about}")
    return path
