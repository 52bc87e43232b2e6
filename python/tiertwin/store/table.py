"""A small tidy frame: named columns of equal length, printable and convertible, with nothing installed.

It is what queries of a run return. Columns are numpy arrays or lists; the class itself needs neither numpy nor pandas,
so a notebook user gets ``.to_pandas()`` and a plain script gets rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tiertwin.errors import InputError, MissingExtraError, suggest

if TYPE_CHECKING:
    from rich.table import Table as RichTable

Column = Any  # numpy array or list: anything with len() and []


class Table:
    """Named columns of equal length, in order.

    Parameters
    ----------
    columns
        Name → numpy array or list, one value a row. Columns are kept, not copied: treat them as read-only.

    Raises
    ------
    InputError
        Two columns differ in length.
    """

    __slots__ = ("_columns", "_length")

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = dict(columns)
        lengths = {name: len(column) for name, column in self._columns.items()}
        self._length = next(iter(lengths.values()), 0)
        odd = {name: length for name, length in lengths.items() if length != self._length}
        if odd:
            raise InputError(f"columns of a Table have one length: expected {self._length} rows, got {odd}")

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._columns)

    def __len__(self) -> int:
        return self._length

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Column:
        try:
            return self._columns[name]
        except KeyError:
            raise InputError(f"no column {name!r}{suggest(name, self.columns)}") from None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = self.columns
        lists = [_as_list(column) for column in self._columns.values()]
        return (dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True))

    def __repr__(self) -> str:
        return f"Table({self._length} rows: {', '.join(self._columns)})"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries of plain Python values."""
        return list(self)

    def take(self, rows: Sequence[int]) -> Table:
        """Return the rows at these positions, in this order."""
        return Table({name: _take(column, rows) for name, column in self._columns.items()})

    def head(self, count: int = 10) -> Table:
        """Return the first `count` rows."""
        return Table({name: column[:count] for name, column in self._columns.items()})

    def where(self, **equal: Any) -> Table:
        """Return the rows in which each named column equals the given value: ``t.where(kpi="jain", epoch=3)``."""
        rows: Sequence[int] = range(self._length)
        for name, wanted in equal.items():
            column = _as_list(self[name])
            rows = [row for row in rows if column[row] == wanted]
        return self.take(rows)

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame`` with the same columns.

        Raises
        ------
        MissingExtraError
            pandas is not installed; the message is the pip line.
        """
        try:
            import pandas  # noqa: PLC0415  an extra
        except ImportError:
            raise _missing("pandas") from None
        return pandas.DataFrame(self._columns)

    def to_polars(self) -> Any:
        """Return a ``polars.DataFrame`` with the same columns.

        Raises
        ------
        MissingExtraError
            polars is not installed; the message is the pip line.
        """
        try:
            import polars  # noqa: PLC0415  an extra
        except ImportError:
            raise _missing("polars") from None
        # lists, not object arrays: polars would keep those as opaque Python objects
        return polars.DataFrame({name: _plain(column) for name, column in self._columns.items()})

    def table(self, title: str = "", rows: int = 40) -> str:
        """Return the rows as aligned plain text, at most `rows` of them, saying how many more there are."""
        shown = self.head(rows)
        cells = [[_cell(value) for value in _as_list(column)] for column in shown._columns.values()]
        widths = [max([len(name), *map(len, column)]) for name, column in zip(self.columns, cells, strict=True)]
        right = [_is_numeric(column) for column in shown._columns.values()]
        lines = [title] if title else []
        lines.append(_line(self.columns, widths, right))
        lines.append("  ".join("─" * width for width in widths))
        lines += [_line(row, widths, right) for row in zip(*cells, strict=True)]
        if self._length > rows:
            lines.append(f"… {self._length - rows} more rows")
        return "\n".join(lines)

    def rich(self, title: str = "", rows: int = 40) -> RichTable:
        """Return a ``rich`` table of at most `rows` rows."""
        from rich.table import Table as RichTable  # noqa: PLC0415  only for people
        from rich.text import Text  # noqa: PLC0415  as Text: in a plain string rich would read [x] as a style

        made = RichTable(
            title=Text(title) if title else None, title_justify="left", header_style="bold", box=None, pad_edge=False
        )
        shown = self.head(rows)
        for name, column in shown._columns.items():
            made.add_column(Text(name), justify="right" if _is_numeric(column) else "left", overflow="fold")
        for row in shown:
            made.add_row(*(Text(_cell(value)) for value in row.values()))
        if self._length > rows:
            made.caption = f"{self._length - rows} more rows"
        return made


def _missing(package: str) -> MissingExtraError:
    return MissingExtraError(f'Frames need {package}: pip install "tiertwin[data]"')


def _as_list(column: Column) -> list[Any]:
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _plain(column: Column) -> Column:
    return column.tolist() if getattr(getattr(column, "dtype", None), "kind", "") == "O" else column


def _take(column: Column, rows: Sequence[int]) -> Column:
    return column[list(rows)] if hasattr(column, "dtype") and len(rows) else [column[row] for row in rows]


def _is_numeric(column: Column) -> bool:
    kind = getattr(getattr(column, "dtype", None), "kind", None)
    if kind is not None and kind != "O":
        return kind in "iuf"
    return all(isinstance(value, int | float) for value in _as_list(column))


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
    return "  ".join(padded).rstrip()
