"""The way to the metrics endpoint, which needs the extra ``metrics``; without it, an error that names it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tiertwin.runtime.exposition import MetricsServer

PACKAGE = "prometheus_client"


def open_metrics(port: int | None) -> AbstractContextManager[MetricsServer | None]:
    """Listen on a port of loopback; with None, a context without a server.

    Raises
    ------
    InputError
        The extra is not installed, or the port is taken.
    """
    if port is None:
        return nullcontext()
    try:
        from tiertwin.runtime.exposition import MetricsServer  # noqa: PLC0415  the extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != PACKAGE:
            raise
        raise InputError(
            "--metrics: needs the package prometheus-client, which is not installed: pip install 'tiertwin[metrics]'"
        ) from None
    return MetricsServer(port)
