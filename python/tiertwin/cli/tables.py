"""Rows as plain text, for the studies."""

from __future__ import annotations

from typing import Any


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """Plain text, columns aligned, numbers to four digits."""
    cells = [list(columns)]
    for row in rows:
        cells.append(
            [
                "" if row.get(c) is None else f"{row[c]:.4g}" if isinstance(row[c], float) else str(row[c])
                for c in columns
            ]
        )
    width = [max(len(line[k]) for line in cells) for k in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, width, strict=True)).rstrip() for line in cells)
