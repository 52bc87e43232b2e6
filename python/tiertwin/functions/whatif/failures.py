"""Situations of failures: all single ones, pairs by probability, and draws.

`enumerated` lists the states in which at most two risks have struck, most likely first, until they hold the mass of
probability asked for, and says how much is left out. Risks are independent (`risks.common_cause` makes what is shared a
risk of its own):

    P(state) = Π_{struck} p_r Π_{others} (1 − p_r)

`drawn` plays risks in time: failures at the times of their law, repairs, as new after each. Each risk's numbers are
keyed by its name (Philox), so another risk more or less, or a longer horizon, changes no draw of the others: what has
failed by a time has failed by any later one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.functions.whatif.risks import Risk, require_different
from tiertwin.model.interventions import FailGroup, FailLink, FailNode, FailSite, Intervention, Situation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MOST_CYCLES = 10_000  # failures and repairs of one risk in one draw


@dataclass(frozen=True)
class Enumerated:
    """States by probability.

    Parameters
    ----------
    situations
        Most likely first; the state as it is among them. Their probabilities are those of the whole, not shares.
    covered
        Sum of their probabilities.
    left_out
        What they do not hold: 1 − covered.
    pruned
        States of at most `order` risks that were left out as too unlikely.
    """

    situations: tuple[Situation, ...]
    covered: float
    left_out: float
    pruned: int


def enumerated(
    risks: Sequence[Risk], at_s: float, order: int = 2, mass: float = 1.0, *, ever: bool = False
) -> Enumerated:
    """Return the states in which at most `order` risks have struck.

    Parameters
    ----------
    at_s
        The time looked at, s from now.
    order
        0, 1 or 2.
    mass
        Stop when so much probability is held, (0, 1]; 1: all states of that order.
    ever
        Count what fails by `at_s`; else what is down at `at_s`, repairs considered.
    """
    require_different(risks)
    if order not in (0, 1, 2):
        raise InputError(f"order: expected 0, 1 or 2 risks at once, got {order}", "enumerated")
    if not 0.0 < mass <= 1.0:
        raise InputError(f"mass: expected a share of probability in (0, 1], got {mass}", "enumerated")
    p = np.array([risk.within(at_s) if ever else risk.down(at_s) for risk in risks])
    states, probability = _states(p, order)
    ranked = np.argsort(-probability, kind="stable")
    held = np.cumsum(probability[ranked])
    enough = int(np.searchsorted(held, mass * (1.0 - 1e-15))) + 1 if mass < 1.0 else len(ranked)
    kept = [k for k in ranked[:enough].tolist() if probability[k] > 0.0]
    covered = float(probability[kept].sum())
    found = merged([Situation("", together(risks, states[k]), float(probability[k])) for k in kept])
    return Enumerated(tuple(found), covered, max(1.0 - covered, 0.0), len(states) - len(kept))


def _states(p: F64, order: int) -> tuple[list[tuple[int, ...]], F64]:
    """Return which risks have struck in each state, and its probability."""
    whole = float(np.exp(np.log1p(-np.minimum(p, 1.0 - 1e-16)).sum()))
    odds = p / np.maximum(1.0 - p, 1e-16)
    states: list[tuple[int, ...]] = [()]
    parts = [np.array([whole])]
    if order >= 1:
        states += [(r,) for r in range(len(p))]
        parts.append(whole * odds)
    if order >= 2:
        a, b = np.triu_indices(len(p), 1)
        states += list(zip(a.tolist(), b.tolist(), strict=True))
        parts.append(whole * odds[a] * odds[b])
    return states, np.concatenate(parts)


def together(risks: Sequence[Risk], struck: Sequence[int]) -> tuple[Intervention, ...]:
    """Return what several risks do at once, each link, node and site once: a dead node's links need no failing."""
    wanted = [one for r in struck for one in risks[r].interventions]
    nodes = {one.node for one in wanted if isinstance(one, FailNode)}
    down: set[frozenset[str]] = set()
    kept: list[Intervention] = []
    for one in sorted(wanted, key=lambda w: 0 if isinstance(w, FailNode) else 1 if isinstance(w, FailGroup) else 2):
        if isinstance(one, FailGroup):
            links = tuple(pair for pair in one.links if frozenset(pair) not in down and not nodes & set(pair))
            down |= {frozenset(pair) for pair in links}
            if links:
                kept.append(FailGroup(one.name, links))
            continue
        if isinstance(one, FailLink):
            if one.ends in down or nodes & one.ends:
                continue
            down.add(one.ends)
        if (isinstance(one, FailSite) and one.site in nodes) or one in kept:
            continue
        kept.append(one)
    return tuple(kept)


