"""Naive performance model of packets: `cpp/perf` formula by formula, with dictionaries and loops.

Streams are found by comparing whole histories, light traffic by integrating over the initial gap numerically exact
(piecewise linear), finite stations by summing over all numbers of packets, quantiles by scipy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincc, gammaincinv

UNLIMITED = 2**31 - 1
(OWN_FADE, SIZE_FADE, SMOOTH_SHARE, SMOOTH_MEMORY, SMOOTH_SIZES, JOINT_VARIANCE, JOINT_SKEW, MEAN_SD, OWN_SD,
 SMOOTH_SD, TAIL_SD, LOSS_SD, BURST_SD) = range(13)  # fmt: skip


def two_point(m1: float, m2: float, m3: float) -> list[tuple[float, float]]:
    """Return two (value, weight) with these moments."""
    variance = m2 - m1 * m1
    if variance <= 1e-9 * m1 * m1:
        return [(m1, 1.0)]
    skew = (m3 - 3 * m1 * m2 + 2 * m1**3) / variance**1.5
    low, high = sorted(np.roots([1.0, -skew, -1.0]).real)
    values = np.array([max(m1 + low * variance**0.5, 0.0), m1 + high * variance**0.5])
    above = -low / (high - low)
    return [(float(values[0]), 1 - above), (float(values[1]), above)]


def pair_wait(m: float, n: float, before: list[float], here: float) -> float:
    """Return the integral over u >= 0 of n's wait behind m, m ahead by u at the first common link."""

    def gap(u: float) -> float:
        g = u
        for c in before:
            g = max(g, m / c) + (n - m) / c
        return g

    # gap(u) is flat, then u + shift; find the corner from the two
    flat, far = gap(0.0), 10 * len(before) * (m + n) / min(before)
    corner = max(flat - (gap(far) - far), 0.0)
    x, start = m / here, gap(0.0)
    return max(x - flat, 0.0) * corner + max(x - max(flat, start), 0.0) ** 2 / 2


def light_pair(law: list[tuple[float, float]], m2: float, before: list[float], here: float) -> float:
    total = sum(wm * wn * pair_wait(m, n, before, here) for m, wm in law for n, wn in law)
    return total / ((law[0][0] ** 2 if len(law) == 1 else m2) / (2 * here * here))


def light_largest(law: list[tuple[float, float]], m2: float, before: list[float], here: float) -> float:
    top = max(value for value, _ in law)
    total = sum(wm * pair_wait(m, top, before, here) for m, wm in law)
    return total / (m2 / (2 * here * here))


def eta_of(rho: float, a: float) -> float:
    a = max(a, 1e-3)
    return a * rho / (1 - rho + a * rho) if rho <= 1 else min(rho ** (1 / a), 1e3)


def finite(lam: float, rho: float, a: float, cs2: float, places: int) -> tuple[float, float, float, float]:
    """Return loss, and mean, variance and third cumulant of the waits of those let in."""
    a = max(a, 1e-3)
    eta = eta_of(rho, a)
    n = np.arange(1, places)
    # p_n/p_0 below K, then p_K from: what is busy is what is carried
    below = np.concatenate([[1.0], eta / a * eta ** (n - 1.0)])
    x = below.sum()
    p0 = 1 / (1 + rho * x)
    loss = (1 - (1 - rho) * x) * p0
    seen = below[1:] / x
    n1, n2, n3 = (float((seen * n**k).sum()) for k in (1, 2, 3))
    if n1 <= 0:
        return loss, 0.0, 0.0, 0.0
    mean = float((p0 * below[1:] * (n - 1)).sum() + (places - 1) * loss) / (lam * (1 - loss))
    unit = mean / n1
    variance = unit**2 * (n2 - n1**2 + cs2 * n1)
    third = unit**3 * (n3 - 3 * n1 * n2 + 2 * n1**3 + 3 * cs2 * (n2 - n1**2))
    return loss, mean, max(variance, 0.0), max(third, 0.0)


