"""History of a run in DuckDB: KPIs, beliefs, decisions and link loads, written once an epoch in one transaction.

Rows are gathered as columns and handed over as dictionaries of numpy arrays, which DuckDB scans in place: 10 000 belief
rows take 7 ms, against 5 s row by row with ``executemany``; no pandas, no pyarrow. A transaction is in the
write-ahead log before ``commit`` returns, so a killed run is read up to its last epoch (a test cuts the log at many
places and always finds a whole number of epochs).

One thread, one process a file: a second process cannot open it while the run is being written.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from tiertwin.errors import InputError
from tiertwin.store.folder import output_error
from tiertwin.store.table import Table

SCHEMA: dict[str, dict[str, str]] = {
    "kpi": {
        "policy": "VARCHAR",
        "epoch": "INTEGER",
        "tier": "VARCHAR",
        "twin": "VARCHAR",
        "kpi": "VARCHAR",
        "value": "DOUBLE",
        "unit": "VARCHAR",
    },
    # what `twin` learned at known_ns: the newest row of an attribute with known_ns <= t is what it believed at t
    "belief": {
        "policy": "VARCHAR",
        "epoch": "INTEGER",
        "twin": "VARCHAR",
        "known_ns": "BIGINT",
        "entity": "VARCHAR",
        "attribute": "VARCHAR",
        "value": "DOUBLE",
        "sample_ns": "BIGINT",
    },
    "decision": {
        "policy": "VARCHAR",
        "epoch": "INTEGER",
        "twin": "VARCHAR",
        "entity": "VARCHAR",
        "attribute": "VARCHAR",
        "value": "DOUBLE",
        "unit": "VARCHAR",
        "lease_until_ns": "BIGINT",
    },
    # one row a direction: a → b carries load_mbps of capacity_mbps
    "link": {
        "policy": "VARCHAR",
        "epoch": "INTEGER",
        "link": "INTEGER",
        "a": "VARCHAR",
        "b": "VARCHAR",
        "load_mbps": "DOUBLE",
        "capacity_mbps": "DOUBLE",
        "utilisation": "DOUBLE",
    },
}
_DTYPES: dict[str, Any] = {"VARCHAR": object, "INTEGER": np.int32, "BIGINT": np.int64, "DOUBLE": np.float64}

# one thread: batches are small, and rows keep the order in which they came; never fetch an extension from the network
_CONFIG = {"threads": "1", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}

AS_OF = """
SELECT entity, attribute, value, known_ns, sample_ns, ($t - sample_ns) / 1e6 AS age_ms
FROM belief WHERE policy = $policy AND twin = $twin AND known_ns <= $t
QUALIFY row_number() OVER (PARTITION BY entity, attribute ORDER BY known_ns DESC, rowid DESC) = 1
ORDER BY entity, attribute
"""


class HistoryWriter:
    """Gathers rows of an epoch and writes them in one transaction.

    Raises
    ------
    OutputError
        The file cannot be made or written; what was committed stays readable.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pieces: dict[str, list[tuple[int, tuple[Any, ...]]]] = {table: [] for table in SCHEMA}
        with self._writing():
            self._connection = duckdb.connect(str(path), config=dict(_CONFIG))
            for table, columns in SCHEMA.items():
                made = ", ".join(f"{name} {kind}" for name, kind in columns.items())
                self._connection.execute(f"CREATE TABLE {table} ({made})")

    def add(self, table: str, rows: int, *values: Any) -> None:
        """Gather `rows` rows: one value a column, each a sequence of `rows` values or one value for all of them."""
        if rows:
            self._pieces[table].append((rows, values))

    def commit(self) -> None:
        """Write what was gathered in one transaction."""
        with self._writing():
            self._connection.execute("BEGIN")
            for table, pieces in self._pieces.items():
                if pieces:
                    self._insert(table, pieces)
            self._connection.execute("COMMIT")
        for pieces in self._pieces.values():
            pieces.clear()

    def close(self) -> None:
        """Close the file. All committed rows are in its write-ahead log, so folding them in may fail without loss."""
        with suppress(duckdb.Error):
            self._connection.close()

    def _insert(self, table: str, pieces: list[tuple[int, tuple[Any, ...]]]) -> None:
        lengths = [rows for rows, _ in pieces]
        # DuckDB finds `batch` by its name in this frame; registering it as a view costs 0.6 ms more a call
        batch = {  # noqa: F841
            name: _column([values[index] for _, values in pieces], lengths, _DTYPES[kind])
            for index, (name, kind) in enumerate(SCHEMA[table].items())
        }
        self._connection.execute(f"INSERT INTO {table} SELECT * FROM batch")  # noqa: S608  names of our own schema

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise output_error("the history of the run", self._path, _as_oserror(error)) from error


