"""The audit log: what happened at the door is there, in order, and a changed line shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tiertwin.errors import InputError
from tiertwin.runtime import audit as module
from tiertwin.runtime.audit import LOOK_NS, START, Audit, verify
from tiertwin.wire.access import Access
from tiertwin.wire.admission import ENTRIES, Admission
from tiertwin.wire.keys import KeyPair, Member, make_keys

NOW = 1_800_000_000.0


@pytest.fixture
def door() -> tuple[Admission, str]:
    keys = make_keys([Member("fog-1", "fog"), Member("edge-a", "edge", ("fog-1",))], NOW)
    admission = Admission(keys.access)
    admission.now_s = NOW
    return admission, keys.keys["edge-a"].public


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_who_came_who_was_refused_and_whose_key_went(door: tuple[Admission, str], tmp_path: Path) -> None:
    admission, public = door
    path = tmp_path / "edges.audit.jsonl"
    log = Audit(path, "edges")
    admission.knock(public, "10.0.0.3")
    admission.knock(KeyPair.fresh().public.decode(), "10.0.0.9")
    admission.ban(public, 10**10)
    admission.swap(Access(grant for grant in admission.access.grants if grant.public != public))
    log.look(admission, LOOK_NS, NOW)
    found = lines(path)
    assert [(line["event"], line["who"].split()[0]) for line in found] == [
        ("admitted", "edge-a"), ("refused", "key"), ("banned", "edge-a"), ("table", "edge-a"),
    ]  # fmt: skip
    assert [line.get("address") for line in found[:2]] == ["10.0.0.3", "10.0.0.9"]
    assert found[1]["reason"] == "R29 unknown key"
    assert found[0]["time"] == "2027-01-15T08:00:00.000Z"
    assert path.stat().st_mode & 0o777 == 0o600
    assert public not in path.read_text()  # its beginning names it
    assert verify(path, START) == (4, log.chain)


def test_once_a_second_and_a_flood_is_counted(door: tuple[Admission, str], tmp_path: Path) -> None:
    admission, _ = door
    path = tmp_path / "a.jsonl"
    log = Audit(path, "edges")
    for _ in range(ENTRIES + 7):
        admission.refuse("R27 malformed request")
    log.look(admission, LOOK_NS, NOW)
    admission.refuse("R27 malformed request")
    log.look(admission, LOOK_NS + 1, NOW)
    assert len(lines(path)) == ENTRIES + 1
    assert lines(path)[-1]["reason"] == "7 more"
    log.look(admission, 3 * LOOK_NS, NOW)
    assert len(lines(path)) == ENTRIES + 2


@pytest.mark.parametrize("harm", ["change", "take out", "put in", "swap"])
def test_harm_shows(door: tuple[Admission, str], tmp_path: Path, harm: str) -> None:
    path = tmp_path / "a.jsonl"
    Audit(path, "edges").write([{"event": "refused", "who": f"key {k}"} for k in range(6)], NOW)
    kept = path.read_bytes().splitlines()
    if harm == "change":
        kept[2] = kept[2].replace(b"key 2", b"key 9")
    elif harm == "take out":
        del kept[2]
    elif harm == "put in":
        kept.insert(2, kept[4])
    else:
        kept[2], kept[3] = kept[3], kept[2]
    path.write_bytes(b"\n".join(kept) + b"\n")
    with pytest.raises(InputError, match=r"line [345] is not what was written|line 3"):
        verify(path, START)


def test_the_next_life_goes_on_with_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    Audit(path, "edges").write([{"event": "a"}], NOW)
    with path.open("ab") as file:
        file.write(b'{"event":"broke o')  # as a kill leaves it
    second = Audit(path, "edges")
    second.write([{"event": "b"}], NOW)
    assert [line["event"] for line in lines(path)] == ["a", "b"]
    assert verify(path, START) == (2, second.chain)


def test_old_files_are_kept_and_their_chains_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILE_BYTES", 2_000)
    path = tmp_path / "a.jsonl"
    log = Audit(path, "edges")
    for k in range(200):
        log.write([{"event": "refused", "who": str(k)}], NOW)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["a.jsonl", "a.jsonl.1", "a.jsonl.2", "a.jsonl.3"]
    chain = ""
    for name in ("a.jsonl.3", "a.jsonl.2", "a.jsonl.1", "a.jsonl"):
        _, chain = verify(tmp_path / name, chain)
    assert chain == log.chain


def test_no_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no audit log to read"):
        verify(tmp_path / "nothing")
