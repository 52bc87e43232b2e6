"""ns-3 as independent truth: `packets.cc` built against the user's ns-3, fed with links, paths and arrivals.

Finds the PyPI package ``ns3`` (extra ``fidelity``) without importing it, or in the folder that TIERTWIN_NS3 names.
Nothing of ns-3 is part of tiertwin: our source is compiled on the user's machine, for studies and tests alone.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin.errors import MissingExtraError
from tiertwin.runtime.limited import run_program

SOURCE = Path(__file__).parent / "packets.cc"
BUILD_S, RUN_S = 300.0, 3600.0  # timeouts `program`: of the compiler, of a run
LIBRARIES = ("core", "network", "internet", "point-to-point", "traffic-control", "stats")


def package() -> Path | None:
    """Return the folder of the ns3 package, or None."""
    named = os.environ.get("TIERTWIN_NS3")
    if named:
        return Path(named)
    spec = importlib.util.find_spec("ns3")
    places = [Path(place) for place in (spec.submodule_search_locations or [] if spec else [])]
    return next((place for place in places if _whole(place)), None)  # `ns3` beside this file is a folder of ours


def _whole(place: Path) -> bool:
    return (place / "include" / "ns3").is_dir() and (place / "lib64").is_dir()


def missing() -> str | None:
    """Say what is missing to build the program, or None."""
    if shutil.which("g++") is None:
        return "g++ is not here"
    found = package()
    if found is None:
        return 'ns-3 is not here: pip install "tiertwin[fidelity]", or name the package\'s folder in TIERTWIN_NS3'
    if not _whole(found):
        return f"no include/ns3 and lib64 in {found} (TIERTWIN_NS3 names the folder of the Python package ns3)"
    return None


@dataclass(frozen=True)
class Result:
    """What ns-3 did: delay of each packet, ns, -1 where it was lost; CPU seconds of its run; transmissions begun."""

    delay_ns: NDArray[np.int64]
    cpu_s: float
    packet_hops: int


class Ns3:
    """The built program, in a folder of the caller's.

    Raises
    ------
    MissingExtraError
        ns-3 or a compiler is not here.
    ProcessError
        It cannot be built; from a run: it failed.
    """

    def __init__(self, folder: Path) -> None:
        found, lacking = package(), missing()
        if found is None or lacking is not None:
            raise MissingExtraError(str(lacking))
        self.folder, self.program = folder, folder / "packets"
        libraries = found / "lib64"
        (version,) = {name.name.split("-")[0] for name in libraries.glob("libns3.*-core.so")}
        command = ["g++", "-std=c++20", "-O2", "-w", f"-I{found / 'include'}", str(SOURCE), "-o", str(self.program)]
        command += [f"-L{libraries}", f"-Wl,-rpath,{libraries}"]
        command += [f"-l{version.removeprefix('lib')}-{name}" for name in LIBRARIES]
        run_program(command, BUILD_S)

    def play(self, config: Mapping[str, Any], packets: Mapping[str, NDArray[np.int64]]) -> Result:
        """Play `packets` (born_ns, flow, bytes) through the links and paths of `config`."""
        self._write_scenario(config)
        np.column_stack([packets["born_ns"], packets["flow"], packets["bytes"]]).tofile(self.folder / "arrivals")
        return self._run()

    def draw(
        self, config: Mapping[str, Any], seed: int, mean_bytes: int, stop_ns: int
    ) -> tuple[dict[str, NDArray[np.int64]], Result]:
        """Play Poisson flows with exponential sizes that ns-3 draws itself, all at the rate of the first one.

        Returns its packets besides.
        """
        self._write_scenario(config)
        done = self._run(str(seed), repr(float(config["flow_pps"][0])), str(mean_bytes), str(stop_ns))
        columns = np.fromfile(self.folder / "arrivals", dtype=np.int64).reshape(-1, 3).T
        return dict(zip(("born_ns", "flow", "bytes"), columns, strict=True)), done

    def _run(self, *law: str) -> Result:
        files = [str(self.folder / name) for name in ("scenario", "arrivals", "delays")]
        cpu_s, hops = run_program([str(self.program), *files, *law], RUN_S).split()
        return Result(np.fromfile(files[2], dtype=np.int64), float(cpu_s), int(hops))

    def _write_scenario(self, config: Mapping[str, Any]) -> None:
        ptr, links = config["path_ptr"].tolist(), config["path_links"].tolist()
        nodes = 1 + max(config["link_tail"].max(), config["link_head"].max())
        rows = [f"{nodes} {len(config['link_rate_bps'])} {len(ptr) - 1}"]
        fields = ("link_tail", "link_head", "link_rate_bps", "link_delay_ns", "link_buffer")
        rows += [" ".join(map(str, row)) for row in zip(*(config[name].tolist() for name in fields), strict=True)]
        rows += [" ".join(map(str, [b - a, *links[a:b]])) for a, b in pairwise(ptr)]
        (self.folder / "scenario").write_text("\n".join(rows) + "\n")
