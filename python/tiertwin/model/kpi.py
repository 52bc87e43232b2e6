"""What is said of a KPI: name, unit, direction, definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", ""]
Per = Literal["run", "epoch", "both"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI.

    Parameters
    ----------
    name
        Its fixed name, in JSON, SQL and Python.
    unit
        Unit of the value; ``ratio`` is dimensionless (0.01 is 1 %).
    better
        Which direction is better; empty where neither is (a bound, a scale).
    per
        ``epoch``: a row of the history; ``run``: a value of ``policies.<name>`` in the JSON object; ``both``: both.
    title
        What a table or a chart calls it.
    definition
        What exactly is counted, over what, and by whom.
    """

    name: str
    unit: str
    better: Better
    per: Per
    title: str
    definition: str
