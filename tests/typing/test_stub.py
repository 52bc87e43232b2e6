"""The committed `_core.pyi` names what the extension has, no more and no less; signatures as a fresh stub has them."""

from __future__ import annotations

import ast
import types

import pytest

from support.make_stub import STUB, generate
from tiertwin import _core

Outline = dict[str, str]
REMAKE = "the binding changed: run `python tests/support/make_stub.py` and commit python/tiertwin/_core.pyi"
DUNDERS = {"__init__", "__len__", "__copy__", "__deepcopy__"}


def public(name: str) -> bool:
    return not name.startswith("_") or name in DUNDERS


def members_of(cls: type) -> Outline:
    found = {}
    for name, value in vars(cls).items():
        if not public(name) or (name == "__init__" and "->" not in str(value.__doc__)):
            continue  # without a constructor pybind11 has an __init__ that only refuses
        kind = "method"
        if isinstance(value, property):
            kind = "property" if value.fset is None else "property to set"
        found[f"{cls.__name__}.{name}"] = kind
    return found


def of_extension() -> Outline:
    """What `_core` holds, by introspection: name → kind."""
    found: Outline = {}
    for name, value in vars(_core).items():
        if not public(name) or isinstance(value, types.ModuleType):
            continue
        if isinstance(value, type):
            bases = ", ".join(b.__name__ for b in value.__bases__ if issubclass(b, Exception))
            found[name] = f"class({bases})"
            if not bases:
                found |= members_of(value)
        else:
            found[name] = "function" if callable(value) else "constant"
    return found


def kind_of(node: ast.stmt) -> tuple[str, str]:
    """Name and kind of a member; a setter comes after its property, so its word is the last."""
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target), "property to set"
    if not isinstance(node, ast.FunctionDef):
        return "", ""
    words = [ast.unparse(d) for d in node.decorator_list]
    if any(word.endswith(".setter") for word in words):
        return node.name, "property to set"
    return node.name, "property" if "property" in words else "method"


def of_stub() -> Outline:
    """What the committed file holds: name → kind."""
    found: Outline = {}
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = "function"
        elif isinstance(node, ast.AnnAssign) and public(ast.unparse(node.target)):
            found[ast.unparse(node.target)] = "constant"
        elif isinstance(node, ast.ClassDef):
            found[node.name] = f"class({', '.join(ast.unparse(b) for b in node.bases)})"
            if not node.bases:
                found |= {f"{node.name}.{name}": kind for name, kind in map(kind_of, node.body) if name}
    return found


def signatures(text: str) -> dict[str, list[str]]:
    """Every definition with its arguments, types and defaults, docstrings left out; overloads under one name."""
    found: dict[str, list[str]] = {}

    def collect(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = [ast.unparse(b) for b in node.bases]
                collect(node.body, f"{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                returns = "" if node.returns is None else ast.unparse(node.returns)
                found.setdefault(prefix + node.name, []).append(f"({ast.unparse(node.args)}) -> {returns}")
            elif isinstance(node, ast.AnnAssign):
                found[prefix + ast.unparse(node.target)] = [ast.unparse(node.annotation)]

    collect(ast.parse(text).body, "")
    return found


def test_the_stub_names_what_the_extension_has() -> None:
    there, written = of_extension(), of_stub()
    assert sorted(there.keys() - written.keys()) == [], f"missing in the stub; {REMAKE}"
    assert sorted(written.keys() - there.keys()) == [], f"in the stub only; {REMAKE}"
    assert written == there


def test_the_stub_is_what_pybind11_stubgen_makes_of_it() -> None:
    pytest.importorskip("pybind11_stubgen", reason="no fresh stub to compare with: pip install 'tiertwin[dev]'")
    assert signatures(STUB.read_text(encoding="utf-8")) == signatures(generate()), REMAKE


def test_a_refusal_carries_what_the_stub_promises() -> None:
    with pytest.raises(_core.CoreRefusedError) as caught:
        _core.decode_header(b"")
    assert isinstance(caught.value.reason, int)
    assert isinstance(caught.value.at, int)