def _as_oserror(error: duckdb.Error) -> OSError:
    """DuckDB says the reason only in words."""
    text = str(error)
    for words, number in (
        ("No space left", errno.ENOSPC),
        ("quota exceeded", errno.EDQUOT),
        ("Read-only file system", errno.EROFS),
        ("Permission denied", errno.EACCES),
        ("File too large", errno.EFBIG),
    ):
        if words in text:
            return OSError(number, words)
    return OSError(text.splitlines()[0])


def _column(parts: list[Any], lengths: list[int], dtype: Any) -> np.ndarray:
    """One column of a batch from the pieces of the epoch."""
    if not any(_is_column(part) for part in parts):
        return np.repeat(np.asarray(parts, dtype=dtype), lengths)
    whole = [
        np.asarray(part, dtype=dtype) if _is_column(part) else np.full(rows, part, dtype=dtype)
        for part, rows in zip(parts, lengths, strict=True)
    ]
    return whole[0] if len(whole) == 1 else np.concatenate(whole)


def _is_column(part: Any) -> bool:
    return not isinstance(part, str) and hasattr(part, "__len__")


class HistoryReader:
    """Reads the history of a run; the file is never changed.

    Raises
    ------
    InputError
        The file cannot be read: it is being written, damaged, or made by a newer DuckDB.
    """

    def __init__(self, path: Path, busy: bool) -> None:
        try:
            self._connection = duckdb.connect(str(path), read_only=True, config=dict(_CONFIG))
        except duckdb.Error as error:
            if busy:
                raise InputError(
                    "the run is still being written by another process; its history can be read when it has ended",
                    str(path),
                ) from error
            raise InputError(
                f"expected a history written by DuckDB, got: {str(error).splitlines()[0]} "
                f"(this is DuckDB {duckdb.__version__}; versions.json names the one that wrote it)",
                str(path),
            ) from error
        held = self._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        self.missing = sorted(set(SCHEMA) - {name for (name,) in held})

    def query(self, sql: str, parameters: dict[str, Any] | Sequence[Any] | None = None) -> Table:
        """Return the rows of one statement."""
        try:
            found = self._connection.execute(sql, parameters).fetchnumpy()
        except duckdb.Error as error:
            raise InputError(f"expected a query DuckDB can answer, got: {error}", "history") from error
        return Table({name: _unmasked(column) for name, column in found.items()})

    def export_parquet(self, folder: Path) -> list[Path]:
        """Write one Parquet file a table and return their paths."""
        written = []
        for table in SCHEMA:
            if table in self.missing:
                continue
            path = folder / f"{table}.parquet"
            target = str(path).replace("'", "''")
            try:
                self._connection.execute(f"COPY {table} TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
            except duckdb.Error as error:
                raise output_error("Parquet", path, _as_oserror(error)) from error
            written.append(path)
        return written

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._connection.close()


def empty(table: str) -> Table:
    """Return a Table with the columns of `table` and no rows."""
    return Table({name: np.empty(0, dtype=_DTYPES[kind]) for name, kind in SCHEMA[table].items()})


def _unmasked(column: Any) -> Any:
    """NULL (DuckDB's reading of NaN in a batch) as NaN again."""
    if isinstance(column, np.ma.MaskedArray):
        return column.filled(np.nan) if column.dtype.kind == "f" else column.filled()
    return column
