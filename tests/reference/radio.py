"""Losses of radio links, written out from TR 38.901, TR 38.811, P.838, P.530 and P.618: the oracle of cpp/radio."""

from __future__ import annotations

import math

LIGHT = 3.0e8
SIGMA = {"uma": (4.0, 6.0), "umi": (4.0, 7.82), "rma": (4.0, 8.0), "inh": (3.0, 8.03)}
CORRELATION = {"uma": (37.0, 50.0), "umi": (10.0, 13.0), "rma": (37.0, 120.0), "inh": (10.0, 6.0)}
NEAREST = {"uma": 10.0, "umi": 10.0, "rma": 10.0, "inh": 0.0}


def sight_probability(model: str, d: float, base: float, user: float) -> float:
    """Table 7.4.2-1."""
    if model == "uma":
        if d <= 18:
            return 1.0
        bonus = 0.0 if user <= 13 else ((user - 13) / 10) ** 1.5
        return min(
            (18 / d + math.exp(-d / 63) * (1 - 18 / d)) * (1 + bonus * 5 / 4 * (d / 100) ** 3 * math.exp(-d / 150)), 1.0
        )
    if model == "umi":
        return 1.0 if d <= 18 else 18 / d + math.exp(-d / 36) * (1 - 18 / d)
    if model == "rma":
        return 1.0 if d <= 10 else math.exp(-(d - 10) / 1000)
    if d <= 5:
        return 1.0
    return math.exp(-(d - 5) / 70.8) if d <= 49 else 0.54 * math.exp(-(d - 49) / 211.7)


def breakpoint_distance(model: str, base: float, user: float, ghz: float, effective: float) -> float:
    """Notes 1 and 5 of table 7.4.1-1."""
    if model == "inh":
        return math.inf
    if model == "rma":
        return 2 * math.pi * base * user * ghz * 1e9 / LIGHT
    return 4 * (base - effective) * (user - effective) * ghz * 1e9 / LIGHT


def path_loss(model: str, d: float, base: float, user: float, ghz: float, sight: bool, effective: float) -> float:
    """Table 7.4.1-1."""
    d = max(d, NEAREST[model])
    d3 = math.sqrt(d * d + (base - user) ** 2)
    lg, lf = math.log10, math.log10(ghz)
    limit = breakpoint_distance(model, base, user, ghz, effective)
    if model in ("uma", "umi"):
        a, near, last = (28.0, 22.0, 9.0) if model == "uma" else (32.4, 21.0, 9.5)
        clear = a + near * lg(d3) + 20 * lf
        if d > limit:
            clear = a + 40 * lg(d3) + 20 * lf - last * lg(limit**2 + (base - user) ** 2)
        if model == "uma":
            hidden = 13.54 + 39.08 * lg(d3) + 20 * lf - 0.6 * (user - 1.5)
        else:
            hidden = 22.4 + 35.3 * lg(d3) + 21.3 * lf - 0.3 * (user - 1.5)
    elif model == "rma":
        h, w = 5.0, 20.0

        def near_loss(x: float) -> float:
            return (20 * lg(40 * math.pi * x * ghz / 3) + min(0.03 * h**1.72, 10) * lg(x)
                    - min(0.044 * h**1.72, 14.77) + 0.002 * lg(h) * x)  # fmt: skip

        clear = near_loss(d3) if d <= limit else near_loss(limit) + 40 * lg(d3 / limit)
        hidden = (161.04 - 7.1 * lg(w) + 7.5 * lg(h) - (24.37 - 3.7 * (h / base) ** 2) * lg(base)
                  + (43.42 - 3.1 * lg(base)) * (lg(d3) - 3) + 20 * lf
                  - (3.2 * lg(11.75 * user) ** 2 - 4.97))  # fmt: skip
    else:
        d3 = max(d3, 1.0)
        clear = 32.4 + 17.3 * lg(d3) + 20 * lf
        hidden = 17.3 + 38.3 * lg(d3) + 24.9 * lf
    return clear if sight else max(clear, hidden)


def effective_heights(d: float, user: float) -> list[tuple[float, float]]:
    """Note 1: (height, probability)."""
    if user < 13:
        return [(1.0, 1.0)]
    g = 0.0 if d <= 18 else 5 / 4 * (d / 100) ** 3 * math.exp(-d / 150)
    ground = 1 / (1 + ((user - 13) / 10) ** 1.5 * g)
    others = []
    height = 12.0
    while height <= user - 1.5:
        others.append(height)
        height += 3.0
    if not others:
        return [(1.0, 1.0)]
    return [(1.0, ground), *((h, (1 - ground) / len(others)) for h in others)]


def building_wall_loss(ghz: float, high: bool) -> float:
    """Tables 7.4.3-1 and 7.4.3-2."""
    glass = 23 + 0.3 * ghz if high else 2 + 0.2 * ghz
    concrete, share = 5 + 4 * ghz, 0.7 if high else 0.3
    return 5 - 10 * math.log10(share * 10 ** (-glass / 10) + (1 - share) * 10 ** (-concrete / 10))


