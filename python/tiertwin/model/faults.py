"""Faults injected into the plant: given one by one, drawn at random, and links that share a risk. Off by default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tiertwin.model.fields import Count, NotNegative, Part, Positive, Rows, Share, TopologyName
from tiertwin.model.surroundings import Repair

FaultKind = Literal["link", "degraded", "node", "server", "slow", "access", "group"]
LieKind = Literal["bias", "replay", "freeze", "random"]
Strength = Annotated[float, Field(gt=-1, le=100)]
Above = Annotated[float, Field(gt=0, le=1)]
Two = Annotated[Rows[TopologyName], Field(min_length=2, max_length=2)]
Range = Annotated[Rows[Share], Field(min_length=2, max_length=2)]
AboveRange = Annotated[Rows[Above], Field(min_length=2, max_length=2)]


class RiskGroup(Part):
    """Links that fail together: a duct, a power feed. Operators know of it, so the twins do."""

    name: TopologyName
    """Of the group."""
    links: Annotated[Rows[Two], Field(min_length=1, max_length=10_000)]
    """Pairs of nodes they join."""


class Fault(Part):
    """One fault: a link is down or degraded, a node dark, a server down or slow, a site's access down, a group down."""

    kind: FaultKind
    """What happens; `link` and `degraded` need `link`, `group` needs `group`, the others `node`."""
    at_s: NotNegative
    """When it comes, s from the start of the run."""
    for_s: Positive | None = None
    """How long it lasts, s; without it to the end."""
    link: Two | None = None
    """Names of the two nodes it joins."""
    node: TopologyName | None = None
    """Name of the node that is dark, where the server stands, or of the site whose access fails."""
    tier: Literal["edge", "fog", "cloud"] = "edge"
    """Which server of the node."""
    group: TopologyName | None = None
    """Name of a shared-risk group."""
    capacity: Above = 0.5
    """Share of its capacity that a degraded link keeps, both ways."""
    loss: Share = 0.02
    """Share of tasks and frames that a degraded link loses besides, each way."""
    speed: Above = 0.4
    """Share of its speed that a slow server keeps."""


class FaultRates(Part):
    """Mean faults an hour in the whole network, by kind; Poisson."""

    link: NotNegative = 0.0
    """Of links that go down, any link alike."""
    degraded: NotNegative = 0.0
    """Of links that get worse."""
    node: NotNegative = 0.0
    """Of nodes that go dark."""
    server: NotNegative = 0.0
    """Of servers that go down: edge, fog and cloud alike."""
    slow: NotNegative = 0.0
    """Of servers that get slow."""
    access: NotNegative = 0.0
    """Of sites whose cells all go down."""
    group: NotNegative = 0.0
    """Of shared-risk groups that go down."""


class RandomFaults(Part):
    """Faults drawn at random; one seed gives one sequence, whatever the policy does. Where, and how bad: uniform."""

    per_hour: FaultRates = FaultRates()
    """How often."""
    from_s: NotNegative = 0.0
    """None comes before, s."""
    capacity: AboveRange = (0.3, 0.9)
    """Least and most share of its capacity that a degraded link keeps."""
    loss: Range = (0.005, 0.08)
    """Least and most share that it loses."""
    speed: AboveRange = (0.25, 0.6)
    """Least and most share of its speed that a slow server keeps."""
    repair: Repair = Repair()
    """How long a fault lasts."""


class Liar(Part):
    """One child that tells what is not: what it reports is changed on its way out; what it does is not."""

    kind: LieKind
    """`bias`: all it counts times 1 + strength. `freeze`: the last report again and again. `replay`: the last
    reports in turn. `random`: what it counts drawn evenly from 0 to 1 + strength times the largest of its site."""
    at_s: NotNegative
    """When it begins, s from the start of the run."""
    for_s: Positive | None = None
    """How long it goes on, s; without it to the end."""
    node: TopologyName
    """Name of the site's node."""
    device: Count | None = None
    """Which of the site's devices, from 0; without it the whole gateway: devices, servers and links."""
    strength: Strength = 2.0
    """How much; below 0 a `bias` tells less than there is."""


