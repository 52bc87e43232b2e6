"""SUMO's floating car data (FCD export), read as a stream.

    <fcd-export> <timestep time="0.00"> <vehicle id="v0" x="1.0" y="2.0" speed="3.0" .../> </timestep> ... </fcd-export>

Persons and containers are users as well. With ``--fcd-output.geo`` x is the longitude and y the latitude: say
``geo=True``. No tree is built: memory is one batch, the users' names, and at most 1 MiB of an unfinished element.
Document types and entities are refused: floating car data has none, and they can point to other files or
grow without end.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from tiertwin.errors import InputError
from tiertwin.plant.traces.batch import TraceBatch
from tiertwin.plant.traces.source import BATCH_ROWS, Plane, RowReader, Rows, Source, chunk, opened

_CHUNK = 65_536
_MAX_ELEMENT = 1 << 20
_MAX_DEPTH = 16
_ROOT = "fcd-export"
_USERS = ("vehicle", "person", "container")
_NAN = float("nan")


class SumoTrace(RowReader):
    """Batches of positions out of a SUMO FCD file; iterate once.

    Parameters
    ----------
    source
        Path (``.gz`` is unpacked on the way) or open binary file.
    policy
        ``strict``: the first bad row is an InputError. ``skip``: it is left out and counted in `skips`.
    geo
        Whether x and y are longitude and latitude in degrees.
    origin
        (latitude, longitude) of x = y = 0 with `geo`; None: the first position of the file.
    max_gap_s
        A user unseen for longer has a gap: an error when strict, counted otherwise.
    batch_rows
        Positions in a batch, at least; one element of the file may add none or one.
    """

    def __init__(
        self,
        source: Source,
        *,
        policy: str = "strict",
        geo: bool = False,
        origin: tuple[float, float] | None = None,
        max_gap_s: float = float("inf"),
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        self._source = source
        self.name = str(getattr(source, "name", source))
        self._rows = Rows(self.name, policy, max_gap_s, batch_rows, (), ())
        self._plane = Plane(origin) if geo else None
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.ExternalEntityRefHandler = self._refuse
        self._time: float | None = None  # of the timestep that is open
        self._depth = 0
        self._ended = False

    def __iter__(self) -> Iterator[TraceBatch]:
        self._rows.begin()
        fed = 0
        with opened(self._source) as file:
            while not self._ended:
                try:
                    data = chunk(file, _CHUNK, self.name)
                except EOFError:
                    data = b""  # a packed file without its end: expat says where the document broke off
                self._parse(data)
                fed += len(data)
                if not self._ended and fed - self._parser.CurrentByteIndex > _MAX_ELEMENT:
                    raise self._wrong(f"expected elements of at most {_MAX_ELEMENT} bytes, got a longer one")
                if self._rows.full:
                    yield self._rows.take()
        last = self._rows.take()
        if len(last):
            yield last

    def _parse(self, data: bytes) -> None:
        self._ended = not data
        try:
            self._parser.Parse(data, self._ended)
        except expat.ExpatError as error:
            if not self._ended:
                raise self._wrong(f"expected XML, got {expat.ErrorString(error.code)}") from None
            self._rows.checker.complain(
                "truncated", error.lineno, f"expected </{_ROOT}> at the end, the file breaks off"
            )

    def _wrong(self, text: str) -> InputError:
        return InputError(
            f"{text}. Is it the file of SUMO's --fcd-output?", f"{self.name}, line {self._parser.CurrentLineNumber}"
        )

    def _refuse(self, *_: object) -> int:
        raise self._wrong("expected no document type and no entities, got one (refused: it may name other files)")

    def _start(self, tag: str, of: dict[str, str]) -> None:
        self._depth += 1
        line = self._parser.CurrentLineNumber
        if self._depth > _MAX_DEPTH:
            raise self._wrong(f"expected at most {_MAX_DEPTH} elements inside one another, got one more")
        if self._depth == 1 and tag != _ROOT:
            raise self._wrong(f"expected <{_ROOT}> first, got <{tag}>")
        if tag == "timestep":
            self._time = self._number(of, "time", line)
        elif tag in _USERS:
            self._take(tag, of, line)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "timestep":
            self._time = None

    def _number(self, of: dict[str, str], key: str, line: int) -> float | None:
        """Return an attribute as a number, or None (told and counted)."""
        try:
            return float(of[key])
        except (KeyError, ValueError):
            came = f"{key}={of[key]!r}" if key in of else f"only {', '.join(sorted(of)) or 'none'}"
            self._rows.checker.complain("unreadable", line, f"expected attribute {key!r} with a number, got {came}")
            return None

    def _take(self, tag: str, of: dict[str, str], line: int) -> None:
        if self._time is None:
            self._rows.checker.complain(
                "unreadable", line, f"expected <{tag}> inside a <timestep> with its time, got it elsewhere"
            )
            return
        name = of.get("id", "")
        if not name:
            self._rows.checker.complain("unreadable", line, f"expected attribute 'id' of <{tag}>, got none")
            return
        x, y = self._number(of, "x", line), self._number(of, "y", line)
        speed = self._number(of, "speed", line) if "speed" in of else _NAN
        if x is None or y is None or speed is None:
            return
        if self._plane is not None:
            x, y = self._plane.metres(y, x)
        user = self._rows.user(name, line)
        if user >= 0:
            self._rows.add((self._time, user, x, y, speed, line), [], [])
