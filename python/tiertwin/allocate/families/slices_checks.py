"""What may be wrong with slices and guarantees as they are given: shapes, ranges, names, each told by its index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.leaf import Array

if TYPE_CHECKING:
    from tiertwin.allocate.families.slices import SliceProblem


def slice_faults(problem: SliceProblem) -> list[str]:
    """What is wrong with the slices of a problem, and with the shape of its weights."""
    given, users, resources = problem.slices, problem.options.users, problem.options.resources
    count, faults = given.count, []
    of_user = np.asarray(given.of_user)
    if of_user.shape != (users,) or (users and not np.issubdtype(of_user.dtype, np.integer)):
        faults.append(f"slices.of_user: expected {users} whole numbers, got {of_user.shape} of {of_user.dtype}")
    elif users and (of_user.min() < 0 or of_user.max() >= count):
        u = int(np.flatnonzero((of_user < 0) | (of_user >= count))[0])
        faults.append(f"slices.of_user[{u}]: expected 0..{count - 1}, got {of_user[u]}")
    if count == 0 or len(set(given.names)) < count:
        faults.append(f"slices.names: expected different names, at least one, got {list(given.names)}")
    if problem.resource_names and len(problem.resource_names) != resources:
        faults.append(f"resource_names: expected {resources} names, got {len(problem.resource_names)}")
    wanted: dict[str, tuple[tuple[int, ...], bool]] = {
        "priority": ((count,), False),
        "limit": ((count,), True),
        "cap": ((count, resources), True),
        "kept": ((count, resources), False),
    }
    for name, (shape, endless) in wanted.items():
        value = getattr(given, name)
        if value is not None:
            faults += _number_faults(f"slices.{name}", np.asarray(value, dtype=np.float64), shape, endless=endless)
    if np.shape(problem.weight) != (users,):
        faults.append(f"weight: expected {users} numbers, one a user, got {np.shape(problem.weight)}")
    return faults


def guarantee_faults(problem: SliceProblem) -> list[str]:
    """What is wrong with its guarantees; nothing where there are none."""
    given = problem.guarantees
    if given is None:
        return []
    users, count, faults = problem.options.users, given.count, []
    of_user = np.asarray(given.of_user)
    if of_user.shape != (users,) or (users and not np.issubdtype(of_user.dtype, np.integer)):
        faults.append(f"guarantees.of_user: expected {users} whole numbers, got {of_user.shape} of {of_user.dtype}")
    elif users and (of_user.min() < -1 or of_user.max() >= count):
        u = int(np.flatnonzero((of_user < -1) | (of_user >= count))[0])
        faults.append(f"guarantees.of_user[{u}]: expected -1..{count - 1}, got {of_user[u]}")
    for name in ("amount", "penalty"):
        value = getattr(given, name)
        if value is not None:
            faults += _number_faults(f"guarantees.{name}", np.asarray(value, dtype=np.float64), (count,), endless=False)
    return faults


def _number_faults(name: str, array: Array, shape: tuple[int, ...], *, endless: bool) -> list[str]:
    if array.shape != shape:
        return [f"{name}: expected shape {list(shape)}, got {list(array.shape)}"]
    bad = np.isnan(array) | (array < 0) | (np.isinf(array) & (not endless))
    if not np.any(bad):
        return []
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    what = "a number >= 0 or infinity" if endless else "a finite number >= 0"
    return [f"{name}{list(at)}: expected {what}, got {array[at]:g}"]
