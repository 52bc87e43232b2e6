"""What the readers share: opening, users by number, rows collected into batches, places on the plane."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from tiertwin.errors import InputError
from tiertwin.plant.traces.batch import Checker, Skips, TraceBatch

Source = str | Path | IO[bytes]
MAX_USERS = 1_000_000
MAX_NAME = 200
BATCH_ROWS = 65_536
_EARTH_M = 6_371_008.8  # mean radius (IUGG)
_NAN = float("nan")
DAMAGE = (zlib.error, gzip.BadGzipFile)


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """Open a file (``.gz`` is unpacked as it is read); an open binary file is used as it is and left open."""
    if not isinstance(source, str | Path):
        yield source
        return
    path = Path(source)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield file  # type: ignore[misc]
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"expected a trace to read, got {error.strerror}. Is the path right?", str(path)) from None


class DamagedError(InputError):
    """A packed file that cannot be unpacked."""


def chunk(file: IO[bytes], size: int, name: str) -> bytes:
    """Read up to `size` bytes; EOFError where a packed file breaks off, DamagedError where it is none."""
    try:
        return file.read(size)
    except DAMAGE as error:
        raise DamagedError(f"expected a gzip file, got {error}. Was it copied completely?", name) from None


class Rows:
    """Collects rows of numbers into batches of a fixed size and has them checked."""

    def __init__(
        self, name: str, policy: str, max_gap_s: float, batch_rows: int, numbers: Sequence[str], words: Sequence[str]
    ) -> None:
        if batch_rows < 1:
            raise InputError(f"batch_rows: expected at least 1, got {batch_rows}")
        self.name = name
        self.users: list[str] = []
        self.skips = Skips()
        self.checker = Checker(name, policy, max_gap_s, self.skips)
        self.batch_rows = batch_rows
        self._begun = False
        self._number_of: dict[str, int] = {}
        self._names = (tuple(numbers), tuple(words))
        self._rows: list[tuple[float, int, float, float, float, int]] = []
        self._numbers: list[list[float]] = []
        self._words: list[list[str]] = []

    def begin(self) -> None:
        """Note that reading begins; InputError the second time: what was told and counted would mix."""
        if self._begun:
            raise InputError("expected a reader to be read once, got it again. Make a new one", self.name)
        self._begun = True

    @property
    def full(self) -> bool:
        """Whether a batch waits to be taken."""
        return len(self._rows) >= self.batch_rows

    def user(self, name: str, line: int) -> int:
        """Return the number of a user, -1 for one too many (told and counted)."""
        number = self._number_of.get(name)
        if number is None:
            if len(name) > MAX_NAME:
                self.checker.complain(
                    "unreadable",
                    line,
                    f"expected names of at most {MAX_NAME} characters, got {len(name)}: {name[:20]!r}…",
                )
                return -1
            if len(self.users) >= MAX_USERS:
                self.checker.complain(
                    "too many users", line, f"expected at most {MAX_USERS} users, got one more, {name!r}"
                )
                return -1
            number = self._number_of[name] = len(self.users)
            self.users.append(name)
        return number

    def add(self, row: tuple[float, int, float, float, float, int], numbers: list[float], words: list[str]) -> None:
        """Take one row: time, user, x, y, speed, line."""
        self._rows.append(row)
        if numbers:
            self._numbers.append(numbers)
        if words:
            self._words.append(words)

    def take(self) -> TraceBatch:
        """Return what was collected, checked."""
        rows = np.array(self._rows, dtype=np.float64).reshape(-1, 6)
        numbers, words = self._numbers, self._words
        batch = TraceBatch(
            np.ascontiguousarray(rows[:, 0]),
            rows[:, 1].astype(np.int64),
            np.ascontiguousarray(rows[:, 2]),
            np.ascontiguousarray(rows[:, 3]),
            np.ascontiguousarray(rows[:, 4]),
            rows[:, 5].astype(np.int64),
            {key: np.array([n[k] for n in numbers], dtype=np.float64) for k, key in enumerate(self._names[0])},
            {key: np.array([w[k] for w in words], dtype=np.str_) for k, key in enumerate(self._names[1])},
        )
        self._rows, self._numbers, self._words = [], [], []
        return self.checker.kept(batch, self.users)


class RowReader:
    """What readers of rows tell of what they have read."""

    _rows: Rows

    @property
    def users(self) -> list[str]:
        """Names of the users seen so far, by number."""
        return self._rows.users

    @property
    def skips(self) -> Skips:
        """What was left out so far."""
        return self._rows.skips


class Plane:
    """Longitude and latitude as metres east and north of an origin.

        x = R cos(lat0) (lon − lon0) π/180,   y = R (lat − lat0) π/180,   R = 6 371 008.8 m

    Lengths are right to 0.5 % within 50 km of an origin below 60° of latitude.

    Parameters
    ----------
    origin
        (latitude, longitude) in degrees; None: the first position that comes.
    """

    def __init__(self, origin: tuple[float, float] | None) -> None:
        self.origin = origin

    def metres(self, lat: float, lon: float) -> tuple[float, float]:
        """Return (x, y); NaN for what is no place on Earth."""
        if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
            return _NAN, _NAN
        if self.origin is None:
            self.origin = (lat, lon)
        lat0, lon0 = self.origin
        return (
            _EARTH_M * math.cos(math.radians(lat0)) * math.radians(lon - lon0),
            _EARTH_M * math.radians(lat - lat0),
        )
