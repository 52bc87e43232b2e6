"""One row of `tiertwin.functions.align.Aligner` as one reads its header: lists, loops, no arrays."""

from __future__ import annotations

from math import exp, expm1, isnan, log, nan

GAINS = (0.05, 0.2, 0.5)


class Row:
    """Samples of one attribute."""

    def __init__(self, method: str, horizon_s: float, memory: float) -> None:
        self.method, self.horizon, self.memory = method, horizon_s, memory
        self.samples: list[tuple[float, float]] = []
        self.model: dict | None = None
        self.anchor: dict | None = None
        self.judged = 0
        self.errors = [0.0] * 5
        self.power = self.product = self.rate = 0.0

    def options(self, model: dict, ahead: float) -> list[float]:
        value, mean = model["value"], model["mean"]
        found = [value, mean + (value - mean) * exp(-model["decay"] * ahead)]
        for gain, slope in zip(GAINS, model["slopes"], strict=True):
            fade = 2.0 / gain * model["spacing"]
            found.append(value + slope * (fade * -expm1(-ahead / fade) if fade > 0 else 0.0))
        return found

    def observe(self, value: float, time: float) -> None:
        if not self.samples:
            self.samples.append((time, value))
            self.model = {
                "time": time,
                "value": value,
                "mean": value,
                "decay": 0.0,
                "spacing": 0.0,
                "slopes": [0.0] * 3,
            }
            self.anchor = dict(self.model)
            return
        if time <= self.samples[-1][0]:
            return
        if time >= self.anchor["time"] + self.horizon:
            self.judged += 1
            gain = 1 / min(self.judged, self.memory)
            for k, told in enumerate(self.options(self.anchor, time - self.anchor["time"])):
                self.errors[k] += gain * ((value - told) ** 2 - self.errors[k])
            self.anchor = None
        m = dict(self.model)
        gain = 1 / min(len(self.samples), self.memory)
        gap, step = time - m["time"], value - m["value"]
        self.rate += gain * (step**2 / gap - self.rate)
        m["spacing"] += gain * (gap - m["spacing"])
        m["slopes"] = [s + max(g, gain) * (step / gap - s) for g, s in zip(GAINS, m["slopes"], strict=True)]
        m["mean"] += gain / (1 + gain) * (value - m["mean"])
        away, before = value - m["mean"], m["value"] - m["mean"]
        self.power += gain * ((away**2 + before**2) / 2 - self.power)
        self.product += gain * (away * before - self.product)
        kept = min(max(self.product / self.power if self.power > 0 else 1.0, 1e-3), 1.0)
        m["decay"] = -log(kept) / m["spacing"]
        m["time"], m["value"] = time, value
        self.samples.append((time, value))
        self.model = m
        if self.anchor is None:
            self.anchor = dict(m)

    def at(self, time: float) -> float:
        if not self.samples:
            return nan
        newest, value = self.samples[-1]
        if time >= newest:
            return self.options(self.model, time - newest)[self.choice()]
        if len(self.samples) < 2 or time < self.samples[-2][0]:
            return nan
        then, before = self.samples[-2]
        return before + (time - then) / (newest - then) * (value - before)

    def choice(self) -> int:
        if len(self.samples) < 4 or not self.judged:
            return 0
        if self.method != "best":
            return {"hold": 0, "revert": 1, "trend": 3}[self.method]
        scaled = [self.errors[0] * 0.97, *self.errors[1:]]
        return scaled.index(min(scaled))


def same(a: float, b: float) -> bool:
    return (isnan(a) and isnan(b)) or abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))
