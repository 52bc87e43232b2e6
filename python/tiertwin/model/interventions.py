"""What may be done to a network in a what-if: interventions and situations. Frozen, validated, without behaviour.

Names (of nodes, sites, twins) are only looked up by whoever applies an intervention; here numbers are checked, and
what one of them alone can get wrong. Every intervention has a spelling, that of the options of ``tiertwin whatif``:

=================  ==============================  =========================================================
option             spelling                        meaning
=================  ==============================  =========================================================
``fail-link``      ``A,B``                         the link between two nodes goes down, both ways
``degrade-link``   ``A,B,0.4``                     it keeps that share of its capacity
``repair-link``    ``A,B``                         it is as it was before it failed or was degraded
``fail-node``      ``A``                           the node, its links, the servers and the cells there
``fail-site``      ``A``                           the edge server and the cells of a site; its links stay up
``fail-group``     ``duct-7=A,B;B,C``              links that fail together (a shared risk)
``demand``         ``x2`` or ``x2@AREA``           task rates times a factor
``move``           ``A,B,0.3``                     that share of the demand at A comes from B instead
``add-capacity``   ``A,x2`` ``A,+32`` ``A,B,x2``   GHz of a site's server, Mb/s of a link: a factor, or more
``add-site``       ``A,64``                        an edge server of so many GHz where there is none
``rain``           ``50`` ``50@AREA``              mm/h, everywhere or around a node (``50@A,30``: within 30 km)
                   ``50@10.0,48.4,30``             or around a longitude and latitude
``storm``          ``x20@AREA``                    handovers times a factor
``set``            ``policy.max_rounds=3``         a key of the scenario
=================  ==============================  =========================================================

An AREA is a site or node, or a twin and all below it (``fog-1``). A name with a comma, quotation mark, ``@``, ``=`` or
``;`` in it is put between quotation marks: ``"Washington, DC",Atlanta``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from tiertwin.errors import InputError
from tiertwin.model.spelling import at, number, row, value_text

RAIN_RADIUS_KM = 25.0
MOST_RAIN_MM_H = 200.0
Area = str


class Intervention(ABC):
    """One change of a network; see the module for the kinds. Compared by value."""

    __slots__ = ()
    option: ClassVar[str] = ""
    """What the command line and messages call it."""

    @abstractmethod
    def text(self) -> str:
        """Return its spelling, which `tiertwin.model.whatif.parse_intervention` reads back to an equal intervention."""


@dataclass(frozen=True, slots=True)
class _OnLink(Intervention):
    """A link by the two nodes it joins; the order does not matter."""

    a: str
    b: str

    def __post_init__(self) -> None:
        _require_names(self, a=self.a, b=self.b)
        if self.a == self.b:
            raise InputError(f"{self.option}: expected the two ends of a link, got {self.a!r} twice")

    @property
    def ends(self) -> frozenset[str]:
        """The two nodes."""
        return frozenset((self.a, self.b))

    def text(self) -> str:
        """Return ``A,B``."""
        return row(self.a, self.b)


@dataclass(frozen=True, slots=True)
class FailLink(_OnLink):
    """The link between two nodes goes down, both ways."""

    option: ClassVar[str] = "fail-link"


@dataclass(frozen=True, slots=True)
class RepairLink(_OnLink):
    """A link that is down, or has less than its capacity, is whole again."""

    option: ClassVar[str] = "repair-link"


@dataclass(frozen=True, slots=True)
class DegradeLink(_OnLink):
    """A link keeps `share` of its capacity, 0 … 1, both ways; routes stay."""

    share: float
    option: ClassVar[str] = "degrade-link"

    def __post_init__(self) -> None:
        _OnLink.__post_init__(self)
        _require_share(self, self.share)

    def text(self) -> str:
        """Return ``A,B,share``."""
        return row(self.a, self.b, number(self.share))


@dataclass(frozen=True, slots=True)
class FailNode(Intervention):
    """A node is gone with its links, and the servers and cells that stand there."""

    node: str
    option: ClassVar[str] = "fail-node"

    def __post_init__(self) -> None:
        _require_names(self, node=self.node)

    def text(self) -> str:
        """Return the node's name."""
        return row(self.node)


@dataclass(frozen=True, slots=True)
class FailSite(Intervention):
    """The edge server and the cells of a site go down; links through its node stay up."""

    site: str
    option: ClassVar[str] = "fail-site"

    def __post_init__(self) -> None:
        _require_names(self, site=self.site)

    def text(self) -> str:
        """Return the site's name."""
        return row(self.site)


