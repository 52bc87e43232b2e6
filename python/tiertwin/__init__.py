"""tiertwin: a hierarchical network digital twin that decides.

``import tiertwin`` loads nothing heavy: public names resolve on first use (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tiertwin.runtime.api import Result, load, run

_LAZY = {"load": "tiertwin.runtime.api", "run": "tiertwin.runtime.api", "Result": "tiertwin.runtime.api"}
__all__ = ["Result", "__version__", "load", "run"]

if not TYPE_CHECKING:  # a type checker takes the names above, and no others

    def __getattr__(name: str) -> object:
        if name in _LAZY:
            from importlib import import_module  # noqa: PLC0415

            value = getattr(import_module(_LAZY[name]), name)
            globals()[name] = value
            return value
        raise AttributeError(f"module 'tiertwin' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
