"""What was found wrong with a running tree, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence; `wrong`: somebody should do something about it. `facts` is the same for programs."""

    kind: str
    text: str
    wrong: bool
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyNote:
    """How a key stands: days left, or the problem."""

    name: str
    days_left: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, the most important first."""

    head: str
    findings: list[Finding]
    epoch: int
    answered: int
    asked: int

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not any(finding.wrong for finding in self.findings)

    def to_text(self) -> str:
        """Return it for people."""
        wrong = [f.text for f in self.findings if f.wrong]
        rest = [f.text for f in self.findings if not f.wrong]
        lines = [self.head, *(f"WRONG  {text}" for text in wrong), *(f"       {text}" for text in rest)]
        last = (
            "Nothing is wrong."
            if self.healthy
            else f"{len(wrong)} {'thing is' if len(wrong) == 1 else 'things are'} wrong."
        )
        return "\n".join([*lines, last])
