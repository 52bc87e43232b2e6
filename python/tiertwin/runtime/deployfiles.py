"""Files by which a host runs a deployment without a launcher: systemd units, or a compose file with its image.

One unit, or one service, a process of the deployment. What both say:

    ready, alive      by `runtime.vitals`: to systemd by datagram, to a container's engine at /readyz
    restarts          for ever, at growing intervals; a process that is lost costs its nodes' decisions nothing (P5)
    the end           SIGTERM, and 5 s: a process ends in 2 (P15)
    rights            no new privileges, nothing writable but the state folder, no core dumps; one file of keys a node
    memory            a ceiling that no process of a tree of some hundred nodes comes near (R41)

Text in, text out: nothing is written or started here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tiertwin import __version__
from tiertwin.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiertwin.runtime.deployment import Deployment

KINDS = ("systemd", "compose")
MEMORY_MB = 512
OPEN_FILES = 4096
STALL_S = 10  # a loop that did not come round for so long is ended; it should within 2
GRACE_S = 5
FIRST_HEALTH_PORT = 9464
LISTED = 8  # nodes in a description
TARGET = "tiertwin.target"
BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@")


def deploy_files(kind: str, deployment: Deployment, path: Path, program: str) -> dict[str, str]:
    """Return the files that run a deployment, by name.

    Parameters
    ----------
    kind
        Of `KINDS`.
    deployment, path
        What was read, and where from (absolute).
    program
        The command `tiertwin` (absolute), for systemd.

    Raises
    ------
    InputError
        A path with characters that units and compose files would have to be told about.
    """
    for name in (str(path), program):
        if set(name) - BARE:
            odd = sorted(set(name) - BARE)
            raise InputError(f"--deploy: expected a path of letters, digits and /._-+@, got {odd} in {name!r}; move it")
    processes: dict[str, list[str]] = {}
    for place in deployment.nodes:
        processes.setdefault(place.process, []).append(place.name)
    if kind == "compose":
        return _compose(deployment, path, processes)
    return {
        TARGET: _TARGET.format(units=" ".join(_unit(process) for process in processes)),
        **{_unit(process): _service(deployment, path, program, process, nodes) for process, nodes in processes.items()},
    }


def _unit(process: str) -> str:
    return f"tiertwin-{process}.service"


def _listed(nodes: list[str]) -> str:
    return ", ".join(nodes[:LISTED]) + (f" and {len(nodes) - LISTED} more" if len(nodes) > LISTED else "")


_TARGET = """\
# The tree of twins on this host. Written by `tiertwin init --deploy`.
#   sudo cp tiertwin* /etc/systemd/system/
#   sudo systemctl daemon-reload && sudo systemctl enable --now tiertwin.target
[Unit]
Description=tiertwin, all processes of this host
Wants={units}

[Install]
WantedBy=multi-user.target
"""

_SERVICE = """\
# Written by `tiertwin init --deploy`. User= has to own the keys (mode 0600) and the state folder.
# RestartSteps= and RestartMaxDelaySec= are of systemd 254; older ones pass them over and restart after RestartSec=.
[Unit]
Description=tiertwin {process}: {nodes}
PartOf={target}
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} node --process {process} --deployment {path}
User=tiertwin
Restart=always
RestartSec=100ms
RestartSteps=6
RestartMaxDelaySec=5
TimeoutStartSec=120
WatchdogSec={stall}
TimeoutStopSec={grace}
MemoryMax={memory}M
LimitNOFILE={files}
LimitCORE=0
UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
ReadWritePaths={state}

[Install]
WantedBy={target}
"""


def _service(deployment: Deployment, path: Path, program: str, process: str, nodes: list[str]) -> str:
    return _SERVICE.format(
        process=process,
        nodes=_listed(nodes),
        target=TARGET,
        program=program,
        path=path,
        stall=STALL_S,
        grace=GRACE_S,
        memory=MEMORY_MB,
        files=OPEN_FILES,
        state=path.parent / deployment.state,
    )


_DOCKERFILE = """\
# Written by `tiertwin init --deploy`. One image for all processes; nothing of the deployment is in it.
FROM python:3.12-slim
ARG TIERTWIN=tiertwin=={version}
COPY *.whl /wheels/
RUN pip install --no-cache-dir --find-links /wheels "$TIERTWIN" && rm -r /wheels
ENTRYPOINT ["tiertwin"]
"""

_COMPOSE_HEAD = """\
# Written by `tiertwin init --deploy`. Processes listen at the addresses in deployment.json, so they share the host's
# network. Put a wheel of tiertwin {version} beside the Dockerfile, then:
#   TIERTWIN_USER=$(id -u):$(id -g) docker compose up --build --detach
# TIERTWIN_USER has to own the keys (mode 0600) and the state folder.
name: tiertwin
services:
"""

_COMPOSE_SERVICE = """\
  {process}:  # {nodes}
    build: .
    image: tiertwin:{version}
    command: [node, --process, {process}, --deployment, {path}, --health, "{port}"]
    user: "${{TIERTWIN_USER:?owner of keys and state, as in 1000:1000}}"
    network_mode: host
    restart: always
    stop_grace_period: {grace}s
    mem_limit: {memory}m
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    tmpfs: [/tmp]
    ulimits: {{nofile: {files}, core: 0}}
    volumes:
      - {path}:{path}:ro
      - {world}:{world}:ro
      - {keys}/access.json:{keys}/access.json:ro
{key_files}
      - {state}:{state}
    healthcheck:
      test: [CMD, python, -c, "import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/healthz', timeout=2)"]
      interval: 5s
      timeout: 3s
      start_period: 60s
      retries: 3
"""


def _compose(deployment: Deployment, path: Path, processes: Mapping[str, list[str]]) -> dict[str, str]:
    folder = path.parent
    keys = folder / deployment.keys
    services = [
        _COMPOSE_SERVICE.format(
            process=process,
            nodes=_listed(nodes),
            version=__version__,
            path=path,
            port=FIRST_HEALTH_PORT + k,
            grace=GRACE_S,
            memory=MEMORY_MB,
            files=OPEN_FILES,
            world=folder / deployment.world,
            keys=keys,
            key_files="\n".join(f"      - {keys}/{name}.key.json:{keys}/{name}.key.json:ro" for name in nodes),
            state=folder / deployment.state,
        )
        for k, (process, nodes) in enumerate(processes.items())
    ]
    return {
        "compose.yaml": _COMPOSE_HEAD.format(version=__version__) + "".join(services),
        "Dockerfile": _DOCKERFILE.format(version=__version__),
    }
