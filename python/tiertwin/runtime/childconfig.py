"""What a child process is told on its standard input: one line of JSON, strict."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np

from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.economy import Economy
from tiertwin.orchestrate.rhythm import Rhythm
from tiertwin.orchestrate.trustrules import TrustRules
from tiertwin.orchestrate.watchrules import AssuranceRules
from tiertwin.plant import PlantOptions
from tiertwin.runtime.control import Address
from tiertwin.runtime.tree import Settings
from tiertwin.twin.privacy import PrivacyRules
from tiertwin.wire.access import Access
from tiertwin.wire.keys import METRICS, OBSERVERS, NodeKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tiertwin.runtime.roster import Roster
    from tiertwin.wire.access import Grant

Text = Annotated[str, msgspec.Meta(max_length=4096)]


class Peer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node elsewhere that one here connects to, and its public key; where it listens is told later."""

    name: Text
    public: Text


class LiveConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the real clock needs besides.

    Parameters
    ----------
    state
        Folder of the nodes' state files.
    origin
        When epoch 0 begins, ns since 1970; 0: the launcher says when everybody is there.
    ports
        Fixed ports by node; others take a free one.
    public
        Listening on an address that means all interfaces was asked for.
    addresses
        Where the others listen, when no launcher says it.
    keys
        Folder of keys that is looked at while the process lives; empty: none.
    durable
        Nodes keep logs beside their state, the plant's sides excepted.
    """

    state: Text
    origin: int = 0
    ports: dict[Text, int] = {}
    public: bool = False
    addresses: dict[Text, Address] = {}
    keys: Text = ""
    durable: bool = False

    def at(self, origin: int) -> LiveConfig:
        """The same with another beginning."""
        return msgspec.structs.replace(self, origin=origin)


class TwinsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process that hosts nodes of the tree.

    Parameters
    ----------
    world
        File of the resolved world (`tiertwin.world.stored`).
    settings
        As :func:`settings_to_plain` gives them.
    keys
        Keys of the nodes here.
    access
        Table of all nodes that may connect to one here (JSON, as in a file).
    parents
        By node: its parent, where that is in another process.
    listening
        Nodes here with children in other processes.
    bind
        Address to listen on.
    pool, solving
        The solver pool of this host, and the nodes here that ask it.
    live
        Under the real clock.
    """

    world: Text
    settings: dict[str, Any]
    nodes: list[Text]
    keys: list[NodeKey]
    access: str
    parents: dict[Text, Peer]
    listening: list[Text]
    bind: Text
    pool: Peer | None = None
    solving: list[Text] = []
    live: LiveConfig | None = None


class SolverConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A worker of the solver pool with its solver's name; `shapes` are compiled before it says that it is there."""

    key: NodeKey
    pool: Peer
    host: Text
    port: int
    solver: Text
    shapes: list[tuple[int, int, int, int, int]] = []


class StoreConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The process that owns a run's files; fields as of :class:`tiertwin.store.RunWriter`."""

    folder: Text
    scenario: dict[str, Any]
    seed: int
    policies: list[Text]
    settings: dict[str, Any]


class PolicyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A process that runs all `epochs` of a policy without a tree; fields as of :class:`TwinsConfig`."""

    world: Text
    settings: dict[str, Any]
    epochs: int


class ChildConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One child; exactly one of the four parts is there.

    Parameters
    ----------
    process
        Its name, in logs and messages.
    dies_with_parent
        Under the virtual clock nothing outlives the launcher.
    """

    process: Text
    dies_with_parent: bool = True
    twins: TwinsConfig | None = None
    solver: SolverConfig | None = None
    store: StoreConfig | None = None
    policy: PolicyConfig | None = None


