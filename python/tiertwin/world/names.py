"""Twin names from topology names (R40): ``Köln`` → ``koeln`` → ``edge-koeln``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONGEST = 63 - len("device-")
_SPELT = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",  # codespell:ignore ue
        "ß": "ss",
        "æ": "ae",
        "ø": "oe",
        "å": "aa",
        "ł": "l",
        "đ": "d",
    }
)


def slugs(names: Sequence[str]) -> tuple[str, ...]:
    """Return a unique node-name form of each topology name: ``[a-z0-9-]``, at most 56 characters.

    A name with no such character becomes ``n<index>``; a form that is taken gets the first free number behind it.
    """
    taken: set[str] = set()
    made = []
    for index, name in enumerate(names):
        base = slug(name) or f"n{index}"
        form, number = base, 2
        while form in taken:
            tail = f"-{number}"
            form, number = base[: LONGEST - len(tail)].rstrip("-") + tail, number + 1
        taken.add(form)
        made.append(form)
    return tuple(made)


def slug(name: str) -> str:
    """Return the node-name form of one name, possibly empty."""
    spelt = unicodedata.normalize("NFKC", name).lower().translate(_SPELT)
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-")
