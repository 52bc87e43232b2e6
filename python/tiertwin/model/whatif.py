"""Reading interventions as people write them: an option and its spelling (`tiertwin.model.interventions`)."""

from __future__ import annotations

from collections.abc import Callable

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.model.interventions import (
    RAIN_RADIUS_KM,
    AddCapacity,
    AddSite,
    DegradeLink,
    FailGroup,
    FailLink,
    FailNode,
    FailSite,
    Intervention,
    MoveDemand,
    Rain,
    RepairLink,
    ScaleDemand,
    SetParameter,
    Situation,
    Storm,
)
from tiertwin.model.spelling import NotThatError, fields, real, split, times, value_of


def parse_intervention(option: str, spelling: str) -> Intervention:
    """Read an intervention from its option (``fail-link``) and spelling (``Ulm,Stuttgart``).

    Raises
    ------
    UnknownNameError
        No such option; names the nearest.
    InputError
        The spelling is not one of it: says what was expected. Or its numbers are out of range.
    """
    if option not in _READERS:
        raise UnknownNameError(f"what-if: expected an intervention, got {option!r}{suggest(option, list(_READERS))}")
    expected, read = _READERS[option]
    try:
        return read(spelling)
    except NotThatError as error:
        raise InputError(f"{option}: expected {expected}, got {spelling!r}") from error


def parse_situation(text: str, name: str = "", probability: float = 1.0) -> Situation:
    """Read ``fail-link A,B; demand x2``: what `Situation.text` writes. Raises as `parse_intervention`."""
    try:
        parts = _joined([part.strip() for part in split(text, ";")]) if text.strip() else []
    except NotThatError as error:
        raise InputError(f"situation: expected quotation marks in pairs, got {text!r}") from error
    given = [parse_intervention(*(part.split(maxsplit=1) if " " in part else (part, ""))) for part in parts]
    return Situation(name, tuple(given), probability)


def options() -> dict[str, str]:
    """Return every option with the spelling it expects."""
    return {option: expected for option, (expected, _) in _READERS.items()}


def _joined(parts: list[str]) -> list[str]:
    """Put the links of a group together again: what does not begin with an option belongs to what is before it."""
    found: list[str] = []
    for part in parts:
        if part.split(" ", 1)[0] in _READERS or not found:
            found.append(part)
        else:
            found[-1] += f";{part}"
    return found


def _group(text: str) -> Intervention:
    parts = split(text, "=")
    if len(parts) != 2:
        raise NotThatError
    links = [fields(link, 2) for link in split(parts[1], ";")]
    return FailGroup(fields(parts[0], 1)[0], tuple((a, b) for a, b in links))


def _demand(text: str) -> Intervention:
    factor, *area = split(text, "@", 1)
    return ScaleDemand(times(factor.strip()), fields(area[0], 1)[0] if area else None)


def _capacity(text: str) -> Intervention:
    *place, more = fields(text, 2, 3)
    where = place[0] if len(place) == 1 else (place[0], place[1])
    return AddCapacity(where, amount=real(more[1:])) if more.startswith("+") else AddCapacity(where, times(more))


def _add_site(text: str) -> Intervention:
    node, ghz = fields(text, 2)
    return AddSite(node, real(ghz))


def _rain(text: str) -> Intervention:
    rate, *where = split(text, "@", 1)
    if not where:
        return Rain(real(rate))
    place = fields(where[0], 1, 2, 3)
    if len(place) == 3:
        lon, lat, km = map(real, place)
        return Rain(real(rate), lon=lon, lat=lat, radius_km=km)
    return Rain(real(rate), place[0], radius_km=real(place[1]) if len(place) == 2 else RAIN_RADIUS_KM)


def _storm(text: str) -> Intervention:
    factor, *area = split(text, "@", 1)
    if not area:
        raise NotThatError
    return Storm(fields(area[0], 1)[0], times(factor.strip()))


def _parameter(text: str) -> Intervention:
    key, equals, value = text.partition("=")
    if not equals:
        raise NotThatError
    return SetParameter(key.strip(), value_of(value.strip()))


def _degrade(text: str) -> Intervention:
    a, b, share = fields(text, 3)
    return DegradeLink(a, b, real(share))


def _move(text: str) -> Intervention:
    source, target, share = fields(text, 3)
    return MoveDemand(source, target, real(share))


_READERS: dict[str, tuple[str, Callable[[str], Intervention]]] = {
    "fail-link": ("A,B (two nodes)", lambda text: FailLink(*fields(text, 2))),
    "degrade-link": ("A,B,SHARE (of the capacity that is left)", _degrade),
    "repair-link": ("A,B (two nodes)", lambda text: RepairLink(*fields(text, 2))),
    "fail-node": ("NODE", lambda text: FailNode(*fields(text, 1))),
    "fail-site": ("SITE", lambda text: FailSite(*fields(text, 1))),
    "fail-group": ("NAME=A,B;C,D (links that fail together)", _group),
    "demand": ("xFACTOR or xFACTOR@AREA", _demand),
    "move": ("A,B,SHARE (of the demand at A that comes from B instead)", _move),
    "add-capacity": ("SITE,xFACTOR or SITE,+GHZ or A,B,xFACTOR or A,B,+MBPS", _capacity),
    "add-site": ("NODE,GHZ", _add_site),
    "rain": ("MM_H or MM_H@AREA or MM_H@AREA,KM or MM_H@LON,LAT,KM", _rain),
    "storm": ("xFACTOR@AREA", _storm),
    "set": ("KEY=VALUE", _parameter),
}
