"""How a tree is dealt out to processes and hosts: the `deployment` section of a scenario."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from tiertwin.model.fields import INTEGRAL, NodeName, Part

Many = Annotated[int, Field(ge=1, le=100_000), INTEGRAL]


def _address(value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        raise ValueError(f"expected an IP address such as 10.0.0.5, got {value!r}") from None
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"expected the address of one host, got {value!r}; others must be able to connect to it")
    return value


HostAddress = Annotated[str, AfterValidator(_address)]


class Processes(Part):
    """How many processes each tier gets, at most one a node: 100000 means one a node. The plant has one."""

    device: Many = 2
    """Of device gateways."""
    edge: Many = 3
    """Of edges."""
    fog: Many = 3
    """Of fogs."""
    cloud: Many = 1
    """Of the cloud."""

    def counts(self) -> dict[str, int]:
        """Return the counts by tier."""
        return {"device": self.device, "edge": self.edge, "fog": self.fog, "cloud": self.cloud}


class Deployment(Part):
    """A tree of processes. Without this section a run is one process."""

    processes: Processes = Processes()
    solvers: Annotated[int, Field(ge=1, le=16), INTEGRAL] = 2
    """Workers of the solver pool: one, and warm spares."""
    hosts: Annotated[dict[NodeName, HostAddress], Field(max_length=100_000)] = {}  # noqa: RUF012  pydantic copies it
    """Address by tier (`edge`) or by process (`edges-2`, `plant`, `pool`); a process wins over its tier. Others listen
    on 127.0.0.1. `tiertwin run` starts every process itself, so each must be an address of its own host."""
    first_port: Annotated[int, Field(ge=1024, le=65_000), INTEGRAL] | None = None
    """The solver pool listens here, node k of the roster k + 1 above; without it the system chooses. Only under the
    real clock."""
    durable: bool = False
    """Twins keep logs beside their state: what they acknowledge survives kill -9 and power loss. Only under the real
    clock."""