@dataclass(frozen=True, slots=True)
class FailGroup(Intervention):
    """Links that fail together, by the nodes they join: a duct, a power feed."""

    name: str
    links: tuple[tuple[str, str], ...]
    option: ClassVar[str] = "fail-group"

    def __post_init__(self) -> None:
        _require_names(self, name=self.name)
        if not self.links:
            raise InputError(f"fail-group: expected at least one link in {self.name!r}")
        each = [frozenset((FailLink(a, b).a, b)) for a, b in self.links]
        for k, ends in enumerate(each):
            if ends in each[:k]:
                raise InputError(
                    f"fail-group: expected each link of {self.name!r} once, got {row(*self.links[k])} twice"
                )

    def text(self) -> str:
        """Return ``name=A,B;C,D``; names of words are quoted, lest one be read as an option of a situation."""
        return f"{row(self.name)}={';'.join(row(a, b, words=True) for a, b in self.links)}"


@dataclass(frozen=True, slots=True)
class ScaleDemand(Intervention):
    """Task rates times `factor` ≥ 0, everywhere or in one area."""

    factor: float
    area: Area | None = None
    option: ClassVar[str] = "demand"

    def __post_init__(self) -> None:
        _require_factor(self, self.factor)
        _require_area(self, self.area)

    def text(self) -> str:
        """Return ``x2`` or ``x2@AREA``."""
        return f"x{number(self.factor)}{at(self.area)}"


@dataclass(frozen=True, slots=True)
class MoveDemand(Intervention):
    """`share` (0 … 1) of the demand at site `source` comes from site `target` instead, group by group."""

    source: str
    target: str
    share: float
    option: ClassVar[str] = "move"

    def __post_init__(self) -> None:
        _require_names(self, source=self.source, target=self.target)
        if self.source == self.target:
            raise InputError(f"move: expected two sites, got {self.source!r} twice")
        _require_share(self, self.share)

    def text(self) -> str:
        """Return ``A,B,share``."""
        return row(self.source, self.target, number(self.share))


@dataclass(frozen=True, slots=True)
class AddCapacity(Intervention):
    """More at a site's edge server (GHz) or on a link (Mb/s each way): times `factor` ≥ 1, or `amount` > 0 more.

    `place` is the name of a site, or the two nodes a link joins; exactly one of factor and amount is given.
    """

    place: str | tuple[str, str]
    factor: float | None = None
    amount: float | None = None
    option: ClassVar[str] = "add-capacity"

    def __post_init__(self) -> None:
        if isinstance(self.place, str):
            _require_names(self, place=self.place)
        else:
            FailLink(*self.place)
        if (self.factor is None) == (self.amount is None):
            raise InputError("add-capacity: expected a factor or an amount, one of the two")
        if self.factor is not None and not (math.isfinite(self.factor) and self.factor >= 1.0):
            raise InputError(f"add-capacity: expected a finite factor ≥ 1, got {self.factor}; degrade-link takes away")
        if self.amount is not None and not (math.isfinite(self.amount) and self.amount > 0.0):
            raise InputError(f"add-capacity: expected a finite amount > 0, got {self.amount}")

    def text(self) -> str:
        """Return ``A,x2`` or ``A,+32`` for a site, ``A,B,x2`` or ``A,B,+1000`` for a link."""
        more = f"x{number(self.factor)}" if self.factor is not None else f"+{number(self.amount or 0.0)}"
        return row(*((self.place,) if isinstance(self.place, str) else self.place), more)


@dataclass(frozen=True, slots=True)
class AddSite(Intervention):
    """An edge server of `ghz` > 0 at a node that has none."""

    node: str
    ghz: float
    option: ClassVar[str] = "add-site"

    def __post_init__(self) -> None:
        _require_names(self, node=self.node)
        if not (math.isfinite(self.ghz) and self.ghz > 0.0):
            raise InputError(f"add-site: expected finite GHz > 0, got {self.ghz}")

    def text(self) -> str:
        """Return ``A,64``."""
        return row(self.node, number(self.ghz))


