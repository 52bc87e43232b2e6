"""Which causes explain the alarms: posteriors of a noisy-OR model (docs/assurance-localisation.md).

    P(silent i | A) = (1 − leak_i) Π_{c∈A} (1 − q_ci)          A: the causes that are there
    P(A | evidence) ∝ Π_{c∈A} prior_c/(1 − prior_c) · Π_silent P(silent i | A) · Π_alarms (1 − P(silent i | A))

Noisy-OR: J. Pearl, Probabilistic Reasoning in Intelligent Systems, 1988. Over dependency graphs of networks: S. Kandula
et al., Shrink (MineNet 2005); R. R. Kompella et al., IP fault localization via risk modeling (SCORE, NSDI 2005);
P. Bahl et al., Towards highly reliable enterprise network services (Sherlock, SIGCOMM 2007). How sets are summed, and
when the sum is exact: ``cpp/localise/posterior.hpp``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.functions.assure.influences import Names, Rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Named = Sequence[str | int] | NDArray[np.int64]

ALARM, SILENT, MISSING = 1, 0, -1


@dataclass(frozen=True, eq=False)
class Ranking:
    """What the evidence says of every cause.

    Parameters
    ----------
    causes, probability
        The likeliest first, ties in the order of the model; P(cause is there | evidence).
    order
        Their numbers in the model.
    best
        The likeliest set of causes.
    best_probability
        Its posterior: how far the best explanation is *the* explanation.
    complete
        False: sets that might matter were left out for their number (``cpp/localise/posterior.hpp``).
    """

    causes: tuple[str, ...]
    probability: F64
    order: I64
    best: tuple[str, ...]
    best_probability: float
    complete: bool

    def place(self, cause: str) -> int:
        """Return the place of a cause, from 1 on; causes of equal probability share the last of their places."""
        at = self.causes.index(cause)
        return int(np.count_nonzero(self.probability >= self.probability[at]))


class Localiser:
    """Causes, observations and what of the one shows in the other. One owner.

    Parameters
    ----------
    causes, observations
        Names, each once.
    q
        P(alarm | that cause alone), a dense table (causes, observations) or `Rows`; 0 … 1 − 1e-12.
    leak
        P(alarm | none of the causes), a number or one an observation; 1e-12 … 1 − 1e-12.
    prior
        P(the cause is there now) before any evidence, a number or one a cause; as leak. With a hazard h per s and a
        mean repair of r s it is about h·r (`prior_of_hazard`).

    Raises
    ------
    InputError
        Names that are not unique, sizes or numbers out of range: where and what was expected.
    """

    def __init__(
        self,
        causes: Sequence[str],
        observations: Sequence[str],
        q: ArrayLike | Rows,
        leak: ArrayLike,
        prior: ArrayLike,
    ) -> None:
        self.causes, self.observations = Names("cause", causes), Names("observation", observations)
        rows = q if isinstance(q, Rows) else Rows.of_table(q)
        if not isinstance(q, Rows) and np.shape(q) != (len(self.causes), len(self.observations)):
            raise InputError(
                f"expected a table of {len(self.causes)} causes and {len(self.observations)} observations, "
                f"got shape {np.shape(q)}",
                "q",
            )
        model = _core.Influences(
            np.ascontiguousarray(rows.start, dtype=np.int64),
            np.ascontiguousarray(rows.observation, dtype=np.int64),
            np.ascontiguousarray(rows.q, dtype=np.float64),
            _each(leak, len(self.observations), "leak"),
            _each(prior, len(self.causes), "prior"),
        )
        self._evidence = _core.Evidence(model)

    def observe(self, alarms: Named = (), silent: Named = (), missing: Named = ()) -> None:
        """Take observations in, by name or number; of the others the last state stays, at first missing.

        Raises InputError, before anything is taken, for unknown observations and for one given two states.
        """
        told = [self.observations.numbers(names) for names in (alarms, silent, missing)]
        which = np.concatenate(told)
        state = np.repeat(np.array([ALARM, SILENT, MISSING], dtype=np.int32), [len(part) for part in told])
        order = np.argsort(which, kind="stable")
        same = (which[order][1:] == which[order][:-1]) & (state[order][1:] != state[order][:-1])
        if same.any():
            name = self.observations.names[which[order][1:][same][0]]
            raise InputError(f"observation {name!r} was given two states at once; it has one: the newest", "observe")
        self._evidence.observe(which, state)

    def forget(self) -> None:
        """Take all evidence back."""
        self._evidence.forget()

    def posterior(self, cutoff: float = 25.0, shortlist: int = 12, work: float = 2e7) -> F64:
        """Return P(cause is there | evidence so far), shape (causes,); limits as in ``cpp/localise/posterior.hpp``."""
        return self._evidence.posterior(cutoff, shortlist, work)[0]

    def ranked(self, top: int | None = None) -> Ranking:
        """Return the causes by their posterior given the evidence so far; at most `top` of them."""
        if top is not None and top < 1:
            raise InputError(f"expected 1 or more, got {top}", "top")
        probability, best, ln_best, complete, _ = self._evidence.posterior()
        order = np.argsort(-probability, kind="stable")[:top]
        return Ranking(
            tuple(self.causes.names[c] for c in order),
            probability[order],
            order,
            tuple(self.causes.names[c] for c in best),
            float(np.exp(ln_best)),
            complete,
        )

    def rank(self, alarms: Named, silent: Named, top: int | None = None) -> Ranking:
        """Return the ranking for this evidence alone: everything not named is missing, and says nothing."""
        self.forget()
        self.observe(alarms, silent)
        return self.ranked(top)


def prior_of_hazard(hazard_per_s: ArrayLike, repair_s: ArrayLike) -> F64:
    """Return P(down now) = h r/(1 + h r) of parts that fail at h per s and take r s to repair, within 1e-12 of 0 and 1.

    The steady state of an alternating renewal process: MTTR/(MTBF + MTTR).
    """
    odds = np.asarray(hazard_per_s, dtype=np.float64) * np.asarray(repair_s, dtype=np.float64)
    if not (np.isfinite(odds).all() and (odds >= 0).all()):
        raise InputError("expected finite hazards and repairs of at least 0", "prior_of_hazard")
    return np.clip(odds / (1.0 + odds), 1e-12, 1.0 - 1e-12)


def _each(value: ArrayLike, count: int, what: str) -> F64:
    """Return one number for each of `count`."""
    given = np.asarray(value, dtype=np.float64)
    if given.ndim > 1 or (given.ndim == 1 and given.shape != (count,)):
        raise InputError(f"expected a number or {count} of them, got shape {given.shape}", what)
    return np.ascontiguousarray(np.broadcast_to(given, count))
