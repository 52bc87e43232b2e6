"""The other families against what a user would write: slices and admission, reservation, spectrum.

slices       floors, isolation, caps and limits on an offloading network, certified to 1e-3, against the same problem in
             cvxpy with Clarabel, built and canonicalised beforehand
admission    whether all floors can be kept, without reasons, against the same linear problem in cvxpy with HiGHS
reservation  sets and shares of groups over three tiers, against the mixed-integer problem by HiGHS to 1e-3; asserted:
             within 1 % of the cost that HiGHS finds
spectrum     association, bands and powers of a cluster, against the same turns with association and bands by cvxpy
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from support import Case, main
from tiertwin.allocate.families import slices_answer
from tiertwin.allocate.families.reservation import ReservationAnswer, ReservationProblem
from tiertwin.allocate.families.reservation_cvxpy import ReservationCvxpy
from tiertwin.allocate.families.reservation_kernel import ReservationKernel
from tiertwin.allocate.families.samples import compute_offload
from tiertwin.allocate.families.slices import Guarantees, SliceProblem, Slices
from tiertwin.allocate.families.slices_admission import admit
from tiertwin.allocate.families.slices_answer import SliceAnswer
from tiertwin.allocate.families.slices_cvxpy import SliceForm
from tiertwin.allocate.families.slices_kernel import SliceKernel
from tiertwin.allocate.families.spectrum import SpectrumAnswer, SpectrumProblem
from tiertwin.allocate.families.spectrum_cvxpy import SpectrumCvxpy
from tiertwin.allocate.families.spectrum_kernel import SpectrumKernel, strongest

LOOSE = {"tol_gap_abs": 1e-4, "tol_gap_rel": 1e-4, "tol_feas": 1e-5}


def network(pairs: int, seed: int = 1, *, floors: float = 0.3) -> SliceProblem:
    """An offloading network of three slices: a tenth of every resource kept for the first, a cap, a limit, floors."""
    base = compute_offload(pairs, seed)
    users, resources = base.options.users, base.options.resources
    of_user = np.random.default_rng([seed, pairs]).integers(0, 3, users)
    kept, cap = np.zeros((3, resources)), np.full((3, resources), np.inf)
    kept[0] = 0.1 * base.capacity
    cap[2] = 0.5 * base.capacity
    asked = np.array([base.demand[of_user == s].sum() for s in range(3)])
    given = Slices(
        of_user,
        ("urllc", "video", "iot"),
        np.array([3.0, 1.0, 0.5]),
        np.array([np.inf, 0.8, np.inf]) * asked,
        cap,
        kept,
    )
    promised = Guarantees(of_user, floors * asked, given.names)
    return SliceProblem(base.options, base.demand, base.weight, base.alpha, base.capacity, given, promised)


def slices_case(pairs: int) -> Case:
    """One problem, from nothing."""
    problem = network(pairs)
    form = SliceForm(problem, constant=True)
    form.put(problem)

    def ours() -> SliceAnswer:
        found = SliceKernel().allocate(problem)
        assert found.gap <= 1e-3
        return found

    def check(a: SliceAnswer, b: SliceAnswer) -> None:
        for found in (a, b):
            assert slices_answer.worth(problem, found.x).violation <= 1e-6
        assert abs(a.value - b.value) <= 3e-3 * a.scale, (a.value - b.value) / a.scale

    def peer() -> SliceAnswer:
        return form.solve(problem, "CLARABEL", LOOSE)

    return Case(f"allocation_families/slices/{pairs}", ours, peer, "cvxpy CLARABEL", check)


def admission_case(pairs: int) -> Case:
    """Floors that fit, but barely."""
    problem = network(pairs, floors=0.45)
    free = SliceProblem(
        problem.options, problem.demand, np.zeros(problem.options.users), np.zeros(problem.options.users),
        problem.capacity, problem.slices,
        Guarantees(problem.guarantees.of_user, problem.guarantees.amount, problem.guarantees.names, np.ones(3))
        if problem.guarantees is not None else None,
    )  # fmt: skip
    form = SliceForm(free, constant=True)
    form.put(free)

    def check(a: object, b: SliceAnswer) -> None:
        ours = float(getattr(a, "shortfall").sum())  # noqa: B009
        total = float(np.sum(problem.guarantees.amount)) if problem.guarantees is not None else 1.0
        assert abs(ours - float(b.shortfall.sum())) <= 1e-4 * total, (ours, b.shortfall)

    return Case(
        f"allocation_families/admission/{pairs}",
        lambda: admit(problem, causes=0),
        lambda: form.solve(free, "HIGHS", {}),
        "cvxpy HIGHS",
        check,
    )


def reservation_case(groups: int) -> Case:
    """Groups of 5 to 100 users over three tiers."""
    rng = np.random.default_rng(groups)
    users, rate, cycles = rng.uniform(5, 100, groups), rng.uniform(0.2, 2, groups), rng.uniform(0.02, 0.2, groups)
    total = np.array([(users * rate * cycles).sum(), (users * 4.0).sum(), (users * rate * 0.5).sum()])
    capacity = total[:, None] * np.array([[0.6, 1.0, np.inf]])
    price = np.stack([3.0 * 0.7 ** np.arange(3), 0.02 * 0.8 ** np.arange(3), np.full(3, 0.05)])
    problem = ReservationProblem(
        users, rate, cycles, rng.uniform(0.05, 1, groups), rng.uniform(1, 8, groups), rng.uniform(0.03, 0.5, groups),
        0.002 * 3.0 ** np.arange(3) * rng.uniform(0.8, 1.2, (groups, 3)),
        rng.uniform(0.002, 0.05, (groups, 1)) * 0.1 ** np.arange(3), np.arange(1.0, 4.0), capacity, price,
        total[:, None] * rng.uniform(0, 0.6, (3, 3)), 0.5 * price,
    )  # fmt: skip

    def check(a: ReservationAnswer, b: ReservationAnswer) -> None:
        assert a.bound <= b.cost * (1 + 1e-9)
        assert a.cost <= 1.01 * b.cost, (a.cost, b.cost)

    peer = ReservationCvxpy({"mip_rel_gap": 1e-3})
    return Case(
        f"allocation_families/reservation/{groups}",
        lambda: ReservationKernel().allocate(problem),
        lambda: peer.allocate(problem),
        "cvxpy HIGHS (mixed integer)",
        check,
    )


def cluster(users: int, cells: int, seed: int = 1) -> SpectrumProblem:
    """Cells on a square grid of 0.5 km, users anywhere, shadows of 8 dB."""
    rng = np.random.default_rng([seed, users, cells])
    side = int(np.ceil(np.sqrt(cells)))
    place = 0.5 * np.stack(np.divmod(np.arange(cells), side), axis=1)
    at = rng.uniform(-0.25, 0.5 * side - 0.25, (users, 2))
    distance = np.maximum(np.hypot(*np.moveaxis(at[:, None] - place, 2, 0)), 0.035)
    gain = 1e-13 * distance**-3.5 * 10 ** (0.8 * rng.normal(0, 1, distance.shape))
    return SpectrumProblem(gain, np.full(cells, 20.0), np.full(cells, 2e7))


def spectrum_case(users: int, cells: int) -> Case:
    """A cluster from full power."""
    problem = cluster(users, cells)
    full = strongest(problem)

    def check(a: SpectrumAnswer, b: SpectrumAnswer) -> None:
        assert a.gap <= 0.05
        assert np.all(np.diff(a.history) >= 0)
        assert a.value >= full.value
        assert abs(a.value - b.value) <= 0.02 * a.scale

    return Case(
        f"allocation_families/spectrum/{users}x{cells}",
        lambda: SpectrumKernel().allocate(problem),
        lambda: SpectrumCvxpy().allocate(problem),
        "the same turns, cells and bands by cvxpy CLARABEL",
        check,
    )


def cases(quick: bool) -> Iterator[Case]:
    """Yield them."""
    for pairs in (1000,) if quick else (1000, 10_000):
        yield slices_case(pairs)
        yield admission_case(pairs)
    for groups in (30,) if quick else (30, 200):
        yield reservation_case(groups)
    for users, cells in ((200, 9),) if quick else ((200, 9), (1000, 36)):
        yield spectrum_case(users, cells)


if __name__ == "__main__":
    main(__doc__, cases)
