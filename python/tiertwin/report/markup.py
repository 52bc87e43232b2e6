"""HTML by function calls: everything that comes from a run is escaped here and nowhere else."""

from __future__ import annotations

import html
import json
from typing import Any


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


VOID = frozenset({"meta", "link", "input", "br", "path", "line", "circle", "rect", "polygon"})


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Return one element; `children` that are not Markup are escaped, attributes always are.

    A trailing underscore of an attribute name is dropped (``class_``), inner ones become hyphens; None leaves it out.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID and not children:
        return Markup(f"<{name}{given}{'/' if name in {'path', 'line', 'circle', 'rect', 'polygon'} else ''}>")
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """Return the children one after the other, escaped where they are not Markup."""
    return Markup("".join(_one(child) for child in children))


def _one(child: object) -> str:
    if isinstance(child, Markup):
        return child
    if isinstance(child, list | tuple):
        return join(*child)
    return "" if child is None else html.escape(str(child), quote=False)


def data(identity: str, value: Any) -> Markup:
    """Return `value` as JSON for a script to read; nothing in it can close the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False).replace("<", "\\u003c")
    return Markup(f'<script type="application/json" id="{identity}">{text}</script>')


def minus(text: str) -> str:
    """Return a figure with a true minus sign, which lines up with digits and does not break."""
    return f"−{text[1:]}" if text.startswith("-") else text


def number(value: float) -> str:
    """Return a coordinate with one decimal, no trailing zero."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")
