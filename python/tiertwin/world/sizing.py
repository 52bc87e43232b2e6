"""How servers, cells and links are sized from the demand: the dimensioning rules of a scenario.

Servers (all loads daily means, if every task were computed on a server)

    total    = offered GHz / mean_load, in whole cores
    sites    = urban_ghz or rural_ghz each; together at most sites_at_most·total, else all shrink in proportion
    fogs     = fog_share of what the sites leave, split by the domains' offered load; cloud = the rest

Links

    background = the matrix, scaled to background_ratio · (device traffic), over all paths of fewest hops
    planned    = planned_site_share of each site's traffic on its route, planned_fog_share of each domain's on its own
    capacity   = least module ≥ max(background / background_utilisation, (background + planned) / offload_utilisation)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiertwin.model.scenario import Dimensioning, Scenario
from tiertwin.world.population import split
from tiertwin.world.world import F64, I64, Flags


def urban_sites(demand: F64, tail: I64, head: I64, km: F64, factor: float) -> Flags:
    """Return which nodes are urban: demand density at least `factor` times that of the whole network.

    The density of a node is its demand over the square of the mean length of its links, which stands for the area it
    serves; that of the network is the sum of demands over the sum of areas.
    """
    ends = np.concatenate([tail, head])
    lengths = np.concatenate([km, km])
    degree = np.bincount(ends, minlength=len(demand))
    mean_km = np.bincount(ends, lengths, minlength=len(demand)) / np.maximum(degree, 1)
    area = np.maximum(mean_km, 1e-3) ** 2
    return np.asarray(demand / area >= factor * demand.sum() / area.sum())


def server_cores(scenario: Scenario, urban: Flags, site_ghz: F64, site_fog: I64, fogs: int) -> tuple[I64, I64, int]:
    """Return (cores of each site, of each fog, of the cloud) for the offered loads `site_ghz`; none below one."""
    rule, sites = scenario.dimensioning, scenario.sites
    total = max(round(float(site_ghz.sum()) / rule.mean_load / sites.core_ghz), 1)
    wanted = np.where(urban, sites.urban_ghz, sites.rural_ghz) / sites.core_ghz
    shrink = min(1.0, rule.sites_at_most * total / float(wanted.sum()))
    site_cores = np.maximum(np.floor(wanted * shrink + 1e-9), 1.0).astype(np.int64)
    rest = max(total - int(site_cores.sum()), fogs + 1)
    of_fogs = min(max(round(rule.fog_share * rest), fogs), rest - 1)
    fog_cores = split(of_fogs, sums(site_fog, site_ghz, fogs), least=1)
    return site_cores, fog_cores, rest - of_fogs


def sums(owner: I64, values: F64, owners: int) -> F64:
    """Return the sum of `values` of each owner 0 … owners-1."""
    return np.bincount(owner, values, minlength=owners).astype(np.float64)


def cell_counts(scenario: Scenario, airtime: F64) -> I64:
    """Return the cells of each site that keep its mean `airtime` (s/s) at `cell_load`."""
    return np.maximum(np.ceil(airtime / scenario.radio.cell_load - 1e-9), 1.0).astype(np.int64)


def link_capacities(rule: Dimensioning, background: F64, planned: F64, given: Sequence[float | None]) -> F64:
    """Return the capacity of each link, Mb/s each way: what the scenario says, else the least module that suffices.

    Above the largest module a link is a bundle of as many of it as suffice.

    Parameters
    ----------
    background, planned
        Loads of each directed link, Mb/s, [2m].
    """
    need = np.maximum(background / rule.background_utilisation, (background + planned) / rule.offload_utilisation)
    need = need.reshape(-1, 2).max(axis=1)
    modules = np.sort(np.array(rule.link_modules_mbps))
    place = np.searchsorted(modules, need)
    bundle = np.ceil(need / modules[-1]) * modules[-1]
    chosen = np.where(place < len(modules), modules[np.minimum(place, len(modules) - 1)], bundle)
    return np.array([fit if own is None else own for fit, own in zip(chosen.tolist(), given, strict=True)])
