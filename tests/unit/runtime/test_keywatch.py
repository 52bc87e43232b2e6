"""What a process learns from its key folder, and what it does not believe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiertwin.runtime.keywatch import LOOK_NS, KeyWatch
from tiertwin.wire.access import Access
from tiertwin.wire.keys import KeySet, Member, make_keys, write_keys
from tiertwin.wire.rotation import retire, revoke, rotate

NOW = 1_800_000_000.0
MEMBERS = [
    Member("cloud-1", "cloud"),
    Member("fog-1", "fog", ("cloud-1",)),
    Member("edge-a", "edge", ("fog-1",)),
    Member("edge-b", "edge", ("fog-1",)),
]


@pytest.fixture
def keys() -> KeySet:
    return make_keys(MEMBERS, NOW)


@pytest.fixture
def folder(keys: KeySet, tmp_path: Path) -> Path:
    write_keys(tmp_path / "keys", keys)
    return tmp_path / "keys"


def fog(folder: Path, keys: KeySet) -> KeyWatch:
    """What the process of the fog looks at: its own key, those of its children, that of its parent."""
    return KeyWatch(folder, {"fog-1": keys.keys["fog-1"].pair}, ["edge-a", "edge-b"], ["cloud-1"])


def test_the_first_look_reads_and_the_next_ones_only_what_changed(folder: Path, keys: KeySet) -> None:
    watch = fog(folder, keys)
    first = watch.look(0, NOW)
    assert first is not None
    assert first.access is not None
    assert {grant.node for grant in first.access.grants} == {"edge-a", "edge-b"}
    assert first.keys == {}
    assert first.servers == {"cloud-1": [keys.keys["cloud-1"].public.encode()]}
    assert watch.look(LOOK_NS, NOW) is None
    rotate(folder, ["edge-a"], NOW, 10)
    assert watch.look(LOOK_NS + 1, NOW) is None  # once a second
    changed = watch.look(2 * LOOK_NS, NOW)
    assert changed is not None
    assert changed.access is not None
    assert len(changed.access.grants) == 3
    assert changed.keys == {}


def test_its_own_key_and_that_of_its_parent(folder: Path, keys: KeySet) -> None:
    watch = fog(folder, keys)
    watch.look(0, NOW)
    made = {key.node: key for key in rotate(folder, ["fog-1", "cloud-1"], NOW, 60)}
    changed = watch.look(LOOK_NS, NOW)
    assert changed is not None
    assert changed.keys == {"fog-1": made["fog-1"].pair}
    assert changed.servers["cloud-1"] == [made["cloud-1"].public.encode(), keys.keys["cloud-1"].public.encode()]
    retire(folder, ["fog-1", "cloud-1"])
    changed = watch.look(2 * LOOK_NS, NOW)
    assert changed is not None
    assert changed.keys == {}
    assert changed.servers["cloud-1"] == [made["cloud-1"].public.encode()]


def test_who_starts_again_with_an_old_key_finds_the_new_one(folder: Path, keys: KeySet) -> None:
    (made,) = rotate(folder, ["fog-1"], NOW, 60)
    first = fog(folder, keys).look(0, NOW)
    assert first is not None
    assert first.keys == {"fog-1": made.pair}


def test_a_revoked_child_is_gone_and_a_stranger_never_comes(folder: Path, keys: KeySet) -> None:
    watch = fog(folder, keys)
    watch.look(0, NOW)
    revoke(folder, ["edge-a"])
    changed = watch.look(LOOK_NS, NOW)
    assert changed is not None
    assert changed.access is not None
    assert {grant.node for grant in changed.access.grants} == {"edge-b"}


@pytest.mark.parametrize("harm", ["malformed", "writable", "gone", "key readable", "key expired"])
def test_what_cannot_be_believed_changes_nothing_and_is_told(
    folder: Path, keys: KeySet, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = fog(folder, keys)
    watch.look(0, NOW)
    table, own, later = folder / "access.json", folder / "fog-1.key.json", NOW
    if harm == "malformed":
        table.write_text("{")
    elif harm == "writable":
        table.write_bytes(table.read_bytes() + b"\n")
        table.chmod(0o666)
    elif harm == "gone":
        table.unlink()
    elif harm == "key readable":
        rotate(folder, ["fog-1"], NOW, 60)
        own.chmod(0o644)
        Access.read(table)
    else:
        rotate(folder, ["fog-1"], NOW, 60)
        later = NOW + 61 * 86_400
    changed = watch.look(LOOK_NS, later)
    assert changed is None or (changed.keys == {} and harm.startswith("key"))
    assert "not taken" in capsys.readouterr().err
    assert watch.look(2 * LOOK_NS, later) is None  # told once
    assert "not taken" not in capsys.readouterr().err
