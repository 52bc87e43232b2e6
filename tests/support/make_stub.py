"""Writes `python/tiertwin/_core.pyi` from the compiled extension: ``python tests/support/make_stub.py``.

pybind11-stubgen reads the signatures out of the docstrings; what it cannot know is put right here. Plain `int` and
`float` stand where pybind11 would also take anything that converts (our code passes the real thing), an argument that
may be None says so, and a bare `list`, `tuple` or `dict` becomes what its docstring describes: `PRECISE` below, one
line a result. A new binding that returns a bare container needs a line there, else it is `list[Any]` and the like.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

STUB = Path(__file__).parents[2] / "python" / "tiertwin" / "_core.pyi"

HEAD = '''"""Compiled core of tiertwin: graph, state tables, sync codec, allocation kernels and the plant.

Written by tests/support/make_stub.py; do not edit.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

_Reals: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]
_Rows: TypeAlias = NDArray[np.uint32]
_Numbers: TypeAlias = NDArray[np.uint64]
_Bools: TypeAlias = NDArray[np.bool_]
_Signed: TypeAlias = NDArray[np.int32]
_Codes: TypeAlias = NDArray[np.uint8]
_Marks: TypeAlias = NDArray[np.int8]
# x[G, T], value, scale, use[J], own_load[K], own_price[K], quota_price[J], phi, gap, iterations
_Solved: TypeAlias = tuple[_Reals, float, float, _Reals, _Reals, _Reals, _Reals, float, float, int]
# epoch, basis_version, validity_ms, age_ms, echo, flags
_Lease: TypeAlias = tuple[int, int, int, int, int, int]
# attribute, type, base_time_ns, rows, dt_us or None, values
_Block: TypeAlias = tuple[int, str, int, _Rows, _Rows | None, _Reals | list[bytes]]
# attribute, type, rows or None for all, values
_SolverBlock: TypeAlias = tuple[int, str, _Rows | None, _Reals]
# attribute -> (rows, values)
_Cells: TypeAlias = dict[int, tuple[_Rows, _Reals]]
# site_ptr, id, time_ns, arrival_ns, values[n, width]
_Reports: TypeAlias = tuple[_Ints, _Ints, _Ints, _Ints, _Reals]
'''

FRAMES = "list[bytes]"

# What a function or property returns, or (with the argument in brackets) takes.
PRECISE = {
    "Cables.single_failures": "tuple[_Reals, _Reals, _Reals]",
    "FairData.solve": "tuple[_Reals, _Reals, _Reals, float, float, float, int, _Reals, _Reals]",
    "FairData.value": "tuple[float, float, _Reals, float, int, int, _Reals]",
    "Graph.k_shortest": "list[_Ints]",
    "GrowingFactor.ahead": "tuple[_Reals, _Reals]",
    "StateTable.column": "_Reals",
    "Teller.tell": "tuple[int, int, float, float]",
    "Teller.wanted": "_Reals",
    "StateTable.times": "_Ints",
    "StateTable.numbers": "_Numbers",
    "StateTable.get_bytes": "bytes | None",
    "Leaf.cut": "tuple[float, float]",
    "Leaf.solve_all": "tuple[_Reals, _Reals, _Reals, _Reals, _Reals, _Reals]",
    "Leaf.solve_price": "_Solved",
    "Leaf.solve_quota": "_Solved",
    "Leaf.value": "tuple[float, float, _Reals, _Reals, float, int, int]",
    "SnapshotStage.lease": "_Lease | None",
    "LogEnd.peers": "list[int]",
    "LogGroup.pieces": "list[tuple[int, int, int, int, int]]",
    "LogWriter.durable_peers": "list[tuple[int, int, int]]",
    "LogWriter.segments": "list[tuple[int, int, int, int]]",
    "LogRecovery.segments": "list[tuple[str, int]]",
    "LogRecovery.snapshots": "list[tuple[str, int]]",
    "LogRecovery.unacked": "list[tuple[int, bytes]]",
    "LogRecovery.waiting": "list[tuple[int, bytes]]",
    "LogRecovery.frames": "list[tuple[int, bytes]]",
    "LogRecovery.replay": "tuple[int, int, int]",
    "log_records": "tuple[list[tuple[str, int, int, int, bool, bool]], tuple[str, int]]",
    "log_header": "dict[str, Any]",
    "CellMap.bounds": "tuple[float, float, float, float]",
    "Links.coupled_loads": "dict[str, Any]",
    "Unit.cells": "_Cells",
    "Received.unit": "_Cells | None",
    "Received.units": "list[Unit]",
    "Received.events": "list[int]",
    "Received.reply": FRAMES,
    "Peer.barrier": FRAMES,
    "Peer.bye": FRAMES,
    "Peer.connect": FRAMES,
    "Peer.publish": FRAMES,
    "Peer.send_unit": FRAMES,
    "Evidence.posterior": "tuple[_Reals, _Ints, float, bool, int]",
    "PerformanceModel.predict": "dict[str, NDArray[Any]]",
    "PerformanceModel.predict(traffic)": "dict[str, Any]",
    "PerformanceModel.calibrate": "tuple[_Reals, _Reals]",
    "PerformanceModel.calibrate(traffic)": "dict[str, Any]",
    "PerformanceModel.calibrate(window)": "dict[str, Any]",
    "AccessNetwork.__init__(config)": "dict[str, Any]",
    "AccessNetwork.take_cell_reports": "_Reports",
    "AccessNetwork.take_kpis": "tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]], int]",
    "AccessNetwork.take_user_reports": "_Reports",
    "AccessNetwork.truth_cells": "dict[str, Any]",
    "AccessNetwork.truth_packets": "dict[str, _Ints]",
    "AccessNetwork.truth_users": "dict[str, Any]",
    "PacketNetwork.__init__(config)": "dict[str, Any]",
    "PacketNetwork.flows": "dict[str, NDArray[Any]]",
    "PacketNetwork.links": "dict[str, _Ints]",
    "PacketNetwork.packets": "dict[str, _Ints]",
    "Plant.__init__(config)": "dict[str, Any]",
    "Plant.enable_access(config)": "dict[str, Any]",
    "Plant.enable_sleep(config)": "dict[str, Any]",
    "Plant.enable_wear(config)": "dict[str, Any]",
    "Plant.enable_weather(config)": "dict[str, Any]",
    "Plant.take_kpis": "dict[str, Any]",
    "Plant.take_sensors": "tuple[_Reports, _Reports, _Reports, _Reports]",
    "Plant.take_telemetry": "tuple[_Reports, _Reports, _Reports]",
    "Plant.truth_cells": "dict[str, Any]",
    "Plant.truth_packets": "dict[str, _Ints]",
    "Plant.truth_users": "dict[str, Any]",
    "Plant.truth_wear": "tuple[_Reals, _Reals, _Reals]",
    "Plant.truth_weather": "tuple[_Reals, _Reals]",
    "RainField.__init__(config)": "dict[str, Any]",
    "ScoreBook.bounds": "tuple[_Reals, _Reals]",
    "ChangeWatch.push": "tuple[_Reals, _Reals]",
    "Worth.score": "dict[str, Any]",
    "score_windows": "dict[str, Any]",
    "betweenness": "tuple[_Reals, _Reals]",
    "decode_blocks": "list[_Block]",
    "decode_lease": "_Lease | None",
    "decode_solve": "tuple[int, int, int, int, list[int], list[_SolverBlock]]",
    "decode_solved": "tuple[int, int, int, int, list[_SolverBlock]]",
    "disjoint_paths": "list[_Ints]",
    "encode_delta": FRAMES,
    "encode_snapshot": FRAMES,
    "encode_solve(blocks)": "Sequence[_SolverBlock]",
    "encode_solved(blocks)": "Sequence[_SolverBlock]",
    "encode_unit": FRAMES,
    "max_flow": "tuple[float, _Reals, _Bools, _Ints]",
    "play_station": "dict[str, Any]",
    "strongest": "tuple[_Signed, _Reals]",
    "session_rows": "list[tuple[int, int, int, int, int]]",
    "waterfill": "tuple[_Reals, int]",
    "wear_history": "tuple[_Ints, _Ints, _Ints, _Reals]",
    "wear_history(config)": "dict[str, Any]",
    "recover_log(segments)": "Sequence[Buffer]",
    "recover_log(snapshots)": "Sequence[Buffer]",
    "Peer.resume_out(frames)": "Sequence[Buffer]",
    "LogRecovery.unacked(segments)": "Sequence[Buffer]",
    "LogRecovery.waiting(segments)": "Sequence[Buffer]",
    "LogRecovery.frames(segments)": "Sequence[Buffer]",
    "LogRecovery.replay(segments)": "Sequence[Buffer]",
    "LogRecovery.replay(snapshot)": "Buffer | None",
    "log_records(segment)": "Buffer",
    "log_header(file)": "Buffer",
    "LOG_FAULTS": "dict[str, int]",
    "PEER_EVENTS": "dict[str, int]",
    "REASONS": "dict[str, int]",
    "SESSION_EFFECTS": "dict[str, int]",
    "SESSION_INPUTS": "dict[str, int]",
    "SESSION_STATES": "dict[str, int]",
}

# Set on each error as it is raised, so no class carries them.
ATTRIBUTES = {"CoreRefusedError": ("reason: int", "at: int")}

ARRAYS = {
    "float64": "_Reals",
    "int64": "_Ints",
    "uint32": "_Rows",
    "uint64": "_Numbers",
    "bool": "_Bools",
    "int32": "_Signed",
    "uint8": "_Codes",
    "int8": "_Marks",
}
BARE = {"list": "list[Any]", "dict": "dict[str, Any]", "tuple": "tuple[Any, ...]"}

# Applied in turn to what stubgen wrote.
REWRITES: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    (r"typing\.Supports(Int|Float)( \| typing\.SupportsIndex)?", lambda m: m[1].lower()),
    (r"numpy\.typing\.NDArray\[numpy\.(\w+)\]", lambda m: ARRAYS[m[1]]),
    (r"typing\.Annotated\[(.*?), 'FixedSize\(\d+\)'\]", lambda m: m[1]),
    (r"\b(list|dict|tuple)\b(?!\[)", lambda m: BARE[m[1]]),
    (r"\b(typing|collections\.abc)\.", lambda m: ""),
    (r"\bCallable\b(?!\[)", lambda m: "Callable[[], bool]"),
]


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _plain(annotation: ast.expr, where: str) -> ast.expr:
    if where in PRECISE:
        return _expression(PRECISE[where])
    text = ast.unparse(annotation)
    for pattern, plain in REWRITES:
        text = re.sub(pattern, plain, text)
    return _expression(text)


def _argument(argument: ast.arg, default: ast.expr | None, where: str) -> None:
    if argument.annotation is None:  # self
        return
    if argument.arg in {"frame", "data"} and ast.unparse(argument.annotation) == "typing.Any":
        argument.annotation = ast.Name("Buffer")
    annotation = _plain(argument.annotation, f"{where}({argument.arg})")
    if default is not None and ast.unparse(default) == "None" and "None" not in ast.unparse(annotation):
        annotation = ast.BinOp(annotation, ast.BitOr(), ast.Constant(None))
    argument.annotation = annotation


def _function(node: ast.FunctionDef, where: str) -> None:
    positional, named = node.args.args, node.args.kwonlyargs
    if any(ast.unparse(d).endswith(".setter") for d in node.decorator_list):
        positional[1].arg = "value"
    defaults = [None] * (len(positional) - len(node.args.defaults)) + node.args.defaults
    for argument, default in [*zip(positional, defaults, strict=True), *zip(named, node.args.kw_defaults, strict=True)]:
        _argument(argument, default, where)
    if node.returns is not None:
        node.returns = _plain(node.returns, where)
    node.decorator_list = [
        ast.Name("overload") if ast.unparse(d) == "typing.overload" else d for d in node.decorator_list
    ]
    node.body = _body(node) or [ast.Expr(ast.Constant(...))]


def _body(node: ast.FunctionDef | ast.ClassDef) -> list[ast.stmt]:
    """The docstring, if there is one, on one line where it fits."""
    text = ast.get_docstring(node)
    return [] if text is None else [ast.Expr(ast.Constant(textwrap.fill(" ".join(text.split()), 106)))]


def _class(node: ast.ClassDef) -> None:
    members = [m for m in node.body if isinstance(m, ast.FunctionDef)]
    for member in members:
        _function(member, f"{node.name}.{member.name}")
    fields = [m for m in node.body if isinstance(m, ast.AnnAssign)]
    for field in fields:
        field.annotation = _plain(field.annotation, f"{node.name}.{ast.unparse(field.target)}")
    extra = [ast.parse(line).body[0] for line in ATTRIBUTES.get(node.name, ())]
    node.body = [*_body(node), *extra, *fields, *members] or [ast.Expr(ast.Constant(...))]


def _statement(node: ast.stmt) -> ast.stmt | None:
    if isinstance(node, ast.ClassDef):
        _class(node)
        return node
    if isinstance(node, ast.FunctionDef):
        _function(node, node.name)
        return node
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id != "__all__":
        return ast.AnnAssign(node.target, _plain(node.annotation, node.target.id), None, 1)
    return None  # imports, the docstring and __all__: ours stand in HEAD


def polish(text: str) -> str:
    """The stub as it is committed (before formatting) from what pybind11-stubgen printed."""
    kept = [done for node in ast.parse(text).body if (done := _statement(node)) is not None]
    body = ast.unparse(ast.fix_missing_locations(ast.Module(kept, [])))
    return f"{HEAD}\n{body}\n"


def generate() -> str:
    """Run pybind11-stubgen on the extension that is importable here and polish what it says."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", "tiertwin._core", "-o", folder]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        done = subprocess.run(command, capture_output=True, text=True, env=env)
        if done.returncode != 0:
            raise RuntimeError(f"pybind11-stubgen failed:\n{done.stderr}")
        return polish((Path(folder) / "tiertwin" / "_core.pyi").read_text(encoding="utf-8"))


def main() -> None:
    sys.path.insert(0, str(STUB.parents[1]))
    STUB.write_text(generate(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", str(STUB)], check=True)


if __name__ == "__main__":
    main()
