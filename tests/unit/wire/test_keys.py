"""Key files and key folders: made whole and private, read strictly, never shown."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from tiertwin.errors import InputError
from tiertwin.wire.access import Access, Grant
from tiertwin.wire.keys import (
    DAY_S,
    OBSERVERS,
    KeyPair,
    KeySet,
    Member,
    check_folder,
    free_observer_key,
    key_path,
    make_keys,
    members_of,
    publics,
    read_key,
    write_keys,
    write_private,
)

NOW = 1_800_000_000.0
TWINS = [
    ("cloud-1", "cloud", None),
    ("fog-1", "fog", "cloud-1"),
    ("edge-koeln", "edge", "fog-1"),
    ("device-koeln", "device", "edge-koeln"),
]


@pytest.fixture
def keys() -> KeySet:
    return make_keys(members_of(TWINS, solvers=2), NOW, days=10)  # type: ignore[arg-type]


@pytest.fixture
def folder(keys: KeySet, tmp_path: Path) -> Path:
    write_keys(tmp_path / "keys", keys)
    return tmp_path / "keys"


def test_who_needs_a_key_in_a_tree(keys: KeySet) -> None:
    assert list(keys.keys) == [
        *("cloud-1", "fog-1", "edge-koeln", "device-koeln"),
        *("plant-koeln", "solver-1", "solver-2", *OBSERVERS, "metrics"),
    ]
    rights = {grant.node: (grant.role, grant.parents, grant.rights) for grant in keys.access.grants}
    assert rights["plant-koeln"] == ("plant", ("device-koeln",), ("report", "obey"))
    assert rights["fog-1"] == ("fog", ("cloud-1",), ("report", "obey"))
    assert rights["cloud-1"] == ("cloud", (), ())
    assert rights["observer"] == rights["metrics"] == ("observer", ("*",), ("observe",))


def test_a_folder_reads_back_as_it_was_made(keys: KeySet, folder: Path) -> None:
    assert Access.read(folder / "access.json").grants == keys.access.grants
    for name, key in keys.keys.items():
        assert read_key(key_path(folder, name), NOW, name) == key
        assert key_path(folder, name).stat().st_mode & 0o777 == 0o600
    assert (folder / "access.json").stat().st_mode & 0o777 == 0o644
    assert folder.stat().st_mode & 0o077 == 0
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert publics([keys.keys["fog-1"]]) == {"fog-1": keys.access.public_of("fog-1")}


def test_a_folder_with_keys_is_left_alone(keys: KeySet, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match="holds keys already"):
        write_keys(folder, keys)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_observers_at_once_have_a_key_each(folder: Path) -> None:
    with ExitStack() as first:
        held = [first.enter_context(free_observer_key(folder)).node for _ in OBSERVERS]
        assert tuple(held) == OBSERVERS
        with pytest.raises(InputError, match="4 observers look at this tree already"), free_observer_key(folder):
            pass
    with free_observer_key(folder) as key:
        assert key.node == OBSERVERS[0]


def test_an_observer_without_a_key_is_told_so(folder: Path) -> None:
    for name in OBSERVERS:
        key_path(folder, name).unlink()
    with pytest.raises(InputError, match=r"observer\.key\.json"), free_observer_key(folder):
        pass


def test_secrets_are_in_no_repr_and_no_error(keys: KeySet, folder: Path) -> None:
    key = keys.keys["fog-1"]
    path = key_path(folder, "fog-1")
    shown = [repr(key), str(key), repr(key.pair), repr(keys), f"{key.pair}"]
    for broken in (
        path.read_text().replace('"node"', '"nodes"'),
        path.read_text().replace(key.public, KeyPair.fresh().public.decode()),
        path.read_text()[:-20],
        path.read_text().replace(key.secret, key.secret + "x"),
        path.read_text().replace('"role": "fog"', '"role": "king"'),
    ):
        path.write_text(broken)
        with pytest.raises(InputError) as caught:
            read_key(path, NOW)
        shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
    assert not any(key.secret in text or key.secret[:12] in text for text in shown)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(folder: Path, mode: int) -> None:
    path = key_path(folder, "fog-1")
    path.chmod(mode)
    with pytest.raises(InputError, match=rf"fog-1\.key\.json: is readable by others \(mode 0{mode:o}\).*chmod 600"):
        read_key(path, NOW)


def test_keys_that_do_not_fit(folder: Path, tmp_path: Path) -> None:
    path = key_path(folder, "fog-1")
    with pytest.raises(InputError, match="is the key of 'fog-1', expected that of 'fog-2'"):
        read_key(path, NOW, "fog-2")
    with pytest.raises(InputError, match=r"'fog-1' expired at 2027-01-25 08:00 UTC.*tiertwin keys"):
        read_key(path, NOW + 10 * DAY_S)
    with pytest.raises(InputError, match=r"no key to read: No such file.*tiertwin keys"):
        read_key(tmp_path / "none.key.json", NOW)
    write_private(tmp_path / "long.key.json", b" " * 5000)
    with pytest.raises(InputError, match="longer than 4096 bytes"):
        read_key(tmp_path / "long.key.json", NOW)


def test_names_become_paths_and_nothing_else(tmp_path: Path) -> None:
    for name in ("../x", "", "Fog", "a/b", "x" * 64, "-a", "a\n"):
        with pytest.raises(InputError, match="expected a node name"):
            make_keys([Member(name, "fog")], NOW)
        with pytest.raises(InputError, match="expected a node name"):
            key_path(tmp_path, name)
    with pytest.raises(InputError, match="two nodes are named 'fog-1'"):
        make_keys([Member("fog-1", "fog"), Member("fog-1", "edge")], NOW)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == []


def test_check_says_what_is_wrong_with_each(keys: KeySet, folder: Path) -> None:
    key_path(folder, "fog-1").chmod(0o644)
    key_path(folder, "edge-koeln").write_text("{}")
    stranger = make_keys([Member("device-koeln", "device", ("edge-koeln",))], NOW, 10).keys["device-koeln"]
    text = json.dumps({**json.loads(key_path(folder, "device-koeln").read_text()), "public": stranger.public,
                       "secret": stranger.secret})  # fmt: skip
    key_path(folder, "device-koeln").write_text(text)
    states = {state.name: state for state in check_folder(folder, NOW)}
    assert states["cloud-1"].problem == ""
    assert states["cloud-1"].days_left == 10
    assert "readable by others" in states["fog-1"].problem
    assert "is no key file" in states["edge-koeln"].problem
    assert states["device-koeln"].problem == "access.json does not list this key for 'device-koeln'"
    assert list(states)[-1] == "access.json"
    (folder / "access.json").chmod(0o666)
    assert "writable by others" in check_folder(folder, NOW)[-1].problem
    with pytest.raises(InputError, match="no keys here"):
        check_folder(folder.parent, NOW)


# --------------------------------------------------------------------------------------------------------- access table
def grant(node: str = "edge-a", **other: object) -> Grant:
    fields: dict[str, object] = {
        "public": KeyPair.fresh().public.decode(), "node": node, "role": "edge", "parents": ("fog-1",),
        "not_after_s": int(NOW),
    }  # fmt: skip
    return Grant(**{**fields, **other})  # type: ignore[arg-type]


def test_two_keys_of_a_node_while_they_are_changed() -> None:
    old, new = grant(), grant(not_after_s=int(NOW) + 5)
    table = Access([new, old])
    assert table.grant(old.public) is old
    assert table.public_of("edge-a") == new.public.encode()
    assert table.public_of("edge-z") is None
    assert "edge-a" in table
    assert len(table) == 2
    with pytest.raises(InputError, match="more than 2 keys for 'edge-a'; remove the oldest"):
        Access([old, new, grant()])


def test_tables_that_contradict_themselves_are_refused_with_all_mistakes() -> None:
    one = grant()
    with pytest.raises(InputError) as caught:
        Access([one, one, grant("edge-b"), grant("edge-b", role="fog"), grant("edge-c", narrowed=("solve",))])
    assert caught.value.problems == [
        "keys[1]: the key of 'edge-a' is listed twice",
        "keys[3]: the two keys of 'edge-b' differ in role or parents",
        "keys[4].rights: role 'edge' may not solve",
    ]


def test_rights_can_be_narrowed_in_the_file() -> None:
    table = Access([grant(narrowed=("report",))])
    assert Access.from_json(table.to_json()).grants[0].rights == ("report",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file["keys"][0].update(extra=1), r"unknown field `extra` - at `\$.keys\[0\]`"),
        (lambda file: file["keys"][0].update(role="king"), "Invalid enum value"),
        (lambda file: file["keys"][0].update(node="../x"), "matching regex"),
        (lambda file: file["keys"][0].update(not_after="2027-01-01T00:00:00"), "timezone"),
        (lambda file: file["keys"][0].update(public="short"), "length >= 40"),
        (lambda file: file.update(format="tiertwin-access-9"), "Invalid enum value"),
        (lambda file: file.pop("keys"), "missing required field `keys`"),
    ],
)
def test_the_file_is_read_strictly(change: object, message: str) -> None:
    file = json.loads(Access([grant()]).to_json())
    change(file)  # type: ignore[operator]
    with pytest.raises(InputError, match=f"is no access table: .*{message}"):
        Access.from_json(json.dumps(file).encode())


def test_an_access_table_that_others_can_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "access.json"
    with pytest.raises(InputError, match="no access table to read: No such file"):
        Access.read(path)
    path.write_bytes(Access([grant()]).to_json())
    path.chmod(0o664)
    with pytest.raises(InputError, match=r"is writable by others \(mode 0664\).*chmod 644"):
        Access.read(path)
