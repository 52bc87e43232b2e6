"""Workers side by side: order, failures, silence."""

from __future__ import annotations

import pytest

from tiertwin.errors import ProcessError
from tiertwin.runtime.sidebyside import SideBySide

MODULE = "support.echo_worker"


@pytest.fixture(autouse=True)
def _path(monkeypatch, request):
    """Workers find the tests' own modules."""
    import os

    here = str(request.config.rootpath / "tests")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_answers_come_in_the_order_of_the_jobs(workers):
    with SideBySide(MODULE, workers) as pool:
        for count in (4, 0, 2):  # the same workers again
            assert [a["twice"] for a in pool.run([{"n": n} for n in range(count)])] == [2 * n for n in range(count)]


def test_a_worker_that_ends_is_told_with_its_status():
    with pytest.raises(ProcessError, match="ended with status 7"), SideBySide(MODULE, 2) as pool:
        list(pool.run([{"n": 1}, {"n": 13}, {"n": 2}]))


def test_a_silent_worker_is_given_up():
    with pytest.raises(ProcessError, match="timeout `answer`"), SideBySide("timeit", 1, answer_s=0.0) as pool:
        list(pool.run([{"n": 1}]))


def test_what_a_library_prints_spoils_no_answer():
    with SideBySide(MODULE, 1) as pool:
        assert [a["twice"] for a in pool.run([{"n": 14}, {"n": 1}])] == [28, 2]
