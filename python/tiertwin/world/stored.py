"""A resolved world as one file, for processes that run twins and never see a scenario: NumPy arrays and JSON.

The file has arrays without pickles one after the other, as `numpy.load` reads them from an open file. The first is JSON
text: what is no array, and the names of those that follow, one a field, tuples of arrays as one array and its offsets.
Users and cells come last, so that those who do not want them do not read them.
An ``.npz`` would say the same, but every process would keep `zipfile` and what it brings (0.6 MB) for this one file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.format import read_array, write_array

from tiertwin.errors import InputError
from tiertwin.world.world import Objective, TwinSpec, World

if TYPE_CHECKING:
    from tiertwin.world.access import Access

_LISTS = {"route_site_links": np.int64, "route_fog_links": np.int64, "trace_s": np.float64}
_TEXTS = ("node_names", "node_slugs", "link_owner", "class_names")
_SCALARS = ("name", "source", "cloud_node", "cloud_cores", "core_ghz", "lan_mbps", "grouped")
_FORMAT = 3


def store_world(world: World, path: Path) -> None:
    """Write everything but the scenario to `path`."""
    plain: dict[str, Any] = {name: getattr(world, name) for name in _SCALARS}
    plain |= {name: list(getattr(world, name)) for name in _TEXTS}
    plain["twins"] = [asdict(twin) for twin in world.twins]
    plain["objective"] = asdict(world.objective)
    arrays: dict[str, Any] = {}
    for field in fields(world):
        value = getattr(world, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
    for name, kind in _LISTS.items():
        parts = getattr(world, name)
        arrays[name] = np.concatenate([np.empty(0, dtype=kind), *parts])
        arrays[f"{name}.ptr"] = np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)
    more, people = _access(world.access)
    plain |= {"access": more, "access_arrays": list(people)}
    text = json.dumps({"format": _FORMAT, "arrays": list(arrays), **plain}, allow_nan=False, default=_number)
    with path.open("wb") as file:
        for array in (np.frombuffer(text.encode(), dtype=np.uint8), *arrays.values(), *people.values()):
            write_array(file, array, allow_pickle=False)


def _number(value: Any) -> Any:
    return value.item()


def _access(access: Access | None) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return what of an access is no array, and its arrays; those of cells have a name with a dot."""
    if access is None:
        return None, {}
    plain = {
        "map_m": list(access.map_m),
        "zones": [asdict(zone) for zone in access.zones],
        "downlink": [asdict(row) for row in access.downlink],
        "led": [asdict(row) for row in access.led],
    }
    named = {field.name: getattr(access, field.name) for field in fields(access)}
    arrays = {name: value for name, value in named.items() if isinstance(value, np.ndarray)}
    return plain, arrays | {f"cells.{name}": value for name, value in access.cells.items()}


def _access_of(plain: dict[str, Any], arrays: dict[str, Any]) -> Access:
    from tiertwin.world.access import Access, AccessFlow, AccessZone, Led  # noqa: PLC0415  twins' processes go without

    cells = {name.removeprefix("cells."): arrays.pop(name) for name in list(arrays) if name.startswith("cells.")}
    zones = tuple(AccessZone(**{**row, "track": tuple(tuple(p) for p in row["track"])}) for row in plain["zones"])
    west, south, east, north = plain["map_m"]
    downlink = tuple(AccessFlow(**row) for row in plain["downlink"])
    led = tuple(Led(**{**row, "columns": tuple(row["columns"])}) for row in plain["led"])
    return Access(cells=cells, map_m=(west, south, east, north), zones=zones, downlink=downlink, led=led, **arrays)


def stored_world(path: Path, *, access: bool = False) -> World:
    """Read a world that :func:`store_world` wrote, with its users and cells (`access`) or without.

    Raises
    ------
    InputError
        No such file, or not one of ours.
    """
    try:
        with path.open("rb") as file:
            plain = json.loads(read_array(file, allow_pickle=False).tobytes())
            if plain.pop("format") != _FORMAT:
                raise InputError(f"expected a world of format {_FORMAT}", str(path))
            arrays: dict[str, Any] = {name: read_array(file, allow_pickle=False) for name in plain.pop("arrays")}
            rest_of, people = plain.pop("access"), plain.pop("access_arrays")
            if access and rest_of is not None:
                found = _access_of(rest_of, {name: read_array(file, allow_pickle=False) for name in people})
                plain["access"] = found
        for name in _LISTS:
            ptr = arrays.pop(f"{name}.ptr")
            arrays[name] = tuple(np.split(arrays[name], ptr[1:-1])) if len(ptr) > 1 else ()
    except (OSError, EOFError, AttributeError, KeyError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"expected a stored world, got something else ({error})", str(path)) from error
    rest: dict[str, Any] = {name: tuple(plain.pop(name)) for name in _TEXTS}
    rest["twins"] = tuple(TwinSpec(**twin) for twin in plain.pop("twins"))
    rest["objective"] = Objective(**plain.pop("objective"))
    return World(scenario=None, **rest, **plain, **arrays)
