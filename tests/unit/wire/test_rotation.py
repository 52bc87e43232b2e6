"""Changing keys in a folder: every step leaves a good folder, and nobody loses a key by a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiertwin.errors import InputError, UnknownNameError
from tiertwin.wire import rotation
from tiertwin.wire.access import Access
from tiertwin.wire.keys import DAY_S, Member, check_folder, key_path, make_keys, read_key, write_keys
from tiertwin.wire.rotation import retire, revoke, rotate

NOW = 1_800_000_000.0
MEMBERS = [Member("fog-1", "fog"), Member("edge-a", "edge", ("fog-1",)), Member("edge-b", "edge", ("fog-1",))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_keys(tmp_path / "keys", make_keys(MEMBERS, NOW, days=10))
    return tmp_path / "keys"


def table(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for grant in Access.read(folder / "access.json").grants:
        found.setdefault(grant.node, []).append(grant.public)
    return found


def test_a_new_key_stands_beside_the_old_one_until_that_is_retired(folder: Path) -> None:
    old = read_key(key_path(folder, "edge-a"), NOW)
    (made,) = rotate(folder, ["edge-a"], NOW, days=20)
    assert read_key(key_path(folder, "edge-a"), NOW) == made
    assert made.not_after_s == int(NOW + 20 * DAY_S)
    assert table(folder)["edge-a"] == [old.public, made.public]
    grants = {grant.public: grant for grant in Access.read(folder / "access.json").grants}
    assert (grants[made.public].role, grants[made.public].parents) == ("edge", ("fog-1",))
    assert key_path(folder, "edge-a").stat().st_mode & 0o777 == 0o600
    assert Access.read(folder / "access.json").publics_of("edge-a") == [made.public.encode(), old.public.encode()]
    assert all(not state.problem for state in check_folder(folder, NOW))

    assert retire(folder, ["edge-a"]) == [old.public]
    assert table(folder)["edge-a"] == [made.public]
    assert retire(folder, ["edge-a"]) == []


def test_a_third_key_is_refused_and_nothing_is_changed(folder: Path) -> None:
    rotate(folder, ["edge-a"], NOW, days=20)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match="'edge-a' has 2 keys already; `tiertwin keys --retire edge-a`"):
        rotate(folder, ["edge-b", "edge-a"], NOW, days=20)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_node_whose_file_is_not_listed_is_not_retired(folder: Path) -> None:
    """As after a copy of the table that came before the key: nothing would be left of the node."""
    stale = (folder / "access.json").read_bytes()
    rotate(folder, ["edge-a"], NOW, days=20)
    (folder / "access.json").write_bytes(stale)
    with pytest.raises(InputError, match="does not list the key in the file of 'edge-a'"):
        retire(folder, ["edge-a"])
    assert (folder / "access.json").read_bytes() == stale


def test_a_revoked_node_has_no_key_left_and_others_keep_theirs(folder: Path) -> None:
    rotate(folder, ["edge-a"], NOW, days=20)
    before = table(folder)
    assert revoke(folder, ["edge-a"]) == sorted(before["edge-a"])
    assert table(folder) == {node: keys for node, keys in before.items() if node != "edge-a"}


@pytest.mark.parametrize(
    "change",
    [lambda f: rotate(f, ["edge-x"], NOW, 1), lambda f: retire(f, ["edge-x"]), lambda f: revoke(f, ["edge-x"])],
)
def test_an_unknown_node_is_told_with_near_names(folder: Path, change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnknownNameError, match="lists no node 'edge-x'. Did you mean 'edge-"):
        change(folder)


def test_broken_off_between_table_and_key_the_old_key_still_opens(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = read_key(key_path(folder, "edge-a"), NOW)
    written = rotation.write_private

    def table_only(path: Path, content: bytes, **more: int) -> None:
        if path.name != "access.json":
            raise OSError("power is gone")
        written(path, content, **more)

    monkeypatch.setattr(rotation, "write_private", table_only)
    with pytest.raises(OSError, match="power"):
        rotate(folder, ["edge-a"], NOW, days=20)
    assert read_key(key_path(folder, "edge-a"), NOW) == old
    assert old.public in table(folder)["edge-a"]
