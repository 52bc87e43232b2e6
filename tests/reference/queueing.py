"""The station formulas as the textbooks print them: factorials, sums and all. Scalars in, scalars out."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, factorial, inf


def mm1_delay(lam: float, mu: float) -> float:
    return 1 / (mu - lam) if lam < mu else inf


def mm1_tail(lam: float, mu: float, t: float) -> float:
    return exp(-(mu - lam) * t) if lam < mu else 1.0


def states_of_mm1k(lam: float, mu: float, places: int) -> list[float]:
    """Probability of 0..K in the station, from the balance equations p_{i+1} = p_i lam/mu."""
    mass = [(lam / mu) ** i for i in range(places + 1)]
    return [m / sum(mass) for m in mass]


def mm1k_loss(lam: float, mu: float, places: int) -> float:
    return states_of_mm1k(lam, mu, places)[-1]


def mm1k_delay(lam: float, mu: float, places: int) -> float:
    """Little's law over the arrivals that are let in."""
    if lam == 0:
        return 1 / mu
    p = states_of_mm1k(lam, mu, places)
    return sum(i * q for i, q in enumerate(p)) / (lam * sum(p[:-1]))


def erlang_c(servers: int, offered: float) -> float:
    if offered >= servers:
        return 1.0
    x = offered**servers / factorial(servers) * servers / (servers - offered)
    return x / (sum(offered**k / factorial(k) for k in range(servers)) + x)


def mmc_delay(lam: float, mu: float, servers: int) -> float:
    if lam >= servers * mu:
        return inf
    return 1 / mu + erlang_c(servers, lam / mu) / (servers * mu - lam)


def mg1_wait(lam: float, es: float, es2: float) -> float:
    return lam * es2 / (2 * (1 - lam * es)) if lam * es < 1 else inf


def md1_wait(lam: float, es: float) -> float:
    return mg1_wait(lam, es, es**2)


def gg1_wait(lam: float, es: float, ca2: float, cs2: float) -> float:
    rho = lam * es
    return rho / (1 - rho) * (ca2 + cs2) / 2 * es if rho < 1 else inf


def ps_delay(lam: float, es: float) -> float:
    return es / (1 - lam * es) if lam * es < 1 else inf


def priority_wait(lam: Sequence[float], es: Sequence[float], es2: Sequence[float]) -> list[float]:
    """Cobham's formula with the rates that are really served: what fits, in order of priority."""
    served: list[float] = []
    for rate, mean in zip(lam, es, strict=True):
        left = max(0.0, 1.0 - sum(r * m for r, m in zip(served, es, strict=False)))
        served.append(min(rate, left / mean) if mean > 0 else rate)
    w0 = sum(rate * second for rate, second in zip(served, es2, strict=True)) / 2
    load = [sum(rate * mean for rate, mean in zip(lam[: k + 1], es, strict=False)) for k in range(len(lam))]
    return [w0 / ((1 - (load[k - 1] if k else 0.0)) * (1 - load[k])) if load[k] < 1 else inf for k in range(len(lam))]
