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


PERCENTILE = "In brackets: 95 % intervals (bootstrap)."


def brief(figure: dict[str, float]) -> str:
    """Return a figure with its interval; a dash where there is none."""
    if figure["value"] != figure["value"]:
        return "–"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def spread(row: dict[str, Any], figures: tuple[str, ...]) -> dict[str, Any]:
    """Return the row with its figures as text."""
    return row | {key: brief(row[key]) for key in figures}