def merged(situations: Sequence[Situation]) -> list[Situation]:
    """Return each set of interventions once, with the sum of its probabilities, in order of first appearance."""
    total: dict[frozenset[object], float] = {}
    first: dict[frozenset[object], Situation] = {}
    for one in situations:
        key = frozenset(what.ends if type(what) is FailLink else what for what in one.interventions)
        total[key] = total.get(key, 0.0) + one.probability
        first.setdefault(key, one)
    return [Situation(one.name, one.interventions, total[key]) for key, one in first.items()]


def single(risks: Sequence[Risk], at_s: float) -> list[Situation]:
    """Return one situation a risk with the probability that it is down at a time, whatever the others are (N−1)."""
    require_different(risks)
    return [Situation(risk.name, risk.interventions, risk.down(at_s)) for risk in risks]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Lives of risks, drawn.

    Parameters
    ----------
    risks
        What was drawn.
    horizon_s
        As far as they were played.
    failed_s, repaired_s
        Begin and end of each time down, [cycles, draws, risks], s; inf: beyond the horizon.
    """

    risks: tuple[Risk, ...]
    horizon_s: float
    failed_s: F64
    repaired_s: F64

    def down(self, at_s: float) -> Flags:
        """Return which risks are down at a time, [draws, risks]."""
        self._require(at_s)
        return np.asarray(((self.failed_s <= at_s) & (at_s < self.repaired_s)).any(axis=0))

    def failed(self, by_s: float) -> Flags:
        """Return which risks have failed by a time, repaired or not, [draws, risks]."""
        self._require(by_s)
        return np.asarray((self.failed_s <= by_s).any(axis=0))

    def situations(self, at_s: float, *, ever: bool = False) -> list[Situation]:
        """Return the different states at a time, most frequent first; probability: their share of the draws."""
        state = self.failed(at_s) if ever else self.down(at_s)
        kinds, count = np.unique(state, axis=0, return_counts=True)
        ranked = np.argsort(-count, kind="stable")
        return merged(
            [
                Situation("", together(self.risks, np.flatnonzero(kinds[k]).tolist()), float(count[k] / len(state)))
                for k in ranked
            ]
        )

    def _require(self, at_s: float) -> None:
        if not 0.0 <= at_s <= self.horizon_s:
            raise InputError(f"expected a time 0 … {self.horizon_s:g} s, the horizon drawn, got {at_s}", "Drawn")


def drawn(risks: Sequence[Risk], horizon_s: float, draws: int, seed: int = 0) -> Drawn:
    """Play every risk `draws` times up to a horizon; the same seed, the same lives.

    Raises
    ------
    InputError
        No risk, equal names, no draw, a horizon that is not finite, or a risk that fails more than 10 000 times.
    """
    require_different(risks)
    if draws < 1 or not 0.0 <= horizon_s < math.inf:
        raise InputError(f"expected at least one draw over a finite horizon, got {draws} over {horizon_s} s", "drawn")
    failed, repaired = zip(*(_life(risk, horizon_s, draws, seed) for risk in risks), strict=True)
    cycles = max(len(one) for one in failed)
    return Drawn(tuple(risks), horizon_s, _stacked(failed, cycles, draws), _stacked(repaired, cycles, draws))


def _life(risk: Risk, horizon_s: float, draws: int, seed: int) -> tuple[list[F64], list[F64]]:
    """Return begin and end of each time down of one risk, [draws] a cycle."""
    entity = zlib.crc32(risk.name.encode())
    failed: list[F64] = []
    repaired: list[F64] = []
    now, age = np.zeros(draws), np.full(draws, risk.age_s)
    for cycle in range(MOST_CYCLES):
        gone = -np.log1p(-_core.philox(seed, entity, 2 * cycle, draws))
        past = (age / risk.scale_s) ** risk.shape
        life = risk.scale_s * (past + gone) ** (1.0 / risk.shape) - age if math.isfinite(risk.scale_s) else np.inf
        fails = now + life
        fails = np.where(fails <= horizon_s, fails, np.inf)
        if not np.isfinite(fails).any():
            return failed, repaired
        wait = -np.log1p(-_core.philox(seed, entity, 2 * cycle + 1, draws)) * risk.repair_s
        now = fails + np.where(np.isinf(risk.repair_s), np.inf, wait)
        failed.append(fails)
        repaired.append(now)
        age = np.zeros(draws)
    raise InputError(f"it fails more than {MOST_CYCLES} times within {horizon_s:g} s", f"risk {risk.name!r}")


def _stacked(lives: Sequence[list[F64]], cycles: int, draws: int) -> F64:
    found = np.full((cycles, draws, len(lives)), np.inf)
    for r, life in enumerate(lives):
        for c, times in enumerate(life):
            found[c, :, r] = times
    return found
