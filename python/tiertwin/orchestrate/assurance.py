"""Assurance of a domain: alarms on what is told, incidents, causes with probabilities and what they cost.

    look       every base epoch, at the children's tables (`sight`)
    alarm      thresholds on signals (`alarming`); repeats are one alarm, what belongs together one incident
    localise   posteriors of causes given alarms and silence (`functions.assure.localiser`), when a state changed
    name       a cause that is likelier than `named` and is this twin's to name, with its impact

Every cause has one twin that names it: that which owns its link (of a group, most of its links), or the fog where it
stands. Others know the cause too, so that they do not blame something else for it, and say nothing. Pure: time and
tables come in, records go out; nothing here acts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.alarms import Severity
from tiertwin.functions.assure.causes import Certainties, Naming
from tiertwin.functions.assure.dependencies import Dependencies, dependencies
from tiertwin.functions.assure.impact import ImpactModel, Severities
from tiertwin.functions.assure.incidents import Incident, Incidents
from tiertwin.functions.assure.localiser import ALARM, MISSING, SILENT, Ranking
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.alarming import Alarming
from tiertwin.orchestrate.service import ServiceSight
from tiertwin.orchestrate.sight import Sight
from tiertwin.twin.attributes import A
from tiertwin.twin.effects import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.functions.assure.causes import Cause
    from tiertwin.orchestrate.service import Service
    from tiertwin.orchestrate.watchrules import AssuranceRules
    from tiertwin.twin.layout import Layout
    from tiertwin.world import World

    Flags = npt.NDArray[np.bool_]
    F64 = npt.NDArray[np.float64]

LEAK = {"down": 1e-4, "dark": 1e-4, "errors": 1e-4, "slow": 1e-4, "late": 3e-2, "rate": 1e-4}
"""Share of time a signal is in alarm while nothing is wrong: of runs of `mixed` without faults, rounded up; of what was
never seen, what so many seconds of so many parts can tell."""
TOP = 5  # causes of a ranking that are recorded
MOVED = 0.1  # a probability that moved by so much is recorded anew
KINDS = {  # by attribute of an observation: probable cause and severity of its alarm
    "down": ("LINK_FAILURE", Severity.CRITICAL),
    "errors": ("THRESHOLD_CROSSED", Severity.MAJOR),
    "dark": ("EQUIPMENT_FAILURE", Severity.CRITICAL),
    "slow": ("RESPONSE_TIME_EXCESSIVE", Severity.MAJOR),
    "late": ("RESPONSE_TIME_EXCESSIVE", Severity.MINOR),
    "rate": ("EQUIPMENT_FAILURE", Severity.CRITICAL),
}


@dataclass(frozen=True)
class Named:
    """A cause its twin holds to be there.

    Parameters
    ----------
    cause
        What and where.
    probability
        Its posterior now.
    since_s
        When it was named, s on the twin's clock.
    """

    cause: Cause
    probability: float
    since_s: float


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What all twins of a process know of a world's faults: one dependency graph, and who names which cause."""

    graph: Dependencies
    owner: tuple[str, ...]

    @classmethod
    def of(cls, world: World, rules: AssuranceRules) -> Knowledge:
        """Build it; seconds in a large world, so once a process."""
        usual = Certainties()
        sure = replace(usual, leak={**usual.leak, **LEAK})
        graph = dependencies(world, dict(rules.groups), sure)
        return cls(graph, tuple(_owner(world, cause) for cause in graph.causes))


def _owner(world: World, cause: Cause) -> str:
    """Return the twin that names a cause: of links their owner, of what stands at a node the fog it belongs to."""
    if cause.links:
        owners = [world.link_owner[link] for link in cause.links]
        return max(sorted(set(owners)), key=owners.count)
    nodes = np.concatenate([world.site_node, world.fog_node, [world.cloud_node]])
    node = cause.nodes[0] if cause.nodes else int(nodes[cause.server if cause.server >= 0 else cause.site])
    fog = int(world.node_fog[node])
    return next(twin.name for twin in world.twins if twin.tier == Tier.FOG and twin.fog == fog)


