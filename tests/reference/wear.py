"""Parts that wear, fail and are repaired, naively: one part at a time, in steps from measurement to measurement."""

from __future__ import annotations

import math
from typing import Any

from reference.draws import exponential, philox, uniform

LIFE, STEP, REPAIR, SIGNAL = 0x504C0100, 0x504C0101, 0x504C0102, 0x504C0103
NEVER = 2**63


def normals(words: list[int]) -> tuple[float, float]:
    """Return two standard normals from a block."""
    radius = math.sqrt(2.0 * exponential(words[0], words[1]))
    angle = 2.0 * math.pi * uniform(words[2], words[3])
    return radius * math.cos(angle), radius * math.sin(angle)


def whole_ns(seconds: float) -> int:
    """Return whole nanoseconds, rounded up, at most the longest run."""
    return math.ceil(min(seconds * 1e9, float(2**53)))


class Part:
    """One part under a constant load; `law` has the fields of cpp/plant/wear.hpp as numbers."""

    def __init__(self, seed: int, key: int, law: dict[str, float], air: dict[str, float], load: float) -> None:
        self.seed, self.key, self.law, self.air, self.load = seed, key, law, air, load
        self.period = whole_ns(air["period_s"])
        self.lives = self.steps = self.measured = 0
        self.events: list[tuple[int, bool]] = []
        self.signals: list[tuple[float, float, float, float]] = []

    def play(self, until: int) -> None:
        """Fill `events` (time, up) and `signals` (X, temperature, vibration, errors) up to `until`."""
        self._renew(0)
        self.load_now = 0.0  # nothing measured yet
        measure_at = self.period
        due = self._plan(0, measure_at)
        while True:
            now = min(due, measure_at)
            if now > until:
                return
            if due <= measure_at:
                if self.up:
                    self.up = False
                    self.x = self.law["limit"] if self.worn else self.x
                    due = now + self._repair_ns()
                else:
                    self._renew(now)
                    due = self._plan(now, measure_at)
                self.events.append((now, self.up))
                continue
            measure_at += self.period
            self.measured += 1
            self.load_now = self.load
            if self.up:
                self._age(now)
                self.x = self.x_end
                due = self._plan(now, measure_at)
            self.signals.append(self._sense(now))

    def _renew(self, now: int) -> None:
        words = philox(self.seed, self.key, LIFE, self.lives)
        self.lives += 1
        self.life = exponential(words[0], words[1])
        self.used = 0.0  # of its life
        self.x = self.x_end = 0.0
        self.born = self.since = now
        self.up = True

    def _ambient(self, now: int) -> float:
        return self.air["ambient_c"] - self.air["swing_c"] * math.cos(2.0 * math.pi * now / 1e9 / self.air["day_s"])

    def _celsius(self, now: int) -> float:
        law = self.law
        power = law["idle_w"] + (law["max_w"] - law["idle_w"]) * self.load_now
        return min(self._ambient(now) + law["k_per_w"] * power + law["wear_k"] * max(self.x, 0.0), 1000.0)

    def _age(self, now: int) -> None:
        if self.law["scale_s"] > 0:
            shape, scale = self.law["shape"], self.law["scale_s"]
            old, new = (self.since - self.born) / 1e9, (now - self.born) / 1e9
            self.used += self.factor * ((new / scale) ** shape - (old / scale) ** shape)
        self.since = now

    def _plan(self, now: int, measure_at: int) -> int:
        law, celsius = self.law, self._celsius(now)
        self.factor = math.exp(
            law["hazard_per_k"] * (celsius - law["reference_c"]) + law["hazard_load"] * self.load_now
        )
        life = limit = NEVER
        if law["scale_s"] > 0:
            age = (now - self.born) / 1e9
            rest = max(0.0, self.life - self.used) / self.factor
            end = law["scale_s"] * ((age / law["scale_s"]) ** law["shape"] + rest) ** (1.0 / law["shape"])
            life = now + max(1, whole_ns(end - age))
        if law["drift_per_s"] > 0 or law["sigma"] > 0:
            limit = self._limit_reached(now, measure_at, celsius)
        self.worn = limit <= life if life <= measure_at else True
        first = min(life, limit)
        return first if first <= measure_at else NEVER

    def _limit_reached(self, now: int, measure_at: int, celsius: float) -> int:
        law, span = self.law, (measure_at - now) / 1e9
        if span <= 0:
            return NEVER
        to_end, to_time = normals(philox(self.seed, self.key, STEP, 2 * self.steps))
        words = philox(self.seed, self.key, STEP, 2 * self.steps + 1)
        self.steps += 1
        kelvin = 1.0 / (law["reference_c"] + 273.15) - 1.0 / (celsius + 273.15)
        pace = law["drift_per_s"] * math.exp(law["activation_ev"] / 8.617e-5 * kelvin)
        self.x_end = self.x + pace * span + law["sigma"] * math.sqrt(span) * to_end
        left, beyond, spread = law["limit"] - self.x, law["limit"] - self.x_end, law["sigma"] ** 2
        if spread == 0:
            at = left / pace if beyond <= 0 else None
        elif beyond > 0 and uniform(words[0], words[1]) >= math.exp(-2.0 * left * beyond / (spread * span)):
            at = None
        else:
            mean = left * span / max(abs(beyond), 1e-12 * left)
            shape = left * left / spread
            y = to_time * to_time
            ratio = mean * y / (2.0 * shape)
            low = mean / (1.0 + ratio + math.sqrt(ratio * (2.0 + ratio)))
            u = low if uniform(words[2], words[3]) * (mean + low) <= mean else mean * (mean / low)
            at = u * span / (span + u)
        return NEVER if at is None else min(max(now + whole_ns(at), now + 1), measure_at)

    def _repair_ns(self) -> int:
        words = philox(self.seed, self.key, REPAIR, self.lives)
        sigma = self.law["repair_sigma"]
        drawn = math.exp(sigma * normals(words)[0] - sigma**2 / 2) if sigma > 0 else exponential(words[0], words[1])
        return max(1, whole_ns(self.law["repair_s"] * drawn))

    def _sense(self, now: int) -> tuple[float, float, float, float]:
        if not self.up:
            return self.x, self._ambient(now), 0.0, 0.0
        law, words = self.law, philox(self.seed, self.key, SIGNAL, self.measured)
        mean = law["errors_per_s"] * self.air["period_s"] * math.exp(self.x) if law["errors_per_s"] else 0.0
        vibration = law["vibration"] + law["vibration_growth"] * max(self.x, 0.0)
        return self.x, self._celsius(now), vibration, float(poisson(mean, uniform(words[0], words[1])))


def poisson(mean: float, quantile: float) -> int:
    """Return the smallest count whose distribution function is above `quantile`."""
    count, below = 0, 0.0
    while mean > 0:
        below += math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
        if quantile < below or count > 10 * mean + 100:
            break
        count += 1
    return count


def parts(seed: int, config: dict[str, Any], load: Any, until: int) -> list[Part]:
    """Play every part of a configuration as the core takes it."""
    air = {name: config[name] for name in ("period_s", "ambient_c", "swing_c", "day_s")}
    names = [name for name in config if name not in (*air, "part_key", "part_law")]
    played = []
    for key, k, share in zip(config["part_key"].tolist(), config["part_law"].tolist(), load.tolist(), strict=True):
        part = Part(seed, key, {name: float(config[name][k]) for name in names}, air, share)
        part.play(until)
        played.append(part)
    return played
