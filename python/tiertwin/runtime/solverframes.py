"""Master problems as SOLVE frames, and their answers as SOLVED frames: numbers travel as f64, so nothing is rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.allocate.messages import LOWER, UPPER, MasterAnswer, MasterRequest
from tiertwin.errors import PeerError

if TYPE_CHECKING:
    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]

CONIC, LINEAR = 1, 2  # forms: a request names what to begin with (S2), an answer whether that served or S3
OPTIMAL, ERROR = 1, 6  # statuses used: an admissible answer, or none
_INFINITE = 1e300  # stands for a quota that is not limited: floats on the wire are finite
_REQUEST = ("level", "slope", "rmax", "capacity", "kappa", "quota", "price")  # block attributes 1, 2, …
_ANSWER = ("r", "price", "weight", "facts")


def encode_request(request: MasterRequest, number: int, deadline_ms: int, incarnation: int) -> bytes:
    """Lay a master problem out as a frame."""
    kind, children, levels, own, slots = request.shape
    blocks = _blocks(request.arrays())
    return _core.encode_solve(number, deadline_ms, kind, CONIC, [children, levels, own, slots], blocks, incarnation)


def decode_request(frame: Any) -> tuple[int, int, MasterRequest]:
    """Read (number, deadline ms, problem).

    Raises
    ------
    PeerError
        No SOLVE frame, another problem than a master, or arrays that do not have the sizes it says.
    """
    try:
        number, deadline, kind, _, sizes, blocks = _core.decode_solve(frame)
    except (RuntimeError, ValueError) as error:  # the codec's refusals
        raise PeerError(f"SOLVE: {error}") from None
    if kind not in (UPPER, LOWER):
        raise PeerError(f"SOLVE: expected problem {UPPER} (upper master) or {LOWER} (lower), got {kind}.")
    children, levels, own, slots = sizes
    passed = levels - own
    shapes = [
        (children, slots),
        (children, slots, levels),
        (children, levels),
        (own,),
        (own,),
        (passed,),
        (passed,),
    ]
    arrays = _arrays(blocks, shapes, "SOLVE")
    fields = dict(zip(_REQUEST, arrays, strict=True))
    fields["quota"] = np.where(fields["quota"] >= _INFINITE, np.inf, fields["quota"])
    return number, deadline, MasterRequest(kind, **fields)


def encode_answer(answer: MasterAnswer | None, number: int, solve_us: int, incarnation: int) -> bytes:
    """Lay an answer out as a frame; None says that no admissible one was found."""
    if answer is None:
        nothing = [(1, "f64", None, np.zeros(1))]
        return _core.encode_solved(number, ERROR, CONIC, solve_us, nothing, incarnation)
    facts = np.array([answer.value, float(answer.step)])
    blocks = _blocks([answer.r, answer.price, answer.weight, facts])
    form = LINEAR if answer.step == 3 else CONIC
    return _core.encode_solved(number, OPTIMAL, form, solve_us, blocks, incarnation)


def decode_answer(frame: Any, request: MasterRequest) -> tuple[int, MasterAnswer | None]:
    """Read (number, answer) to `request`.

    Raises
    ------
    PeerError
        Arrays of other sizes than the problem asks for.
    """
    number, status, _, _, blocks = _solved(frame)
    if status != OPTIMAL:
        return number, None
    _, children, levels, _, slots = request.shape
    r, price, weight, facts = _arrays(blocks, [(children, levels), (levels,), (children, slots), (2,)], "SOLVED")
    return number, MasterAnswer(r, price, weight, float(facts[0]), int(facts[1]))


def number_of_answer(frame: Any) -> int:
    """Number of the request that a SOLVED frame answers."""
    return int(_solved(frame)[0])


def _solved(frame: Any) -> tuple[int, int, int, int, list[Any]]:
    try:
        return _core.decode_solved(frame)
    except (RuntimeError, ValueError) as error:  # the codec's refusals
        raise PeerError(f"SOLVED: {error}") from None


def _blocks(arrays: list[F64]) -> list[tuple[int, str, None, F64]]:
    """One dense block an array; empty ones are left out, as a block has at least one record."""
    flat = [np.ascontiguousarray(np.nan_to_num(a, posinf=_INFINITE).ravel(), dtype=np.float64) for a in arrays]
    return [(k + 1, "f64", None, values) for k, values in enumerate(flat) if values.size]


def _arrays(blocks: list[Any], shapes: list[tuple[int, ...]], kind: str) -> list[F64]:
    found = {attribute: values for attribute, _, rows, values in blocks if rows is None}
    arrays = []
    for k, shape in enumerate(shapes):
        size = int(np.prod(shape))
        values = found.get(k + 1, np.zeros(0))
        if values.size != size:
            raise PeerError(f"{kind}: expected {size} numbers in block {k + 1}, got {values.size}.")
        arrays.append(values.reshape(shape))
    return arrays
