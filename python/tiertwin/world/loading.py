"""One door for every source of a scenario: built-in name, YAML file, topohub name, networkx graph, mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.interop.arrivals import with_traces
from tiertwin.interop.networkx import is_graph, networkx_topology
from tiertwin.interop.positions import with_positions
from tiertwin.interop.topohub import looks_like, topohub_names, topohub_raw
from tiertwin.interop.yaml_loader import read_yaml
from tiertwin.model.parse import Lines, describe, parse_scenario
from tiertwin.model.scenario import Scenario
from tiertwin.world.builtin import builtin_names, builtin_scenario
from tiertwin.world.names import slug
from tiertwin.world.resolver import check_places
from tiertwin.world.sources import expand

SUFFIXES = (".yaml", ".yml")


def load(source: Any, **overrides: Any) -> Scenario:
    """Return the scenario of `source`, with `overrides` laid over it.

    Parameters
    ----------
    source
        A built-in name (`builtin_names`), the path of a YAML file, a topohub name such as ``sndlib/germany50``, a
        networkx graph, a mapping as a YAML file would hold it, or a `Scenario`.
    overrides
        Top-level keys of a scenario; a double underscore goes deeper: ``devices__count=1000``. Mappings are merged,
        everything else is replaced.

    Files named in a scenario (traces of arrivals) are read here; the scenario that is returned holds what was in them.

    Raises
    ------
    UnknownNameError
        If nothing is called that, with the nearest names.
    InputError
        With every mistake in the scenario, each with its path.
    """
    data, where, lines = _read(source)
    for key, value in overrides.items():
        data = _laid_over(data, key.split("__"), value)
    folder = Path(where).parent if lines else Path()
    data, problems = with_traces(data, folder)
    data, missing = with_positions(data, folder)
    scenario = parse_scenario(data, where, lines, [*problems, *missing])
    if not scenario.topology.inline:
        topology, _ = expand(scenario.topology)
        check_places(scenario, topology)
    return scenario


def _read(source: Any) -> tuple[Any, str, Lines]:
    if isinstance(source, Scenario):
        return source.model_dump(mode="json"), source.name, {}
    if isinstance(source, Mapping):
        return dict(source), "scenario", {}
    if is_graph(source):
        name = slug(str(source.graph.get("name", ""))) or "own-topology"
        return {"name": name, "topology": networkx_topology(source)}, "networkx graph", {}
    if isinstance(source, Path):
        return _from_file(source)
    if isinstance(source, str):
        return _named(source)
    text = f"expected a name, a YAML path, a networkx graph, a mapping or a Scenario, got {describe(source)}"
    raise InputError(text, "load")


def _named(name: str) -> tuple[Any, str, Lines]:
    if name in builtin_names():
        return builtin_scenario(name), name, {}
    path = Path(name)
    if name.endswith(SUFFIXES) or _is(path, Path.is_file):
        return _from_file(path)
    if looks_like(name):
        try:
            topohub_raw(name)
        except UnknownNameError:
            pass
        else:
            return {"name": slug(name) or "topohub", "topology": {"topohub": name}}, name, {}
    if name and _is(path, Path.is_dir):
        raise _folder(path)
    known = builtin_names() + (topohub_names() if "/" in name else [])
    hint = "a built-in name, a YAML file or a topohub name"
    raise UnknownNameError(f"Unknown scenario {name!r}: expected {hint}{suggest(name, known)}")


def _from_file(path: Path) -> tuple[Any, str, Lines]:
    if _is(path, Path.is_dir):
        raise _folder(path)
    document = read_yaml(path)
    return document.data, str(path), document.lines


def _folder(path: Path) -> InputError:
    """What to say where a folder was given: it is a run, or perhaps it holds a scenario."""
    expected = "expected a scenario (a built-in name, a YAML file or a topohub name), got a folder"
    if (path / "run.json").exists():
        told = f"of a run; `tiertwin replay {path}` runs it again, `tiertwin report {path}` makes its page"
        return InputError(f"{expected} {told}", str(path))
    held = sorted(entry.name for entry in path.iterdir() if entry.suffix in SUFFIXES)
    if not held:
        return InputError(f"{expected} without a YAML file; `tiertwin init {path}` writes one", str(path))
    named = ", ".join(str(path / name) for name in held[:5]) + (", …" if len(held) > 5 else "")
    return InputError(f"{expected}; name a file in it: {named}", str(path))


def _is(path: Path, kind: Callable[[Path], bool]) -> bool:
    try:
        return kind(path)
    except (OSError, ValueError):  # too long, or a NUL in it: nothing is called that
        return False


def _laid_over(data: Any, route: list[str], value: Any) -> Any:
    """Return `data` with `value` at `route`; shares what does not change."""
    base = dict(data) if isinstance(data, Mapping) else {}
    if route:
        base[route[0]] = _laid_over(base.get(route[0]), route[1:], value)
        return base
    if not isinstance(value, Mapping):
        return value
    for key, inner in value.items():
        base[key] = _laid_over(base.get(key), [], inner)
    return base
