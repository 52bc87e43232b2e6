"""The one YAML loader: core values only, and every refusal names file, line and what was expected."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tiertwin.errors import InputError
from tiertwin.interop.yaml_loader import MAX_BYTES, MAX_DEPTH, parse_yaml, read_yaml


def value(text: str) -> object:
    data = parse_yaml(f"v: {text}".encode()).data
    return data["v"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e9", 1e9), ("1.5", 1.5), (".5", 0.5), ("-3", -3), ("+3", 3), ("0x1F", 31), ("12e03", 12000.0), ("1.", 1.0),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"), ("0o17", "0o17"), ("017", 17), ("1_000", "1_000"), ("0b11", "0b11"), ("<<", "<<"),
        ("'1e9'", "1e9"), ('"true"', "true"), ("Köln", "Köln"), ("=", "="),
    ],
)  # fmt: skip
def test_core_values(text: str, expected: object):
    got = value(text)
    assert got == expected
    assert type(got) is type(expected)


def test_infinity_and_nan_are_numbers_here_and_refused_by_the_model():
    assert value(".inf") == math.inf
    assert value("-.INF") == -math.inf
    assert math.isnan(value(".nan"))  # type: ignore[arg-type]
    assert value("1e999") == math.inf


def refused(raw: bytes) -> str:
    with pytest.raises(InputError) as caught:
        parse_yaml(raw, "bad.yaml")
    text = str(caught.value)
    assert text.startswith("bad.yaml: ")
    return text


@pytest.mark.parametrize(
    ("raw", "line", "expected"),
    [
        (b"", None, "expected a scenario, got an empty file"),
        (b" \n\n", None, "expected a scenario, got an empty file"),
        (b"# only a comment\n", 1, "nothing but blanks and comments"),
        (b"a: 1\nb: \xff\xfe\n", 2, "expected UTF-8 text, got byte 0xff; is it binary?"),
        (b"\x7fELF\x02\x01\x00", 1, "control character U+007F"),
        (b"a: 1\nb: \x00\n", 2, "control character U+0000; is it binary?"),
        (b"a: 1\nb: 2\na: 3\n", 3, "expected every key once, got 'a' again (first in line 1)"),
        (b"a:\n  b: 1\n  b: 2\n", 3, "expected every key once, got 'b' again (first in line 2)"),
        (b"a: &x [1]\nb: *x\n", 1, "anchors are not admitted"),
        (b"a: 1\nb: *x\n", 2, "got the alias *x; write the value out"),
        (b"a: 1\nb: !!python/object/apply:os.system ['true']\n", 2, "tags are not admitted"),
        (b"a: !!str 1\n", 1, "tags are not admitted"),
        (b"a: ! x\n", 1, "tags are not admitted"),
        (b"!!map {a: 1}\n", 1, "tags are not admitted"),
        (b"!!str a: 1\n", 1, "tags are not admitted"),
        (b"1: x\n", 1, "expected text as a key, got '1'"),
        (b"null: x\n", 1, "expected text as a key"),
        (b"? [a, b]\n: x\n", 1, "expected text as a key, got 'a collection'"),
        (b"a: 1\n---\nb: 2\n", 2, "expected one YAML document"),
        (b"a: [1, 2\n", 2, "expected one YAML document"),
        (b"a: 'x\n", 2, "expected one YAML document"),
        (b"a: 1\n\tb: 2\n", 2, "expected one YAML document"),
        (b"a: %x\n", 1, "expected one YAML document"),
        (b"a: " + b"9" * 5000, 1, "expected a number of at most 400 characters, got 5000"),
    ],
)
def test_refusals(raw: bytes, line: int | None, expected: str):
    text = refused(raw)
    assert expected in text
    if line is not None:
        assert f"line {line}: " in text


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_bounded(opening: str):
    assert f"at most {MAX_DEPTH} levels" in refused(opening.encode() * 60_000)


def test_depth_up_to_the_bound_is_fine():
    fits = MAX_DEPTH - 1  # the mapping is the first level, the innermost list is empty
    parse_yaml(b"a: " + b"[" * fits + b"]" * fits)
    assert "levels" in refused(b"a: " + b"[" * (fits + 1) + b"]" * (fits + 1))


def test_size_is_bounded(tmp_path: Path):
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: " + b"x" * MAX_BYTES)
    with pytest.raises(InputError, match=r"large\.yaml: expected at most 256 KiB"):
        read_yaml(path)


def test_an_alias_bomb_does_not_go_off():
    rows = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 18)]
    assert "line 1: " in refused("\n".join(rows).encode())


def test_a_byte_order_mark_is_no_content():
    assert parse_yaml(b"\xef\xbb\xbfa: 1").data == {"a": 1}
    assert "UTF-8" in refused("a: 1".encode("utf-16"))


def test_files_that_cannot_be_read(tmp_path: Path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(InputError, match="expected a readable YAML file") as caught:
            read_yaml(path)
        assert str(path) in str(caught.value)


def test_lines_of_paths():
    document = parse_yaml(b"a: 1\nb:\n  - c: 2\n    d: 3\n  - x\n")
    assert document.data == {"a": 1, "b": [{"c": 2, "d": 3}, "x"]}
    lines = document.lines
    assert (lines[("a",)], lines[("b",)], lines[("b", 0, "d")], lines[("b", 1)]) == (1, 2, 4, 5)