def twins_config(
    roster: Roster,
    nodes: Sequence[str],
    world: Path,
    settings: dict[str, Any],
    keys: Sequence[NodeKey],
    publics: Mapping[str, str],
    grants: Iterable[Grant],
    bind: str,
    pool: Peer | None,
    live: LiveConfig | None,
) -> TwinsConfig:
    """Put together what a process that hosts `nodes` is told: their parents elsewhere, who may come in, who solves.

    Parameters
    ----------
    publics
        Public keys of the nodes of the tree, by name.
    grants
        Of everybody; those of children elsewhere are passed on, and the observer's under the real clock.
    """
    here = set(nodes)
    above = {name: roster.parent(name) for name in nodes}
    away = {name: {child.name for child in roster.children(name)} - here for name in nodes}
    listening = [name for name in nodes if away[name] or (live is not None and roster.tier(name) >= 0)]
    may_come = set().union(*away.values(), () if live is None else (*OBSERVERS, METRICS))
    solving = [name for name in nodes if roster.tier(name) >= Tier.FOG and pool is not None]
    return TwinsConfig(
        world=str(world),
        settings=settings,
        nodes=list(nodes),
        keys=list(keys),
        access=Access(grant for grant in grants if grant.node in may_come).to_json().decode(),
        parents={name: Peer(up, publics[up]) for name, up in above.items() if up is not None and up not in here},
        listening=listening,
        bind=bind,
        pool=pool if solving else None,
        solving=solving,
        live=live,
    )


def encode_config(config: ChildConfig) -> bytes:
    """Return the line for a child's standard input."""
    return msgspec.json.encode(config) + b"\n"


def decode_config(line: bytes) -> ChildConfig:
    """Read the line; msgspec.DecodeError and ValidationError say what is wrong with it."""
    return msgspec.json.decode(line, type=ChildConfig, strict=True)


def settings_to_plain(settings: Settings) -> dict[str, Any]:
    """Return settings as JSON values."""
    plant = {f.name: getattr(settings.plant, f.name) for f in fields(PlantOptions)}
    plant["traces"] = {str(k): [np.asarray(t).tolist(), repeat] for k, (t, repeat) in settings.plant.traces.items()}
    plain = {f.name: getattr(settings, f.name) for f in fields(Settings)}
    rhythm = asdict(settings.rhythm)
    rhythm["control_every"] = {str(k): v for k, v in settings.rhythm.control_every.items()}
    economy = None if settings.economy is None else asdict(settings.economy)
    assurance = None if settings.assurance is None else asdict(settings.assurance)
    trust = None if settings.trust is None else asdict(settings.trust)
    privacy = None if settings.privacy is None else asdict(settings.privacy)
    rules = {"economy": economy, "assurance": assurance, "trust": trust, "privacy": privacy}
    return plain | {"rhythm": rhythm, "plant": plant, **rules}


def settings_from_plain(plain: dict[str, Any]) -> Settings:
    """Return what :func:`settings_to_plain` was given."""
    rhythm = dict(plain["rhythm"])
    rhythm["control_every"] = {int(k): v for k, v in rhythm["control_every"].items()}
    plant: dict[str, Any] = dict(plain["plant"])
    plant["traces"] = {int(k): (np.asarray(t, dtype=np.float64), r) for k, (t, r) in plant["traces"].items()}
    changes: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plant.items()}
    options = replace(PlantOptions(), **changes)
    economy = plain["economy"]
    if economy is not None:
        economy = Economy(**{**economy, "catalogue": tuple(tuple(line) for line in economy["catalogue"])})
    rules = plain["assurance"]
    if rules is not None:
        groups = tuple((name, tuple(links)) for name, links in rules["groups"])
        rules = AssuranceRules(**{**rules, "groups": groups, "modulated": tuple(rules["modulated"])})
    trust = None if plain.get("trust") is None else TrustRules(**plain["trust"])
    made = {"rhythm": Rhythm(**rhythm), "plant": options, "economy": economy, "assurance": rules, "trust": trust}
    return Settings(**{**plain, **made, "privacy": _privacy(plain.get("privacy"))})


def _privacy(plain: dict[str, Any] | None) -> PrivacyRules | None:
    if plain is None:
        return None
    pairs = {key: tuple(map(tuple, plain[key])) for key in ("owners", "classes", "declared")}
    return PrivacyRules(**{**plain, **pairs})
