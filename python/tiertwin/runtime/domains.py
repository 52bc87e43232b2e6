"""The `privacy` section of a scenario against the tree it is about: plain rules, or all that does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiertwin.errors import InputError, suggest
from tiertwin.model.tiers import Tier
from tiertwin.twin.attributes import KNOWN, A, attribute_name
from tiertwin.twin.privacy import PRIVACY, Privacy, PrivacyRules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiertwin.model import privacy as written
    from tiertwin.world import World


def rules_of(section: written.PrivacyRules, world: World) -> PrivacyRules:
    """Return the rules for every process of a tree.

    Raises
    ------
    InputError
        Domains at twins that are not there, at gateways or at the root, or twice at one; attributes nobody knows, one
        that is declared and known, or a class below `private` for what devices tell.
    """
    problems = [*_misplaced(section, world), *_misnamed(section)]
    if problems:
        raise InputError(problems, str(world.name))
    return PrivacyRules(
        owners=tuple((domain.twin, domain.owner) for domain in section.domains),
        most=int(Privacy[section.crosses.upper()]),
        classes=tuple((int(A[name.upper()]), int(Privacy[c.upper()])) for name, c in sorted(section.classes.items())),
        declared=tuple((row.attribute, int(Privacy[row.privacy.upper()])) for row in section.declared),
        least=section.least_members,
    )


def _misplaced(section: written.PrivacyRules, world: World) -> Iterator[str]:
    tiers = {twin.name: twin.tier for twin in world.twins}
    seen: set[str] = set()
    for i, domain in enumerate(section.domains):
        path = f"privacy.domains[{i}].twin"
        tier = tiers.get(domain.twin)
        if tier is None:
            yield f"{path}: expected a twin of the tree, got {domain.twin!r}{suggest(domain.twin, list(tiers))}"
        elif tier not in (Tier.EDGE, Tier.FOG):
            yield f"{path}: expected a fog or an edge (sums leave a domain, and these make them), got {domain.twin!r}"
        if domain.twin in seen:
            yield f"{path}: expected every twin once, got {domain.twin!r} again"
        seen.add(domain.twin)


def _misnamed(section: written.PrivacyRules) -> Iterator[str]:
    names = [a.name.lower() for a in PRIVACY]
    for name, given in sorted(section.classes.items()):
        if name not in names:
            yield f"privacy.classes: expected an attribute that is measured, got {name!r}{suggest(name, names)}"
        elif PRIVACY[A[name.upper()]] == Privacy.PRIVATE and given != "private":
            yield f"privacy.classes.{name}: expected 'private' for what one device or user tells, got {given!r}"
    for i, row in enumerate(section.declared):
        if row.attribute in KNOWN:
            named = attribute_name(row.attribute)
            yield (
                f"privacy.declared[{i}].attribute: expected one that is not ours, got {row.attribute} ({named}); "
                "use privacy.classes"
            )
