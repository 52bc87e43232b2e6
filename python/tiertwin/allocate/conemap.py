"""From the Parameters of a cvxpy problem straight to Clarabel's data: what cvxpy does on every solve, done once.

In a DPP problem the cone data (c, A, b) are affine in the parameters. Where every entry is a constant or ± one
parameter (so it is in the masters), the map can be read off two compilations with distinct parameter values and proven
by a third. cvxpy stays the definition; this saves its 1.5 ms of bookkeeping around a 0.5 ms solve. A problem of another
kind, or a cvxpy that compiles differently, is refused here and then solved by cvxpy as usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import clarabel  # type: ignore[import-untyped]  # has neither stubs nor py.typed
import cvxpy
import numpy as np
from scipy import sparse

from tiertwin.allocate.leaf import Array
from tiertwin.allocate.messages import Slots

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow


class NotSimpleError(Exception):
    """Some entry of the cone data is neither a constant nor ± one parameter."""


@dataclass(frozen=True, eq=False)
class _Entries:
    """One array of the cone data: constants, and which entries are sign × parameter."""

    constant: Array
    at: Slots
    parameter: Slots
    sign: Array

    def filled(self, theta: Array) -> Array:
        out = self.constant.copy()
        out[self.at] = self.sign * theta[self.parameter]
        return out


class ConeMap:
    """The cone form of one compiled problem. One owner: its matrix is filled anew with each solve.

    Parameters
    ----------
    problem
        A DPP problem for Clarabel, its parameters free to be overwritten while the map is made.
    """

    def __init__(self, problem: Any) -> None:
        self._parameters = list(problem.parameters())
        sizes = [parameter.size for parameter in self._parameters]
        self._first = dict(zip(self._parameters, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
        self._size = int(sum(sizes))
        rng = np.random.default_rng(1)
        probes = [rng.uniform(0.1, 0.9, self._size) for _ in range(3)]
        seen = [self._compile(problem, theta) for theta in probes]
        a = seen[0]["A"]
        if any(not _same_pattern(a, other["A"]) for other in seen):
            raise NotSimpleError("the pattern of A depends on the parameters")
        arrays = [(data["c"], data["A"].data, data["b"]) for data in seen]
        self._c, self._a, self._b = (_read(*[part[i] for part in arrays[:2]], *probes[:2]) for i in range(3))
        for entries, proof in zip((self._c, self._a, self._b), arrays[2], strict=True):
            if not np.allclose(entries.filled(probes[2]), proof, rtol=1e-12, atol=1e-14):
                raise NotSimpleError("the cone data are not affine as read")
        self._matrix = a
        self._quadratic = sparse.csc_matrix((a.shape[1], a.shape[1]))
        self._cones = _cones(seen[0]["dims"])
        self._settings = clarabel.DefaultSettings()
        self._settings.verbose = False

    def _compile(self, problem: Any, theta: Array) -> Any:
        for parameter in self._parameters:
            first = self._first[parameter]
            parameter.value = theta[first : first + parameter.size].reshape(parameter.shape)
        data, _, _ = problem.get_problem_data(cp.CLARABEL, enforce_dpp=True)
        return {"c": data["c"], "A": sparse.csc_matrix(data["A"]), "b": data["b"], "dims": data["dims"]}

    def cells(self, parameter: Any) -> tuple[Slots, Slots]:
        """Return (rows, columns) of A where the entries of a parameter stand, in C order of the parameter."""
        columns = np.repeat(np.arange(self._matrix.shape[1]), np.diff(self._matrix.indptr))
        at = self._positions(self._a, parameter)
        return self._matrix.indices[at].astype(np.int64), columns[at].astype(np.int64)

    def rows(self, parameter: Any) -> Slots:
        """Return the rows of b where the entries of a parameter stand, in C order of the parameter."""
        return self._positions(self._b, parameter)

    def _positions(self, entries: _Entries, parameter: Any) -> Slots:
        where = np.full(self._size, -1, dtype=np.int64)
        where[entries.parameter] = entries.at
        first = self._first[parameter]
        found = where[first : first + parameter.size]
        if np.any(found < 0):
            raise NotSimpleError(f"{parameter} does not stand where it was expected")
        return found

    def solve(self, values: dict[Any, Array]) -> tuple[Array, Array, str]:
        """Return (x, z, status) of Clarabel for these parameter values; nothing is checked here."""
        theta = np.zeros(self._size)
        for parameter, first in self._first.items():
            theta[first : first + parameter.size] = np.ravel(values[parameter])
        self._matrix.data = self._a.filled(theta)  # the solver takes a copy; building a matrix anew costs 60 µs
        answer = clarabel.DefaultSolver(
            self._quadratic, self._c.filled(theta), self._matrix, self._b.filled(theta), self._cones, self._settings
        ).solve()
        return np.asarray(answer.x), np.asarray(answer.z), str(answer.status)


def _same_pattern(a: Any, b: Any) -> bool:
    return a.shape == b.shape and np.array_equal(a.indices, b.indices) and np.array_equal(a.indptr, b.indptr)


def _read(first: Array, second: Array, theta1: Array, theta2: Array) -> _Entries:
    """Find which entries moved between two probes, and which parameter each of them is."""
    at = np.flatnonzero(first != second)
    order = np.argsort(theta1)
    place = np.clip(np.searchsorted(theta1[order], np.abs(first[at]) * (1 - 1e-12)), 0, max(theta1.size - 1, 0))
    parameter = order[place] if at.size else np.zeros(0, dtype=np.int64)
    sign = np.sign(first[at])
    if not np.allclose(sign * theta2[parameter], second[at], rtol=1e-12, atol=0):
        raise NotSimpleError("an entry is not ± one parameter")
    return _Entries(np.asarray(first, dtype=np.float64), at, parameter.astype(np.int64), sign)


def _cones(dims: Any) -> list[Any]:
    if dims.exp or dims.psd or dims.p3d:
        raise NotSimpleError("cones other than linear and second-order")
    linear = [(dims.zero, clarabel.ZeroConeT), (dims.nonneg, clarabel.NonnegativeConeT)]
    return [make(n) for n, make in linear if n] + [clarabel.SecondOrderConeT(n) for n in dims.soc]
