"""Parts of a study in a file: taken from it, never of another study, and whole whatever a kill left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiertwin.errors import InputError
from tiertwin.study.kept import Kept

STUDY = {"scenario": "metro", "faults": 1}
PART = {"arm": {"selection": "worth", "share": 0.1}, "seed": 7}


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "parts.jsonl"
    first = Kept(path, STUDY)
    assert PART not in first
    first.add(PART, {"utility": 0.1 + 0.2})
    again = Kept(path, STUDY)
    assert PART in again
    assert {**PART, "seed": 8} not in again
    assert again[dict(reversed(PART.items()))] == {"utility": 0.1 + 0.2}


def test_without_a_file_it_holds_for_the_run() -> None:
    known = Kept(None, STUDY)
    known.add(7, [1, 2])
    assert 7 in known
    assert known[7] == [1, 2]


def test_a_file_of_another_study_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "parts.jsonl"
    Kept(path, STUDY).add(7, 1)
    with pytest.raises(InputError, match=r"line 1: expected a study of .*name another file"):
        Kept(path, {**STUDY, "faults": 2})
    path.write_text("seed,utility\n")
    with pytest.raises(InputError, match=r"line 1.*expected a line that a study has kept"):
        Kept(path, STUDY)


def test_a_line_that_was_cut_short_is_played_again(tmp_path: Path) -> None:
    path = tmp_path / "parts.jsonl"
    kept = Kept(path, STUDY)
    kept.add(1, "one")
    kept.add(2, "two")
    path.write_bytes(path.read_bytes()[:-4])
    again = Kept(path, STUDY)
    assert 1 in again
    assert 2 not in again
    again.add(2, "two")
    assert Kept(path, STUDY)[2] == "two"
