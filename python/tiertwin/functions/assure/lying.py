"""Children that lie: evidence against each of many, and who is believed for now.

A report is held against what others say of the same time: the neighbours of the child (its own kind, at the same load),
the plan, its own earlier reports, and itself (what is done was made; a radio has a fastest rate). The kernel, its
formulas and rules are in `cpp/assure/lying.hpp`; what it is worth against four kinds of lies in docs/trust.md.

    expected of an honest child, tasks a period, at the neighbours' load m and with tolerance τ
        most    n·k·m·(1 + τ)              n planned; k = (on + off)/on: its rate while on, 1 for Poisson arrivals
        least   n·m·(1 − τ), or half of what a silence costs, period/(2·off), where it may fall silent for a while
    neighbours' load
        m       Σ w·min(x, cap) / Σ w·n    over the children believed; w = 1/(1 + 2·n·(k − 1)·T): bursts of length T
        cap     most + 4·√most + 2         tell little; one child moves m by no more than its cap, whatever it says
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Codes = npt.NDArray[np.int8]

REASONS = ("", "bounds", "more", "less", "balance", "frozen", "replayed")
"""By code; of a child that nothing speaks against: the empty one."""
CAP_SIGMAS, CAP_TASKS = 4.0, 2.0


@dataclass(frozen=True, kw_only=True)
class LieOptions:
    """How children are judged (`cpp/assure/lying.hpp`); one set for all children of a watch.

    Parameters
    ----------
    decays
        Of the windows, ascending, each in [0, 1): the last of them is about 1/(1 − d) reports long.
    spread
        Variance of an honest count over its mean, ≥ 1.
    slack, slack_rate
        Tasks that may be under way: so many, and so many periods of `most`.
    noise
        Relative error of an honest count.
    repeat, forget
        Nats that a repeated report adds, and what is left of them a report later.
    common
        Where a larger share of the children repeats at once, repeating is no lie.
    limit
        Nats from which on a child is in quarantine.
    calm
        Share of `limit` below which a report counts towards release.
    most_share
        Largest share of the children in quarantine.
    prints
        Earlier reports that are remembered.
    warm
        First reports of a child of which counts are not judged.
    hold
        Calm reports in a row after which a child is believed again.
    """

    decays: tuple[float, ...] = (0.0, 0.75, 0.95, 0.985)
    spread: float = 1.0
    slack: float = 4.0
    slack_rate: float = 1.0
    noise: float = 0.03
    repeat: float = 8.0
    forget: float = 0.8
    common: float = 0.3
    limit: float = 12.0
    calm: float = 0.25
    most_share: float = 0.3
    prints: int = 32
    warm: int = 2
    hold: int = 20


class LieWatch:
    """Judges the reports of many children.

    Parameters
    ----------
    children
        How many, ≥ 1.
    options
        How.

    Raises
    ------
    ValueError
        An option out of range.
    """

    def __init__(self, children: int, options: LieOptions) -> None:
        self._core = _core.LieWatch(children, **{**asdict(options), "decays": list(options.decays)})
        self.options = options
        self.out: Flags = np.zeros(children, dtype=np.bool_)

    def push(
        self,
        fresh: Flags,
        made: F64,
        done: F64,
        missed: F64,
        least: F64,
        most: F64,
        bounds: F64,
        measured: F64,
    ) -> Flags:
        """Take the reports that came and return who went into or out of quarantine, [N].

        Parameters
        ----------
        fresh
            Who reported, [N].
        made, done, missed
            Tasks of the reported period, [N]; NaN: not told.
        least, most
            What an honest child would have made, [N].
        bounds
            Nats for what cannot be, 0 where all is possible, [N].
        measured
            Numbers that no two reports have alike, [N, W].
        """
        arrays = [
            np.ascontiguousarray(a, dtype=np.float64) for a in (made, done, missed, least, most, bounds, measured)
        ]
        self._core.push(np.ascontiguousarray(fresh, dtype=np.bool_), *arrays)
        before, self.out = self.out, self._core.quarantine() > 0
        changed: Flags = self.out != before
        return changed

    @property
    def evidence(self) -> F64:
        """Nats against each child as of its last report, [N]."""
        return self._core.evidence()

    @property
    def repeating(self) -> float:
        """Share of those who reported last that repeated themselves, coarse sensors included."""
        return self._core.repeating

    @property
    def suspected(self) -> float:
        """Share of those who reported last with evidence above the limit, in quarantine or not."""
        return self._core.suspected

    def reason(self, child: int) -> str:
        """Why a child is in quarantine; empty: it is not."""
        return REASONS[int(self._core.quarantine()[child])]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What is planned of each child, and how it may come and go; all [N].

    Parameters
    ----------
    planned
        Tasks a period at load 1, ≥ 0.
    bursts
        Its rate while on over its mean rate, ≥ 1.
    burst_periods
        Length of its bursts, periods.
    silence
        Periods that an honest child is silent at a time, in the mean; 0: it is not.
    known
        Whether anything is planned of it at all: of the others nothing is expected.
    """

    planned: F64
    bursts: F64
    burst_periods: F64
    silence: F64
    known: Flags

    def __post_init__(self) -> None:
        shapes = {len(a) for a in (self.planned, self.bursts, self.burst_periods, self.silence, self.known)}
        if len(shapes) != 1:
            raise InputError(f"expected one number a child in every array, got lengths {sorted(shapes)}", "neighbours")

    def expected(self, load: float, tolerance: float) -> tuple[F64, F64]:
        """Return the least and the most an honest child makes in a period at `load`, [N] each; NaN: nobody knows."""
        most = self.planned * self.bursts * load * (1.0 + tolerance)
        least = self.planned * load * max(1.0 - tolerance, 0.0)
        quiet = self.silence > 0.0
        least = np.where(quiet, np.minimum(least, 0.5 / np.where(quiet, self.silence, 1.0)), least)
        return np.where(self.known, least, np.nan), np.where(self.known, most, np.nan)

    def capped(self, made: F64, most: F64) -> F64:
        """Return `made`, but no more of a child than its cap: what is used of children that are believed, [N]."""
        return np.where(self.known, np.minimum(made, self.cap(most)), made)

    @staticmethod
    def cap(most: F64) -> F64:
        """Return what an honest child exceeds less than once in 10 000 reports where it makes `most` in the mean."""
        return most + CAP_SIGMAS * np.sqrt(most) + CAP_TASKS

    @property
    def weights(self) -> F64:
        """How much a child's count tells of the load: one over the variance of it over its mean, [N]."""
        return 1.0 / (1.0 + 2.0 * self.planned * (self.bursts - 1.0) * self.burst_periods)

    def load(self, made: F64, use: Flags) -> float | None:
        """Return the load that the children in `use` tell together; None where there is nobody to ask."""
        use = use & self.known
        planned = float((self.weights * self.planned)[use].sum())
        return float((self.weights * made)[use].sum()) / planned if planned > 0.0 else None
