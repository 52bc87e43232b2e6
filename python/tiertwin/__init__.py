"""tiertwin: a hierarchical network digital twin that decides.

``import tiertwin`` loads nothing heavy: public names resolve on first use (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiertwin.lazy import resolver

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tiertwin.runtime.api import Result, load, run

_HOME = {"load": "runtime.api", "run": "runtime.api", "Result": "runtime.api"}
__all__ = ["Result", "__version__", "load", "run"]

if not TYPE_CHECKING:  # a type checker takes the names above, and no others
    __getattr__ = resolver(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