class Assurance:
    """Watches the domain of one fog or of the cloud.

    Parameters
    ----------
    world
        Inventory.
    name
        Of the twin.
    layouts, sites
        Of the children's tables; site of each child, -1 where it is a fog.
    rules
        Thresholds and times.
    knowledge
        The dependency graph.
    """

    def __init__(
        self,
        world: World,
        name: str,
        layouts: Sequence[Layout],
        sites: Sequence[int],
        rules: AssuranceRules,
        knowledge: Knowledge,
    ) -> None:
        self._made_of = (world, name, tuple(layouts), tuple(sites), rules, knowledge)
        self._world, self._rules, self._graph = world, rules, knowledge.graph
        self._mine: Flags = np.array([owner == name for owner in knowledge.owner], dtype=bool)
        self._sight = Sight(layouts, sites)
        self._service = ServiceSight(world, layouts, sites, rules.period_s)
        self._alarming = Alarming(world, self._sight, rules)
        self._localiser = knowledge.graph.localiser()
        number = {observation: k for k, observation in enumerate(knowledge.graph.observations)}
        self._observation = np.array([number[name] for name in self._alarming.names], dtype=np.int64)
        self._state = np.full(len(self._observation), MISSING, dtype=np.int8)
        objects = list(dict.fromkeys(name.rsplit(" ", 1)[0] for name in self._alarming.names))
        self.log = Incidents(objects, _related(world, objects), window_s=rules.incident_s)
        self._open: set[int] = set()
        self.ranking: Ranking | None = None
        self.named: dict[str, Named] = {}

    # -- the one entry -------------------------------------------------------------------------------------------------
    def handle(
        self, now: int, epoch: int, tables: Sequence[_core.StateTable | None], live: Sequence[bool]
    ) -> list[Record]:
        """Look at the children's tables at `now` (ns) and return what is to be told: alarms, incidents, causes."""
        now_s = now * 1e-9
        self._sight.look(tables, now_s)
        self._service.look(tables, now)
        before = self._state
        self._state = self._alarming.judge(self._sight, now_s, np.array(live, dtype=bool)).copy()
        changed = np.flatnonzero(self._state != before)
        records = self._alarms(now, epoch, before)
        if len(changed):
            self._localiser.observe(
                self._observation[self._state == ALARM],
                self._observation[self._state == SILENT],
                self._observation[self._state == MISSING],
            )
            self.ranking = self._localiser.ranked() if (self._state == ALARM).any() else None
            records += self._causes(now_s, epoch)
        self.log.advance(now_s)
        return records + self._incidents(epoch)

    def alarms(self) -> list[str]:
        """Return the observations in alarm now, by name."""
        return [self._alarming.names[k] for k in np.flatnonzero(self._state == ALARM)]

    def told_down(self) -> list[Cause]:
        """Return the causes of this twin's to name whose own part is told to be down, whatever their posterior is.

        A server that serves nothing makes nothing late: the silence of all its sites speaks against it, its own word
        is better.
        """
        down = {name.removesuffix(" down") for name in self.alarms() if name.endswith(" down")}
        pairs = zip(self._graph.causes, self._mine.tolist(), strict=True)
        return [cause for cause, mine in pairs if mine and cause.name in down]

    def incidents(self) -> list[Incident]:
        """Return the open incidents, oldest first."""
        return self.log.open()

    def posterior(self) -> dict[str, float]:
        """Return the probability of every cause that is this twin's to name; nothing while there is no alarm."""
        if self.ranking is None:
            return {}
        pairs = zip(self.ranking.order.tolist(), self.ranking.probability.tolist(), strict=True)
        return {self._graph.causes[c].name: p for c, p in pairs if self._mine[c]}

    def severities(self) -> Severities:
        """Return how bad degraded links and slow servers were measured to be."""
        return self._alarming.severities(self._sight)

    def told_load(self) -> F64:
        """Return the multiplier of each site's nominal task rates as its edge told it last; 0: not told here, [S]."""
        world = self._world
        load = np.zeros(world.site_count)
        nominal = world.group_devices.sum(axis=-1) @ world.tasks_per_s
        for site, demand in zip(self._sight.sites.tolist(), self._sight.by_child(A.DEMAND).tolist(), strict=True):
            if site >= 0 and nominal[site] > 0.0:
                load[site] = max(demand, 0.0) / nominal[site]
        return load

    def told_service(self) -> Service:
        """Return what the children told of the service at their sites, by class (`orchestrate.service`)."""
        return self._service.service()

    def impact_model(self) -> ImpactModel:
        """Return what causes would cost at the load that the children told last."""
        told = self.told_load()
        return ImpactModel(self._world, np.where(told > 0.0, told, 1.0), devices=True, handover=self._world.grouped)

    # -- what is told --------------------------------------------------------------------------------------------------
    def _alarms(self, now: int, epoch: int, before: npt.NDArray[np.int8]) -> list[Record]:
        """Tell the log and the world of alarms raised and cleared; what went missing in alarm stays raised."""
        records = []
        for k in np.flatnonzero((self._state == ALARM) != (before == ALARM)).tolist():
            raised = self._state[k] == ALARM
            entity, attribute = self._alarming.names[k].rsplit(" ", 1)
            cause, severity = KINDS[attribute]
            if attribute == "down" and entity.startswith("server"):
                cause = "EQUIPMENT_FAILURE"
            self._tell(now, entity, cause, severity if raised else Severity.CLEARED)
            fields = {"object": entity, "observation": attribute, "cause": cause, "raised": bool(raised)}
            records.append(Record("alarm", epoch, fields | ({"severity": severity.name} if raised else {})))
        return records

    def _tell(self, now: int, entity: str, cause: str, severity: Severity) -> None:
        row = (now, self.log.index[entity], self.log.cause_index[cause], int(severity))
        self.log.push(*(np.array([value], dtype=np.int64) for value in row))

    def _causes(self, now_s: float, epoch: int) -> list[Record]:
        held = {name: p for name, p in self.posterior().items() if p >= self._rules.named}
        records = [Record("cause", epoch, {"cause": name, "over": True}) for name in self.named if name not in held]
        model: ImpactModel | None = None
        for name, probability in held.items():
            known = self.named.get(name)
            if known is None or abs(known.probability - probability) >= MOVED:
                model = self.impact_model() if model is None else model
                records.append(Record("cause", epoch, self._cause_fields(name, probability, model)))
        self.named = {
            name: Named(
                self._graph.cause(name),
                probability,
                self.named[name].since_s if name in self.named else now_s,
            )
            for name, probability in held.items()
        }
        return records

    def _cause_fields(self, name: str, probability: float, model: ImpactModel) -> dict[str, Any]:
        cause = self._graph.cause(name)
        try:
            cost = model.impact(cause)
        except InputError:  # a network that cannot be routed at all
            return {"cause": name, "kind": cause.kind, "probability": probability}
        return {
            "cause": name,
            "kind": cause.kind,
            "probability": probability,
            "users": cost.users,
            "tasks_per_s": cost.tasks_per_s,
            "gbps": cost.gbps,
            "sites": list(cost.sites[:TOP]),
        }

    def _incidents(self, epoch: int) -> list[Record]:
        """Tell incidents that opened, with the likeliest causes, and those that closed, with their alarms."""
        open_now = {incident.number: incident for incident in self.log.open()}
        records = []
        for number in sorted(open_now.keys() - self._open):
            fields = {"incident": number, "open": True, "severity": open_now[number].severity.name}
            records.append(Record("incident", epoch, fields | {"causes": self._likeliest()}))
        for incident in self.log.take():
            alarms = [alarm.to_dict() for alarm in incident.alarms]
            records.append(Record("incident", epoch, {"incident": incident.number, "open": False, "alarms": alarms}))
        self._open = set(open_now)
        return records

    def _likeliest(self) -> list[list[Any]]:
        if self.ranking is None:
            return []
        pairs = zip(self.ranking.causes[:TOP], self.ranking.probability[:TOP].tolist(), strict=True)
        return [[name, probability] for name, probability in pairs]

    def __deepcopy__(self, memo: dict[int, Any]) -> Assurance:
        """A fork begins to watch anew: what it will be told comes from another network."""
        return Assurance(*self._made_of)

    @property
    def rules(self) -> dict[str, Any]:
        """Thresholds and times, as plain values."""
        return asdict(self._rules)


def _related(world: World, objects: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of parts that belong together: a link and its ends, a node and its servers and site."""
    names, known = Naming(world), set(objects)
    pairs = [
        (names.link(link), f"node {names.nodes[int(end)]}")
        for link in range(world.link_count)
        for end in (world.link_tail[link], world.link_head[link])
    ]
    pairs += [(names.server(k), f"node {names.nodes[int(node)]}") for k, node in enumerate(names.server_node)]
    for site in range(world.site_count):
        at = f"node {names.nodes[int(world.site_node[site])]}"
        fog = world.site_count + int(world.site_fog[site])
        pairs += [(names.site(site), at), (names.site(site), names.server(site)), (names.site(site), names.server(fog))]
    return [pair for pair in pairs if pair[0] in known and pair[1] in known]
