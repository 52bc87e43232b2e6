"""Files of a data set, from a folder in its published layout or from a zip archive of it; nothing is unpacked.

`open_tree(folder, name, inside)` takes the first there is: `folder/inside/…`, `folder/…` (the folder itself is what is
inside), `folder/name.zip` with `inside/…` in it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tiertwin.errors import InputError


@dataclass(frozen=True)
class Tree:
    """Names of CSV files, relative and with slashes, and how to read one.

    Parameters
    ----------
    names
        Sorted.
    read
        Text of a file by its name.
    where
        For messages.
    """

    names: tuple[str, ...]
    read: Callable[[str], str]
    where: str


def open_tree(folder: Path, name: str, inside: str, marker: str) -> Tree:
    """Return the CSV files of a data set; `marker`: a sub-folder that must be there. Raises InputError."""
    for root in (folder / inside, folder):
        if (root / marker).is_dir():
            return _unpacked(root)
    packed = folder / f"{name}.zip"
    if not packed.is_file():
        raise InputError(
            f"--data: expected a folder with {inside}/{marker}/*.csv, {marker}/*.csv or {name}.zip in it, got {folder}"
        )
    return _archive(packed, inside, marker)


def _unpacked(root: Path) -> Tree:
    def read(name: str) -> str:
        return (root / name).read_text(encoding="utf-8")

    return Tree(tuple(sorted(p.relative_to(root).as_posix() for p in root.rglob("*.csv"))), read, str(root))


def _archive(packed: Path, inside: str, marker: str) -> Tree:
    try:
        with zipfile.ZipFile(packed) as archive:
            found = [n for n in archive.namelist() if n.startswith(f"{inside}/") and n.endswith(".csv")]
    except zipfile.BadZipFile as error:
        raise InputError(f"{packed}: expected a zip archive, got {error}") from error
    names = tuple(sorted(n.removeprefix(f"{inside}/") for n in found))
    if not any(n.startswith(f"{marker}/") for n in names):
        raise InputError(f"{packed}: expected {inside}/{marker}/*.csv inside, got {len(names)} other CSV files")

    def read(name: str) -> str:
        with zipfile.ZipFile(packed) as archive, archive.open(f"{inside}/{name}") as file:
            return io.TextIOWrapper(file, encoding="utf-8").read()

    return Tree(names, read, str(packed))