class Lying(Part):
    """Liars drawn at random: who, when and how; one seed gives the same ones, whatever the policy does."""

    share: Share
    """Of the children that lie, rounded to whole ones."""
    of: Literal["device", "gateway"] = "device"
    """Which children: devices, or the gateways of sites with all they tell."""
    kinds: Annotated[Rows[LieKind], Field(min_length=1, max_length=4)] = ("bias", "replay", "freeze", "random")
    """Dealt to the liars in turn."""
    at_s: Annotated[Rows[NotNegative], Field(min_length=2, max_length=2)] = (10.0, 20.0)
    """Earliest and latest beginning, s; even between."""
    for_s: Positive | None = None
    """How long, s; without it to the end."""
    strength: Strength = 2.0
    """As of a liar."""


class Faults(Part):
    """Faults injected into the plant. Parts that fail by wear are in `failures`."""

    groups: Annotated[Rows[RiskGroup], Field(max_length=10_000)] = ()
    events: Annotated[Rows[Fault], Field(max_length=100_000)] = ()
    random: RandomFaults | None = None
    """Without it none but those of `events`."""
    liars: Annotated[Rows[Liar], Field(max_length=100_000)] = ()
    """Children that lie."""
    lying: Lying | None = None
    """More of them, drawn."""


class Thresholds(Part):
    """From where on a measured signal is an alarm. Of the plant's operator; no model reads them."""

    error_ratio: Annotated[float, Field(gt=0, lt=1)] = 2e-3
    """Bad frames of a link over all, in the window."""
    capacity: Above = 0.97
    """Told capacity of a link over what was planned and the weather leaves: below."""
    response: Annotated[float, Field(gt=1)] = 1.4
    """Time that the fastest task in `response_s` took at a server over what it needs alone there: above."""
    response_s: Annotated[float, Field(gt=0, le=3_600)] = 5.0
    """Seconds that the fastest task is looked for in: longer than a busy server is without a free core."""
    late: Share = 0.5
    """Missed tasks of a site over all, in the window, above what is usual there by this, and by `sigmas`."""
    sigmas: NotNegative = 5.0
    """Standard deviations of a count of tasks, so that few tasks are no alarm."""
    rate: Share = 0.3
    """Tasks of a site a second over what is usual there: below."""
    power: Above = 0.3
    """Power of a site's base stations over what is usual there: below."""


class Assurance(Part):
    """Fogs and cloud watch their domain: thresholds on what they are told, incidents, causes with probabilities."""

    enabled: bool = True
    """Without it the section says nothing."""
    window_s: Positive = 3.0
    """Over which counted signals are taken together, s."""
    silent_s: Positive = 4.0
    """What was not heard for so long is missing, and a node of which nothing was heard is an alarm, s."""
    hold_s: NotNegative = 2.0
    """A signal must be quiet for so long before its alarm is cleared, s."""
    warm_s: NotNegative = 15.0
    """Seconds at the start in which what is usual is learnt, and nothing is an alarm."""
    memory_s: Positive = 60.0
    """Time constant of what is usual; it stands still during an alarm, s."""
    incident_s: Positive = 20.0
    """Alarms so near in time, of one part or of parts that belong together, are one incident, s."""
    named: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability from which on a cause is recorded."""
    thresholds: Thresholds = Thresholds()


class Trust(Part):
    """Twins that judge what their children tell, and leave out what does not fit."""

    enabled: bool = True
    """Without it the section says nothing."""
    method: Literal["evidence", "bounds", "median"] = "evidence"
    """`evidence`: quarantine by evidence. `bounds`, `median`: the simple ways it is compared with: without reports that
    no child could send, or a group's devices all at their median."""
    limit: Annotated[float, Field(ge=1, le=700)] = 12.0
    """Evidence against a child from which on it is in quarantine, nats: e^-limit is what an honest child risks with a
    report."""
    hold_s: Positive = 20.0
    """A child in quarantine is trusted again when nothing speaks against it for so long, s."""
    warm_s: NotNegative = 3.0
    """Seconds after a child's first report in which nothing is held against it."""
    tolerance: NotNegative = 0.3
    """By how much the level of an honest device may differ from its neighbours', share of it."""
    site_tolerance: NotNegative = 0.6
    """The same of a whole site."""
    liars: Annotated[float, Field(ge=0, lt=0.5)] = 0.3
    """Largest share of a twin's children in quarantine at once; when more would be, the plan is what is wrong."""
