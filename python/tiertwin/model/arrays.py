"""What users give as arrays: a number stands for all, anything else must have the right length and kind.

Messages name the field, what was expected and what came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def whole_numbers(name: str, values: ArrayLike, count: int | None, *, flags: bool = False) -> I64:
    """Return whole numbers as int64, [count]; with `count` None of any length. `flags`: true and false are 1 and 0.

    Raises
    ------
    TypeError
        They are not whole.
    ValueError
        Their number is wrong, or one is beyond int64.
    """
    given = np.asarray(values)
    if given.size and given.dtype.kind not in ("iub" if flags else "iu"):
        raise TypeError(f"{name}: expected whole numbers, got {given.dtype}")
    if given.dtype.kind == "u" and given.size and int(given.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"{name}: expected at most {np.iinfo(np.int64).max}, got {given.max()}")
    return _shaped(name, given, count).astype(np.int64, order="C")


def real_numbers(name: str, values: ArrayLike, count: int | None) -> F64:
    """Return numbers as float64, [count]; with `count` None of any length. Raises as `whole_numbers`."""
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected numbers, got {given.dtype}")
    return _shaped(name, given, count).astype(np.float64, order="C")


def codes(name: str, given: str | Sequence[str], known: Mapping[str, int], count: int) -> I64:
    """Return the numbers of words, [count]; one word stands for all. ValueError: one that is not known."""
    words = [given] * count if isinstance(given, str) else list(given)
    for k, word in enumerate(words):
        if word not in known:
            raise ValueError(f"{name}[{k}]: expected one of {', '.join(known)}, got {word!r}")
    return _shaped(name, np.array([known[word] for word in words], dtype=np.int64), count)


def _shaped(name: str, given: NDArray[Any], count: int | None) -> NDArray[Any]:
    if given.ndim == 0:
        return np.full(1 if count is None else count, given)
    if given.ndim != 1 or (count is not None and len(given) != count):
        expected = "one-dimensional" if count is None else f"a number or {count} of them"
        raise ValueError(f"{name}: expected {expected}, got shape {given.shape}")
    return given
