"""Building blocks of everything a user writes: strict, frozen, bounded, finite.

Strings never become numbers, NaN and infinity are refused, unknown keys are errors at every depth. An integer may be
written as `1e6`.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

NODE_NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
NAME_BYTES = 128


class Part(BaseModel):
    """Base of every part of a scenario."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_default=False,
        use_attribute_docstrings=True,
    )


def _integral(value: Any) -> Any:
    """`1e6` is the integer a million; 1.5 stays what it is and is refused by the integer check."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _topology_name(value: str) -> str:
    if not value.strip():
        raise ValueError("expected a name, got only blanks")
    size = len(value.encode())
    if size > NAME_BYTES:
        raise ValueError(f"expected at most {NAME_BYTES} bytes of UTF-8, got {size}")
    for character in value:
        if unicodedata.category(character) in {"Cc", "Zl", "Zp"}:
            raise ValueError(f"expected no control characters, got U+{ord(character):04X}")
    return value


Item = TypeVar("Item")
Rows = Annotated[tuple[Item, ...], Field(strict=False)]
"""A list; only the list itself may come as another sequence, its items are as strict as everything else."""
INTEGRAL = BeforeValidator(_integral)

NodeName = Annotated[str, Field(pattern=NODE_NAME)]
"""A name that becomes a key, path or file (R40)."""
TopologyName = Annotated[str, Field(min_length=1), AfterValidator(_topology_name)]
"""A name of the network's own: data, never part of a path (R40)."""

Count = Annotated[int, Field(ge=0), INTEGRAL]
AtLeastOne = Annotated[int, Field(ge=1), INTEGRAL]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
