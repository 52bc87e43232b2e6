"""The error tree. Whose fault it was is part of the type: local misuse, a peer, or the machine around us.

Messages say what was expected, what came, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence


class TiertwinError(Exception):
    """Base of all errors raised by tiertwin."""


class InputError(TiertwinError, ValueError):
    """Something the user wrote is wrong: a scenario, a name, an option.

    Parameters
    ----------
    problems
        One line a mistake, each with its path (``services[3].tmax_s: expected …, got …``).
    where
        File or source in which they stand.
    """

    def __init__(self, problems: Sequence[str] | str, where: str = "") -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        self.where = where
        head = f"{where}: " if where else ""
        count = len(self.problems)
        text = self.problems[0] if count == 1 else f"{count} problems\n  " + "\n  ".join(self.problems)
        super().__init__(head + text)


class UnknownNameError(InputError, KeyError):
    """A policy, scenario, node or twin nobody knows; carries the nearest known names."""

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0])


class MissingExtraError(TiertwinError, ImportError):
    """An optional dependency is not installed; the message is the pip line that installs it."""


class OutputError(TiertwinError, OSError):
    """A run could not be written: full disk, no permission, not a directory."""


class SolveError(TiertwinError, RuntimeError):
    """No admissible allocation came out of a solver; the ladder takes its next step."""


class ProcessError(TiertwinError, RuntimeError):
    """A process of the tree did not start, broke off or fell silent; says which one, why and what its log ends with."""


class PeerError(TiertwinError, RuntimeError):
    """A peer broke the protocol (its fault, not ours)."""


class WireError(TiertwinError, RuntimeError):
    """The wire cannot start here: a port in use, a library too old, an admission check that does not hold."""


_LISTED = 20  # names in a message


def suggest(name: str, known: Sequence[str]) -> str:
    """Return ``'. Did you mean …?'`` with the nearest of `known`, or the first of them when nothing is near."""
    import difflib  # noqa: PLC0415  only on the way to an error

    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f". Did you mean {' or '.join(repr(n) for n in near)}?"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f". Known: {', '.join(known[:_LISTED])}{more}" if known else ""
