"""Tables of positions, one row a sample, read as a stream: any column names, metres or degrees, seconds or dates."""

from __future__ import annotations

import calendar
import csv
import time as clock_format
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from tiertwin.errors import InputError, suggest
from tiertwin.plant.traces.batch import TraceBatch
from tiertwin.plant.traces.source import BATCH_ROWS, DAMAGE, DamagedError, Plane, RowReader, Rows, Source, opened

_MAX_LINE = 1 << 16  # bytes
_NAN = float("nan")
_MISSING = frozenset(("", "-", "nan", "NaN", "NA"))


@dataclass(frozen=True, slots=True)
class CsvColumns:
    """Which column says what. Give `x` and `y`, or `lat` and `lon`."""

    time: str = "time"
    user: str = "id"
    x: str | None = None
    """m, east"""
    y: str | None = None
    """m, north"""
    lat: str | None = None
    """degrees"""
    lon: str | None = None
    """degrees"""
    speed: str | None = None
    speed_unit_mps: float = 1.0
    """m/s in one unit of the speed column; 1/3.6 for km/h"""
    time_format: str | None = None
    """None: seconds. Otherwise as of `time.strptime`, taken as UTC and counted from 1970"""

    @property
    def geo(self) -> bool:
        """Whether positions are degrees."""
        return self.lat is not None


class CsvTrace(RowReader):
    """Batches of positions out of a table with a header; iterate once.

    One row a line (no line breaks inside quotes), UTF-8, at most 64 KiB a line. Memory is one batch and the users'
    names.

    Parameters
    ----------
    source
        Path (``.gz`` is unpacked on the way) or open binary file.
    columns
        Which column says what; other columns are not looked at (their names: `ignored`).
    numbers, words
        Further columns to hand on as numbers (``-`` and empty are NaN) or as text.
    policy, max_gap_s, origin, batch_rows
        As for `SumoTrace`.
    """

    def __init__(
        self,
        source: Source,
        columns: CsvColumns,
        *,
        numbers: Sequence[str] = (),
        words: Sequence[str] = (),
        delimiter: str = ",",
        policy: str = "strict",
        origin: tuple[float, float] | None = None,
        max_gap_s: float = float("inf"),
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        pairs = (columns.x is not None, columns.y is not None), (columns.lat is not None, columns.lon is not None)
        if sorted(pairs) != [(False, False), (True, True)]:
            raise InputError("columns: expected x and y, or lat and lon, and not both", "CsvColumns")
        self._source = source
        self.name = str(getattr(source, "name", source))
        self.ignored: list[str] = []
        self._columns, self._numbers, self._words = columns, tuple(numbers), tuple(words)
        self._delimiter = delimiter
        self._plane = Plane(origin) if columns.geo else None
        self._rows = Rows(self.name, policy, max_gap_s, batch_rows, numbers, words)
        self._line = 0
        self._time_text, self._time_value = "", _NAN  # the last date converted: many rows share it

    @property
    def origin(self) -> tuple[float, float] | None:
        """(latitude, longitude) of x = y = 0; None with metres, or before the first row."""
        return self._plane.origin if self._plane else None

    def __iter__(self) -> Iterator[TraceBatch]:
        self._rows.begin()
        with opened(self._source) as file:
            table = csv.reader(self._lines(file), delimiter=self._delimiter, strict=True)
            place = self._header(next(table, []))
            width = len(place) + len(self.ignored)
            while (fields := self._next(table)) is not None:
                self._take(fields, place, width)
                if self._rows.full:
                    yield self._rows.take()
        last = self._rows.take()
        if len(last):
            yield last

    def _where(self) -> str:
        return f"{self.name}, line {self._line}"

    def _lines(self, file: IO[bytes]) -> Iterator[str]:
        while True:
            try:
                raw = file.readline(_MAX_LINE + 1)
            except EOFError:
                self._rows.checker.complain(
                    "truncated", self._line, "expected the rest of the packed file, it breaks off after this line"
                )
                return
            except DAMAGE as error:
                raise DamagedError(f"expected a gzip file, got {error}. Was it copied completely?", self.name) from None
            if not raw:
                return
            self._line += 1
            if len(raw) > _MAX_LINE:
                raise InputError(
                    f"expected lines of at most {_MAX_LINE} bytes, got a longer one. Is it a table?", self._where()
                )
            yield raw.decode("utf-8-sig" if self._line == 1 else "utf-8", errors="replace")

    def _next(self, table: Iterator[list[str]]) -> list[str] | None:
        """Return the fields of the next row, [] for one that is not readable (told and counted), None at the end."""
        try:
            return next(table, None)
        except csv.Error as error:
            self._rows.checker.complain("unreadable", self._line, f"expected fields of a table, got {error}")
            return []

    def _header(self, names: list[str]) -> dict[str, int]:
        """Return where each column stands, under its name."""
        if not names:
            raise InputError("expected a header line with the names of columns, got an empty file", self.name)
        c = self._columns
        wanted = [w for w in (c.time, c.user, c.x, c.y, c.lat, c.lon, c.speed, *self._numbers, *self._words) if w]
        problems = [f"expected a column {w!r}, got none{suggest(w, names)}" for w in wanted if w not in names]
        problems += [f"expected column {w!r} once, got it {names.count(w)} times" for w in wanted if names.count(w) > 1]
        if problems:
            raise InputError(problems, f"{self.name}, line 1")
        self.ignored = [name for name in names if name not in wanted]
        return {w: names.index(w) for w in dict.fromkeys(wanted)}

    def _take(self, fields: list[str], place: dict[str, int], width: int) -> None:
        if not fields:
            return  # an empty line, or one already told
        if len(fields) != width:
            self._rows.checker.complain("unreadable", self._line, f"expected {width} fields, got {len(fields)}")
            return
        try:
            row = self._row(fields, place)
            numbers = [self._number(fields[place[name]], name) for name in self._numbers]
        except ValueError as error:
            self._rows.checker.complain("unreadable", self._line, str(error))
            return
        if row[1] >= 0:
            self._rows.add(row, numbers, [fields[place[name]] for name in self._words])

    def _row(self, fields: list[str], place: dict[str, int]) -> tuple[float, int, float, float, float, int]:
        c = self._columns
        time_s = self._time(fields[place[c.time]])
        if c.lat and c.lon and self._plane:
            lat, lon = (self._number(fields[place[name]], name) for name in (c.lat, c.lon))
            x, y = self._plane.metres(lat, lon)
            if x != x and lat == lat and lon == lon:
                raise ValueError(f"expected latitude within ±90° and longitude within ±180°, got {lat:g}, {lon:g}")
        else:
            x, y = (self._number(fields[place[str(name)]], str(name)) for name in (c.x, c.y))
        speed = self._number(fields[place[c.speed]], c.speed) * c.speed_unit_mps if c.speed else _NAN
        name = fields[place[c.user]]
        if not name:
            raise ValueError(f"expected a name in column {c.user!r}, got none")
        return time_s, self._rows.user(name, self._line), x, y, speed, self._line

    def _number(self, text: str, name: str) -> float:
        if text in _MISSING:
            return _NAN
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"expected a number in column {name!r}, got {text[:40]!r}") from None

    def _time(self, text: str) -> float:
        form = self._columns.time_format
        if form is None:
            return self._number(text, self._columns.time)
        if text != self._time_text:
            try:
                self._time_value = float(calendar.timegm(clock_format.strptime(text, form)))
            except ValueError:
                raise ValueError(
                    f"expected a time like {form!r} in column {self._columns.time!r}, got {text[:40]!r}"
                ) from None
            self._time_text = text
        return self._time_value