def tail_factor(q: float, skew: float) -> float:
    if abs(skew) < 1e-4:
        return 1.6448536269514722 if q == 0.95 else 2.3263478740408408
    k = 4 / min(abs(skew), 12.0) ** 2
    level = q if skew > 0 else 1 - q
    return math.copysign(1, skew) * (float(gammaincinv(k, level)) - k) / math.sqrt(k)


def tail_share(x: float, skew: float) -> float:
    if skew < 1e-4:
        return math.erfc(x / math.sqrt(2)) / 2
    k = 4 / min(skew, 12.0) ** 2
    return float(gammaincc(k, max(k + x * math.sqrt(k), 0.0)))


def gamma_share(k: float, x: float) -> float:
    return float(gammainc(k, x))


def three_point(m1: float, m2: float, m3: float, a: float, b: float) -> list[tuple[float, float]]:
    y, ys = -m2 + (a + b) * m1 - a * b, -m3 + (a + b) * m2 - a * b * m1
    if y <= 1e-9 * b * b:
        top = min(max((m1 - a) / (b - a), 0.0), 1.0)
        return [(a, 1 - top), (b, top)]
    mid = min(max(ys / y, a + 1e-9 * b), b * (1 - 1e-9))
    weight = min(max(y / ((mid - a) * (b - mid)), 0.0), 1.0)
    top = min(max((m1 - a - weight * (mid - a)) / (b - a), 0.0), 1 - weight)
    return [(a, 1 - weight - top), (mid, weight), (b, top)]


