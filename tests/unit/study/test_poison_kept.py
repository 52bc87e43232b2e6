"""The study of lies goes on from what it has kept, and comes to the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tiertwin.errors import InputError
from tiertwin.study import poison
from tiertwin.world import load


class Workers:
    """Answers at once; stops after so many jobs."""

    jobs: ClassVar[list[tuple[int, bool]]] = []
    stop_after = 1000

    def __init__(self, module: str, jobs: int | None) -> None:
        pass

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *what: object) -> None:
        pass

    def run(self, work: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for job in work:
            if len(self.jobs) == self.stop_after:
                raise KeyboardInterrupt
            lying = job["scenario"]["faults"]["lying"] is not None
            self.jobs.append((job["seed"], lying))
            liar = {"kind": "bias", "delay_s": 2.0, "early": False, "caught_epochs": 3, "missed_epochs": 2}
            told = {"false": 0, "false_epochs": 0, "reasons": [], "liars": [liar] if lying else []}
            yield {"utility": -1.0 - 0.01 * job["seed"] - 0.1 * lying, **told}


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> type[Workers]:
    monkeypatch.setattr(poison, "SideBySide", Workers)
    monkeypatch.setattr(Workers, "jobs", [])
    monkeypatch.setattr(Workers, "stop_after", 1000)
    return Workers


def study(keep: Path | None, share: float = 0.1) -> dict[str, Any]:
    return poison.poison_study(
        load("metro"), [1, 2, 3], 40, share=share, kinds=("all",), defences=("evidence",), keep=keep
    )


def test_a_study_that_was_cut_off_goes_on_and_comes_to_the_same(workers: type[Workers], tmp_path: Path) -> None:
    whole = study(None)
    asked = len(workers.jobs)
    workers.jobs.clear()
    workers.stop_after = 5
    with pytest.raises(KeyboardInterrupt):
        study(tmp_path / "runs.jsonl")
    workers.jobs.clear()
    workers.stop_after = 1000
    assert study(tmp_path / "runs.jsonl") == whole
    assert len(workers.jobs) == asked - 5
    assert study(tmp_path / "runs.jsonl") == whole
    assert len(workers.jobs) == asked - 5


def test_a_file_of_another_study_is_refused(workers: type[Workers], tmp_path: Path) -> None:
    study(tmp_path / "runs.jsonl")
    with pytest.raises(InputError, match="another file"):
        study(tmp_path / "runs.jsonl", share=0.2)
