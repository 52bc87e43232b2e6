"""A simulated tree's failure, told: options first, what went wrong, the fewest faults it takes, the last events."""

from __future__ import annotations

from support.treefaults import active
from support.treesim import History


def smallest(seed: int, planted: str = "", flips: bool = False, plain: bool = False) -> list[str]:
    """Return fault classes that are enough for a seed to fail: the others were switched off one by one."""
    without: frozenset[str] = frozenset()
    first = History(seed, planted, flips, plain)
    for name in active(first.drawn):
        if History(seed, planted, flips, plain, without | {name}).run() is not None:
            without |= {name}
    return [name for name in active(first.drawn) if name not in without]


def explain(seed: int, planted: str = "", flips: bool = False, plain: bool = False) -> str:
    """Return all that is known of a seed, as text; the options come first, the last 200 events last.

    The events are those of the history with the fewest fault classes that still fails.
    """
    first = History(seed, planted, flips, plain)
    drawn = " ".join(f"{name}={getattr(value, 'name', value)}" for name, value in sorted(first.drawn.items()))
    lines = [f"seed {seed} planted={planted or 'nothing'} plain={plain}: {drawn}"]
    wrong = first.run()
    if wrong is None:
        return "\n".join([*lines, f"nothing went wrong; settled after {first.told['periods']} periods"])
    enough = smallest(seed, planted, flips, plain)
    without = frozenset(active(first.drawn)) - frozenset(enough)
    again = History(seed, planted, flips, plain, without, traced=True)
    lines += [f"went wrong: {wrong}", f"enough for it to fail: {', '.join(enough) or 'no fault at all'}"]
    lines += [f"then goes wrong: {again.run()}", "last events of that:", *(again.events or ())]
    return "\n".join(lines)