@dataclass(frozen=True, slots=True)
class Rain(Intervention):
    """It rains `mm_h` (0 … 200): everywhere, or within `radius_km` of a node, site or twin (`area`), or of a place.

    It slows the microwave links of the scenario (`weather.microwave`); other links do not mind.
    """

    mm_h: float
    area: Area | None = None
    lon: float | None = None
    lat: float | None = None
    radius_km: float = RAIN_RADIUS_KM
    option: ClassVar[str] = "rain"

    def __post_init__(self) -> None:
        if not 0.0 <= self.mm_h <= MOST_RAIN_MM_H:
            raise InputError(f"rain: expected 0 … {MOST_RAIN_MM_H:g} mm/h, got {self.mm_h}")
        _require_area(self, self.area)
        if (self.lon is None) != (self.lat is None) or (self.area is not None and self.lon is not None):
            raise InputError("rain: expected an area, or longitude and latitude, or neither (everywhere)")
        if self.lon is not None and self.lat is not None and not (abs(self.lon) <= 180 and abs(self.lat) <= 90):
            raise InputError(
                f"rain: expected a longitude within ±180 and latitude within ±90, got {self.lon}, {self.lat}"
            )
        if not (math.isfinite(self.radius_km) and self.radius_km > 0.0):
            raise InputError(f"rain: expected a finite radius > 0 km, got {self.radius_km}")

    def text(self) -> str:
        """Return ``50``, ``50@AREA``, ``50@AREA,km`` or ``50@lon,lat,km``."""
        if self.lon is not None and self.lat is not None:
            return f"{number(self.mm_h)}@{row(number(self.lon), number(self.lat), number(self.radius_km))}"
        if self.area is None:
            return number(self.mm_h)
        within = () if self.radius_km == RAIN_RADIUS_KM else (number(self.radius_km),)
        return f"{number(self.mm_h)}@{row(self.area, *within)}"


@dataclass(frozen=True, slots=True)
class Storm(Intervention):
    """Users of an area change cells `factor` ≥ 1 times as often as usual."""

    area: Area
    factor: float
    option: ClassVar[str] = "storm"

    def __post_init__(self) -> None:
        _require_names(self, area=self.area)
        if not (math.isfinite(self.factor) and self.factor >= 1.0):
            raise InputError(f"storm: expected a finite factor ≥ 1, got {self.factor}")

    def text(self) -> str:
        """Return ``x20@AREA``."""
        return f"x{number(self.factor)}{at(self.area)}"


@dataclass(frozen=True, slots=True)
class SetParameter(Intervention):
    """A key of the scenario, by path with dots (``policy.max_rounds``), gets a value: a number, text or flag."""

    key: str
    value: Any
    option: ClassVar[str] = "set"

    def __post_init__(self) -> None:
        if not self.key or not all(part.isidentifier() for part in self.key.split(".")):
            raise InputError(f"set: expected a key of the scenario such as policy.max_rounds, got {self.key!r}")
        if not (self.value is None or isinstance(self.value, str | int | float | bool)):
            raise InputError(f"set: expected a number, text or flag for {self.key}, got {type(self.value).__name__}")

    def text(self) -> str:
        """Return ``key=value``."""
        return f"{self.key}={value_text(self.value)}"


@dataclass(frozen=True, slots=True)
class Situation:
    """Interventions that happen together, in this order.

    Parameters
    ----------
    name
        What tables call it; without one, its interventions' spelling.
    interventions
        In the order in which they are applied; none is the situation as it is.
    probability
        How likely it is compared with the others of a study: any weight ≥ 0.
    """

    name: str = ""
    interventions: tuple[Intervention, ...] = ()
    probability: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "interventions", tuple(self.interventions))
        for given in self.interventions:
            if not isinstance(given, Intervention):
                raise InputError(f"situation {self.name!r}: expected interventions, got {type(given).__name__}")
        if not (math.isfinite(self.probability) and self.probability >= 0.0):
            raise InputError(f"situation {self.name!r}: expected a finite probability ≥ 0, got {self.probability}")
        if not self.name:
            object.__setattr__(self, "name", self.text() or "as it is")

    def text(self) -> str:
        """Return the interventions as ``fail-link A,B; demand x2``."""
        return "; ".join(f"{given.option} {given.text()}" for given in self.interventions)


def named(situations: Iterable[Situation | Sequence[Intervention]]) -> list[Situation]:
    """Return situations, giving bare sequences of interventions their spelling as a name."""
    return [s if isinstance(s, Situation) else Situation("", tuple(s)) for s in situations]


def _require_names(given: Intervention, **names: object) -> None:
    for word, name in names.items():
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"{given.option}: expected a name for {word}, got {name!r}")


def _require_area(given: Intervention, area: Area | None) -> None:
    if area is not None:
        _require_names(given, area=area)


def _require_share(given: Intervention, share: float) -> None:
    if not 0.0 <= share <= 1.0:
        raise InputError(f"{given.option}: expected a share of 0 … 1, got {share}")


def _require_factor(given: Intervention, factor: float) -> None:
    if not (math.isfinite(factor) and factor >= 0.0):
        raise InputError(f"{given.option}: expected a finite factor ≥ 0, got {factor}")