_K = {
    "h": (((-5.33980, -0.10008, 1.13098), (-0.35351, 1.26970, 0.45400), (-0.23789, 0.86036, 0.15354),
           (-0.94158, 0.64552, 0.16817)), -0.18961, 0.71147),
    "v": (((-3.80595, 0.56934, 0.81061), (-3.44965, -0.22911, 0.51059), (-0.39902, 0.73042, 0.11899),
           (0.50167, 1.07319, 0.27195)), -0.16398, 0.63297),
}  # fmt: skip
_ALPHA = {
    "h": (((-0.14318, 1.82442, -0.55187), (0.29591, 0.77564, 0.19822), (0.32177, 0.63773, 0.13164),
           (-5.37610, -0.96230, 1.47828), (16.1721, -3.29980, 3.43990)), 0.67849, -1.95537),
    "v": (((-0.07771, 2.33840, -0.76284), (0.56727, 0.95545, 0.54039), (-0.20238, 1.14520, 0.26809),
           (-48.2991, 0.791669, 0.116226), (48.5833, 0.791459, 0.116479)), -0.053739, 0.83433),
}  # fmt: skip


def rain_coefficients(ghz: float, elevation: float, tilt: float) -> tuple[float, float]:
    """P.838-3, equations 2 to 5."""

    def value(table: tuple, x: float) -> float:
        terms, m, c = table
        return sum(a * math.exp(-(((x - b) / w) ** 2)) for a, b, w in terms) + m * x + c

    x = math.log10(ghz)
    kh, kv = 10 ** value(_K["h"], x), 10 ** value(_K["v"], x)
    ah, av = value(_ALPHA["h"], x), value(_ALPHA["v"], x)
    mix = math.cos(math.radians(elevation)) ** 2 * math.cos(2 * math.radians(tilt))
    k = (kh + kv + (kh - kv) * mix) / 2
    return k, (kh * ah + kv * av + (kh * ah - kv * av) * mix) / (2 * k)


def rain_attenuation(ghz: float, rain: float, elevation: float, tilt: float) -> float:
    """P.838-3, equation 1."""
    k, alpha = rain_coefficients(ghz, elevation, tilt)
    return k * rain**alpha


def terrestrial_path_factor(ghz: float, rain: float, km: float, tilt: float) -> float:
    """P.530-17, equation 32."""
    _, alpha = rain_coefficients(ghz, 0.0, tilt)
    below = 0.477 * km**0.633 * rain ** (0.073 * alpha) * ghz**0.123 - 10.579 * (1 - math.exp(-0.024 * km))
    return 2.5 if below <= 0 else min(1 / below, 2.5)


def terrestrial_rain_loss(ghz: float, rain: float, km: float, tilt: float, p: float) -> float:
    """P.530-17, equations 31 and 34."""
    worst = rain_attenuation(ghz, rain, 0.0, tilt) * terrestrial_path_factor(ghz, rain, km, tilt) * km
    c0 = 0.12 + 0.4 * math.log10(ghz / 10) ** 0.8 if ghz >= 10 else 0.12
    c1 = 0.07**c0 * 0.12 ** (1 - c0)
    c2, c3 = 0.855 * c0 + 0.546 * (1 - c0), 0.139 * c0 + 0.043 * (1 - c0)
    return worst * c1 * p ** -(c2 + c3 * math.log10(p))


def slant_rain_loss(
    el: float, hr: float, hs: float, lat: float, ghz: float, rain: float, tilt: float, p: float
) -> float:
    """P.618-13, section 2.2.1.1."""
    if hr <= hs or rain == 0:
        return 0.0
    sin, cos = math.sin(math.radians(el)), math.cos(math.radians(el))
    length = (hr - hs) / sin
    ground = length * cos
    gamma = rain_attenuation(ghz, rain, el, tilt)
    r = 1 / (1 + 0.78 * math.sqrt(ground * gamma / ghz) - 0.38 * (1 - math.exp(-2 * ground)))
    zeta = math.degrees(math.atan2(hr - hs, ground * r))
    lr = ground * r / cos if zeta > el else (hr - hs) / sin
    chi = 36 - abs(lat) if abs(lat) < 36 else 0.0
    v = 1 / (1 + math.sqrt(sin) * (31 * (1 - math.exp(-el / (1 + chi))) * math.sqrt(lr * gamma) / ghz**2 - 0.45))
    worst = gamma * lr * v
    if p >= 1 or abs(lat) >= 36:
        beta = 0.0
    elif el >= 25:
        beta = -0.005 * (abs(lat) - 36)
    else:
        beta = -0.005 * (abs(lat) - 36) + 1.8 - 4.25 * sin
    return worst * (p / 0.01) ** -(0.655 + 0.033 * math.log(p) - 0.045 * math.log(worst) - beta * (1 - p) * sin)


def sector_gain(azimuth: float, tilt: float, to_azimuth: float, to_elevation: float) -> float:
    """TR 38.901 table 7.3-1: 65 degrees, 30 dB, 8 dBi."""
    across = min(12 * (((to_azimuth - azimuth + 180) % 360 - 180) / 65) ** 2, 30)
    along = min(12 * ((to_elevation + tilt) / 65) ** 2, 30)
    return 8 - min(across + along, 30)


def array_gain(rows: int, columns: int, azimuth: float, elevation: float) -> float:
    """Sum of the elements' phasors, in both planes."""

    def power(count: int, error: float) -> float:
        phase = math.pi * math.sin(math.radians(error))
        real = sum(math.cos(k * phase) for k in range(count))
        imaginary = sum(math.sin(k * phase) for k in range(count))
        return (real * real + imaginary * imaginary) / count**2

    found = power(columns, azimuth) * power(rows, elevation)
    return 10 * math.log10(rows * columns) + (10 * math.log10(found) if found > 1e-3 else -30)
