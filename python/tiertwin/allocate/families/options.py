"""Users, the options each has, and what an option uses of shared resources: the structure every family is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin import _core
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Options:
    """Rows of a compressed sparse matrix, twice: options of users, resources of options.

    User u has the options ``user_offsets[u] .. user_offsets[u + 1] − 1``; option k uses ``resource[e]`` at ``use[e]``
    per unit of rate, for e in ``option_offsets[k] .. option_offsets[k + 1] − 1``. A resource named twice in one option
    counts with the sum of its uses.

    Parameters
    ----------
    user_offsets
        ``[U + 1]`` rising from 0 to the number of options.
    option_offsets
        ``[K + 1]`` rising from 0 to the number of entries.
    resource
        ``[E]`` in 0..resources − 1.
    use
        ``[E]`` finite, ≥ 0.
    resources
        Number of resources R.

    Raises
    ------
    InputError
        An offset, resource or use out of its range; names it by its index.
    """

    user_offsets: Indices
    option_offsets: Indices
    resource: Indices
    use: Array
    resources: int

    def __post_init__(self) -> None:
        for name, dtype in (("user_offsets", np.int64), ("option_offsets", np.int64), ("resource", np.int64)):
            object.__setattr__(self, name, _frozen(name, getattr(self, name), dtype))
        object.__setattr__(self, "use", _frozen("use", self.use, np.float64))
        try:
            _core.check_options(self.user_offsets, self.option_offsets, self.resource, self.use, self.resources)
        except ValueError as error:
            raise InputError(str(error), where="options") from error

    @property
    def users(self) -> int:
        """Number of users U."""
        return int(self.user_offsets.size) - 1

    @property
    def count(self) -> int:
        """Number of options K."""
        return int(self.option_offsets.size) - 1

    @cached_property
    def user_of(self) -> Indices:
        """``[K]`` the user of each option."""
        return np.repeat(np.arange(self.users), np.diff(self.user_offsets))

    @cached_property
    def uses(self) -> Any:
        """``[R, K]`` sparse matrix: load = uses @ x."""
        from scipy import sparse  # noqa: PLC0415  for cvxpy and samples; the kernels do without

        by_option = sparse.csr_array((self.use, self.resource, self.option_offsets), shape=(self.count, self.resources))
        return sparse.csr_array(by_option.T)

    @cached_property
    def sums(self) -> Any:
        """``[U, K]`` sparse matrix: service = sums @ x."""
        from scipy import sparse  # noqa: PLC0415  as above

        ones = np.ones(self.count)
        return sparse.csr_array((ones, np.arange(self.count), self.user_offsets), shape=(self.users, self.count))

    def open(self, capacity: Array, counts: Any) -> Any:
        """``[K]`` whether an option's resources all have capacity ``[R]`` and its user ``[U]`` counts."""
        closed = np.asarray((self.uses > 0).T @ (capacity <= 0).astype(np.float64))
        return (closed == 0) & counts[self.user_of]

    @staticmethod
    def of_lists(options: Sequence[Sequence[dict[int, float]]], resources: int) -> Options:
        """Build from ``options[u][i] = {resource: use}``; for small problems written by hand."""
        flat = [option for user in options for option in user]
        return Options(
            np.cumsum([0, *(len(user) for user in options)]),
            np.cumsum([0, *(len(option) for option in flat)]),
            np.array([r for option in flat for r in option], dtype=np.int64),
            np.array([use for option in flat for use in option.values()], dtype=np.float64),
            resources,
        )


@dataclass(frozen=True, eq=False)
class InTime:
    """What is left of a structure when options that cannot keep a deadline are closed.

    Parameters
    ----------
    options
        The structure without them: users and resources as before.
    kept
        ``[K']`` which option of the given structure each one is; numbers of options are ``given[kept]``.
    closed
        ``[U]`` how many options of each user were too late.
    without
        Users that had options and have none left: nothing can be served to them in time.
    """

    options: Options
    kept: Indices
    closed: Indices
    without: Indices

    @property
    def told(self) -> str:
        """What was closed and why, in a sentence."""
        late, users = int(self.closed.sum()), int(np.count_nonzero(self.closed))
        text = f"deadline: {late} of {late + self.kept.size} options are too late, of {users} users"
        if self.without.size == 0:
            return text
        named = ", ".join(str(u) for u in self.without[:5]) + (", …" if self.without.size > 5 else "")
        return f"{text}; {self.without.size} users have none left ({named})"


def in_time(options: Options, latency: Array, deadline: Array) -> InTime:
    """Close the options whose latency without any load is beyond the deadline of their user.

    What waiting adds is no hard limit: it is the `delay` of the resources.

    Parameters
    ----------
    options
        The structure.
    latency
        ``[K]`` ≥ 0, of a task over each option when nothing waits (propagation, transmission, service), s.
    deadline
        ``[U]`` ≥ 0, infinity for none, s. An option that takes exactly as long is in time.

    Raises
    ------
    InputError
        A wrong length, or a number that is NaN or below 0.
    """
    for name, values, count in (("latency", latency, options.count), ("deadline", deadline, options.users)):
        if np.shape(values) != (count,):
            raise InputError(f"{name}: expected {count} numbers, got {np.shape(values)}", where="in_time")
        bad = np.flatnonzero(~(np.asarray(values) >= 0))
        if bad.size:
            raise InputError(
                f"{name}[{bad[0]}]: expected a number >= 0, got {np.asarray(values)[bad[0]]}", where="in_time"
            )
    good = np.asarray(latency) <= np.asarray(deadline)[options.user_of]
    kept = np.flatnonzero(good)
    each = np.bincount(options.user_of[kept], minlength=options.users)
    lengths = np.diff(options.option_offsets)
    entries = np.repeat(good, lengths)
    smaller = Options(
        np.concatenate([[0], np.cumsum(each)]),
        np.concatenate([[0], np.cumsum(lengths[kept])]),
        options.resource[entries],
        options.use[entries],
        options.resources,
    )
    had = np.diff(options.user_offsets)
    return InTime(smaller, kept, had - each, np.flatnonzero((had > 0) & (each == 0)))


def _frozen(name: str, values: Any, dtype: Any) -> Any:
    given = np.asarray(values)
    if given.ndim != 1:
        raise InputError(f"{name}: expected one dimension, got {given.ndim}", where="options")
    if dtype is np.int64 and given.size and not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"{name}: expected whole numbers, got {given.dtype}", where="options")
    array = np.ascontiguousarray(given, dtype=dtype).view()
    array.flags.writeable = False
    return array