class Network:
    """Arguments as `tiertwin._core.PerformanceModel.predict` takes them."""

    def __init__(self, paths: list[list[int]], links: int, traffic: dict[str, Any], x: Any, theta: Any) -> None:
        self.paths, self.count, self.t, self.x, self.theta = paths, links, traffic, x, theta
        self.capacity = [r / 8 for r in traffic["link_rate_bps"]]
        self.served = [1.0] * links
        self.rate: list[list[float]] = []
        self.settle()

    def settle(self) -> None:
        for step in range(200):
            self.load()
            self.find_factors()
            served = [self.serve(link) for link in range(self.count)]
            change = max((abs(a - b) for a, b in zip(served, self.served, strict=True)), default=0.0)
            pace = 1.0 if step < 20 else 0.5
            self.served = [b + pace * (a - b) for a, b in zip(served, self.served, strict=True)]
            if change < 1e-12:
                return

    def load(self) -> None:
        t = self.t
        self.rate = []
        self.users: list[list[tuple[int, int]]] = [[] for _ in range(self.count)]
        for f, path in enumerate(self.paths):
            rates, pps = [], float(t["flow_pps"][f])
            for k, link in enumerate(path):
                rates.append(pps)
                self.users[link].append((f, k))
                pps *= self.served[link]
            self.rate.append(rates)

    def sums(self, users: list[tuple[int, int]]) -> tuple[float, float, float, float]:
        t = self.t
        return tuple(  # type: ignore[return-value]
            sum(self.rate[f][k] * (1.0 if name is None else float(t[name][f])) for f, k in users)
            for name in (None, "flow_size", "flow_size2", "flow_size3")
        )

    def rho(self, link: int) -> float:
        return self.sums(self.users[link])[1] / self.capacity[link]

    def spread(self, link: int) -> tuple[float, float]:
        """Return V and the share of it that bursts add."""
        t, c = self.t, self.capacity[link]
        pps, work, second, _ = self.sums(self.users[link])
        v = poisson = second / c**2
        if pps <= 0 or all(t["flow_ca2"] == 1):
            return v, 0.0
        idle, fill = max(1 - self.rho(link), 1e-9), (float(t["link_buffer"][link]) + 1) * work / pps / c
        for _ in range(12):
            time, more = min(v / (2 * idle**2), fill**2 / max(v, 1e-300)), 0.0
            for f, k in self.users[link]:
                if self.rate[f][k] > 0:
                    tau = t["flow_burst_s"][f] or 1 / t["flow_pps"][f]
                    y = time / tau
                    shown = y / 2 if y < 1e-6 else 1 + math.expm1(-y) / y
                    more += self.rate[f][k] * (t["flow_size"][f] / c) ** 2 * (t["flow_ca2"][f] - 1) * shown
            v = max(poisson + more, 0.0)
        return v, 1 - poisson / v if v > 0 else 0.0

    def together(self, f: int, k: int, back: int) -> list[tuple[int, int]]:
        """Return users of the link at hop k of flow f that came over the same `back` links before."""
        if k < back:
            return []
        same = self.paths[f][k - back : k + 1]
        return [(g, j) for g, j in self.users[same[-1]] if j >= back and self.paths[g][j - back : j + 1] == same]

    def own(self, f: int, k: int) -> float:
        path, total = self.paths[f], self.sums(self.users[self.paths[f][k]])[2]
        stream = self.sums(self.together(f, k, 1))
        if k == 0 or stream[0] <= 0:
            return 0.0
        law = two_point(*(m / stream[0] for m in stream[1:]))
        q = [self.sums(self.together(f, k, back))[2] / total for back in (1, 2, 3)] + [0.0]
        out = 0.0
        for back in range(1, min(k, 3) + 1):
            before = [self.capacity[link] for link in path[k - back : k]]
            e = light_pair(law, stream[2] / stream[0], before, self.capacity[path[k]]) - 1
            out += (q[back - 1] - (q[back] if back < 3 and k > back else 0.0)) * e
        return out

    def own_largest(self, f: int, k: int) -> float:
        """Return `own` of packets of the largest size, as if all had come together over one link."""
        path, stream = self.paths[f], self.sums(self.together(f, k, 1))
        if k == 0 or stream[0] <= 0:
            return 0.0
        law = two_point(*(m / stream[0] for m in stream[1:]))
        before, here = self.capacity[path[k - 1]], self.capacity[path[k]]
        share = stream[2] / self.sums(self.users[path[k]])[2]
        return share * (light_largest(law, stream[2] / stream[0], [before], here) - 1)

    def varied(self, link: int) -> float:
        pps, m1, m2, _ = self.sums(self.users[link])
        return max(1 - m1**2 / (pps * m2), 0.0)

    def idle(self, link: int) -> float:
        """Return 1 - rho, or what takes its place with a finite buffer."""
        pps, m1, _, _ = self.sums(self.users[link])
        alone = max(1 - self.rho(link), 0.0)
        if self.t["link_buffer"][link] == UNLIMITED:
            return alone
        fill = (float(self.t["link_buffer"][link]) + 1) * m1 / pps / self.capacity[link]
        return min(math.sqrt(alone**2 + (self.spread(link)[0] / fill) ** 2), 1.0)

    def pace(self, link: int) -> float:
        """Return how fast a link forgets, 1/s."""
        v = self.spread(link)[0]
        return self.idle(link) ** 2 / v if v > 0 else 0.0

    def smoothed(self, link: int) -> float:
        total, here, x = self.sums(self.users[link]), 1 - self.idle(link), self.x
        sources = {self.paths[f][k - 1] for f, k in self.users[link] if k > 0}
        out = 0.0
        for source in sorted(sources):
            if self.t["link_kind"][source] != 0:
                continue
            stream = self.sums([(f, k) for f, k in self.users[link] if k > 0 and self.paths[f][k - 1] == source])
            if stream[0] <= 0:
                continue
            leaving = self.sums(self.users[source])[1] * self.served[source]
            q, p = stream[2] / total[2], min(stream[1] / leaving, 1.0)
            slow, fast = x[SMOOTH_MEMORY] * self.pace(source), self.pace(link)
            seen = (1 + x[SMOOTH_MEMORY]) * fast / (slow + fast) if slow + fast > 0 else 1.0
            out += q ** x[SMOOTH_SHARE] * p * seen * here ** (1 + x[SMOOTH_SIZES] * self.varied(link))
        return min(out, 1.0)

    def find_factors(self) -> None:
        self.factor: list[list[float]] = [[1.0] * len(path) for path in self.paths]
        self.largest: list[list[float]] = [[1.0] * len(path) for path in self.paths]
        self.mean_factor = [1.0] * self.count
        for link, users in enumerate(self.users):
            pps = self.sums(users)[0]
            if pps <= 0:
                continue
            own = {user: self.own(*user) for user in users}
            same = sum(self.rate[f][k] * own[f, k] for f, k in users) / pps
            top = {user: self.own_largest(*user) for user in users}
            alike = sum(self.rate[f][k] * top[f, k] for f, k in users) / pps
            idle, smoothed = self.idle(link), self.smoothed(link)
            total = 0.0
            for f, k in users:
                light = idle ** (1 + self.x[SIZE_FADE] * self.varied(link)) * same
                light += idle ** self.x[OWN_FADE] * (own[f, k] - same)
                self.factor[f][k] = max(1 + light - smoothed, 0.0) * math.exp(self.theta[link])
                light = idle ** (1 + self.x[SIZE_FADE] * self.varied(link)) * alike
                light += idle ** self.x[OWN_FADE] * (top[f, k] - alike)
                self.largest[f][k] = max(1 + light - smoothed, 0.0) * math.exp(self.theta[link])
                total += self.rate[f][k] * self.factor[f][k]
            self.mean_factor[link] = total / pps

    def spread_factor(self, link: int) -> float:
        return (
            self.sums(self.users[link])[0] * self.spread(link)[0] * self.mean_factor[link] / (2 * self.rho(link) ** 2)
        )

    def finite(self, link: int) -> tuple[float, float, float, float]:
        pps, m1, m2, _ = self.sums(self.users[link])
        places = int(self.t["link_buffer"][link]) + 1
        return finite(pps, self.rho(link), self.spread_factor(link), m2 * pps / m1**2 - 1, places)

    def serve(self, link: int) -> float:
        if self.t["link_buffer"][link] == UNLIMITED:
            return min(1.0, 1 / self.rho(link)) if self.rho(link) > 0 else 1.0
        return 1 - self.finite(link)[0] if self.users[link] and self.sums(self.users[link])[0] > 0 else 1.0

    def hop(self, f: int, k: int) -> tuple[float, float, float, float, float]:
        """Return mean, variance and third cumulant of the wait, s a byte, and variance that sharing adds."""
        t, link = self.t, self.paths[f][k]
        c, r, rho = self.capacity[link], self.factor[f][k], self.rho(link)
        pps, work, _, third = self.sums(self.users[link])
        if pps <= 0:
            return 0.0, 0.0, 0.0, 1 / c, 0.0
        if t["link_buffer"][link] != UNLIMITED:
            by = r / self.mean_factor[link] if self.mean_factor[link] > 0 else 1.0
            _, mean, variance, cumulant = self.finite(link)
            return mean * by, variance * by**2, cumulant * by**3, 1 / c, 0.0
        v, bursts = self.spread(link)
        if t["link_kind"][link] == 1:
            es = work / pps / c
            return 0.0, 0.0, 0.0, 1 / (c * (1 - rho)), es**2 * 2 * rho / ((1 - rho) ** 2 * (2 - rho))
        base = wait = v / (2 * (1 - rho))
        if t["link_kind"][link] == 2:
            wait = self.cobham(link, int(t["flow_class"][f])) / (1 - bursts)
        sizes = r * wait / base
        moments = [m / pps for m in self.sums(self.users[link])[1:]]
        fourth = sum(weight * value**4 for value, weight in two_point(*moments))
        a, b = sizes * third / (3 * c**3 * (1 - rho)), sizes * pps * fourth / (4 * c**4 * (1 - rho))
        wait *= r
        return wait, wait**2 + a, 2 * wait**3 + 3 * wait * a + b, 1 / c, 0.0

    def cobham(self, link: int, k: int) -> float:
        t, c = self.t, self.capacity[link]
        rest = sum(self.rate[f][j] * t["flow_size2"][f] for f, j in self.users[link]) / c**2 / 2

        def up_to(last: int) -> float:
            return float(
                sum(self.rate[f][j] * t["flow_size"][f] for f, j in self.users[link] if t["flow_class"][f] <= last) / c
            )

        return rest / ((1 - up_to(k - 1)) * (1 - up_to(k)))

    def flow(self, f: int) -> dict[str, float]:
        """Return what the model says of a flow, intervals apart."""
        t, x, path = self.t, self.x, self.paths[f]
        m1, m2, m3 = (float(t[name][f]) for name in ("flow_size", "flow_size2", "flow_size3"))
        hops = [self.hop(f, k) for k in range(len(path))]
        fixed = sum(t["link_delay_ns"][link] for link in path) * 1e-9
        wire, byte = sum(1 / self.capacity[link] for link in path), sum(h[3] for h in hops)
        wait, variance, shared = sum(h[0] for h in hops), sum(h[1] for h in hops), sum(h[4] for h in hops)
        many = 1 - sum(h[1] ** 2 for h in hops) / variance**2 if variance > 0 else 0.0
        third = sum(h[2] for h in hops) * (1 + (x[JOINT_SKEW] - 1) * many)
        variance *= 1 + (x[JOINT_VARIANCE] - 1) * many
        ratios = [self.largest[f][k] / r if r > 0 else 0.0 for k, r in enumerate(self.factor[f])]
        largest_wait = sum(h[0] * ratio for h, ratio in zip(hops, ratios, strict=True))
        mean = fixed + m1 * byte + wait
        sd = math.sqrt(max(m2 - m1**2, 0.0) * byte**2 + shared + variance)
        skew = ((m3 - 3 * m1 * m2 + 2 * m1**3) * byte**3 + third) / sd**3 if sd > 0 else 0.0
        smallest, largest = float(t["flow_smallest"][f]), float(t["flow_largest"][f])

        def quantile(q: float) -> float:
            if smallest < largest < math.inf:
                law = three_point(m1, m2, m3, smallest, largest)
                if law[-1][1] > 1 - q:
                    all_waits = variance + shared
                    if all_waits <= 1e-13 * sd * sd:
                        return fixed + largest * byte
                    top = law[-1][1]
                    big = min(largest_wait, wait / top)
                    other = (wait - top * big) / (1 - top) if top < 1 else wait
                    parts = []
                    for mean_wait, (value, weight) in zip([other] * (len(law) - 1) + [big], law, strict=True):
                        share = max(mean_wait / wait, 1e-3) if wait > 0 else 1.0
                        parts.append((fixed + value * byte, weight, mean_wait, math.sqrt(shared + variance * share)))
                    skewed = third / all_waits**1.5

                    def beyond(y: float) -> float:
                        return (
                            q
                            - 1
                            + sum(
                                weight * (1.0 if y < least else tail_share((y - least - mean_wait) / s, skewed))
                                for least, weight, mean_wait, s in parts
                            )
                        )

                    high = fixed + largest * byte + wait
                    while beyond(high) > 0:
                        high += 4 * math.sqrt(all_waits)
                    return float(brentq(beyond, fixed + smallest * byte, high, xtol=1e-18, rtol=1e-14))
            return max(mean + sd * tail_factor(q, skew), fixed + smallest * byte)

        through = math.prod(self.served[link] if t["link_buffer"][link] != UNLIMITED else 1.0 for link in path)
        return {
            "mean": mean,
            "wait": wait + m1 * (byte - wire),
            "sd": sd,
            "p95": quantile(0.95) if sd > 0 else mean,
            "p99": quantile(0.99) if sd > 0 else mean,
            "loss": 1 - through,
            "throughput": self.rate[f][-1] * self.served[path[-1]],
        }
