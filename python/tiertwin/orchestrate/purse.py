"""What a gateway may still spend, and what a byte must be worth to be spent now.

Bytes that are not spent are saved, for at most `SAVED_S` seconds of the usual rate: a site is quiet for long and then
everything about it changes at once. So that the purse is not spent on trifles before that, a byte has a price, in
utils/s of error avoided, from the first time that something had to wait for bytes. It rises while more is spent than
comes in, and while the purse is less than half full, and falls otherwise (a dual step in the logarithm, as worths span
many orders). Where the purse is full bytes are free:

    ln p <- ln p + `STEP` (spent/rate − Δt) + `STEP` (1 − 2 saved/most) Δt
    a frame is sent where what it tells is worth more than p (1 − saved/most) a byte
"""

from __future__ import annotations

import math

SECOND = 1_000_000_000
STEP = 0.3  # a second
FIRST_S = 3.0  # of the usual rate, in the purse at the start
SAVED_S = 8.0  # of the usual rate that may be saved
FIRST_PRICE = 1e-2  # of what a byte of the first telling was worth
FASTEST = 3.0  # of ln p at once


class Purse:
    """Bytes saved, and their price.

    Parameters
    ----------
    bytes_per_s
        What comes in; may be infinite.
    least
        Bytes of the smallest frame worth sending where bytes have no price.
    priced
        Whether what is told is worth something that can be compared.
    """

    def __init__(self, bytes_per_s: float, least: float, *, priced: bool) -> None:
        self.bytes_per_s, self._least, self._priced = bytes_per_s, least, priced
        self.factor = 1.0  # times the usual rate, as the edge said
        self.saved = max(FIRST_S * bytes_per_s, least)
        self._price: float | None = None
        self._sent = 0
        self._then: int | None = None

    @property
    def boundless(self) -> bool:
        """Whether everything may be told."""
        return math.isinf(self.bytes_per_s)

    @property
    def open(self) -> bool:
        """Whether there is enough in it for a frame."""
        return self.saved >= self._least

    @property
    def price(self) -> float:
        """What a byte must be worth now, utils/s."""
        if self._price is None or self.boundless:
            return 0.0
        return self._price * max(1.0 - self.saved / self._most, 0.0)

    def earn(self, now: int, sent: int) -> None:
        """Add what came in until `now`, ns, and take off what was `sent` since the start, bytes with all headers."""
        if self.boundless:
            return
        past = 0.0 if self._then is None else (now - self._then) / SECOND
        rate, spent = self.factor * self.bytes_per_s, sent - self._sent
        if self._price is not None and rate > 0.0:
            short = 1.0 - 2.0 * max(self.saved, 0.0) / self._most
            self._price *= math.exp(min(max(STEP * (spent / rate - past + short * past), -FASTEST), FASTEST))
        self.saved = min(self.saved + past * rate, self._most) - spent
        self._then, self._sent = now, sent

    def take(self, spent: float) -> None:
        """Take off what somebody else spent out of it."""
        self.saved -= spent

    def scarce(self, worth: float, spent: float) -> None:
        """Hear that not all could be told; begin with a price from what was told the first time that happened."""
        if self._priced and self._price is None and spent > 0.0 and math.isfinite(worth):
            self._price = FIRST_PRICE * worth / spent

    @property
    def _most(self) -> float:
        seconds = SAVED_S if self._priced else FIRST_S
        return max(seconds * self.factor * self.bytes_per_s, self._least)
