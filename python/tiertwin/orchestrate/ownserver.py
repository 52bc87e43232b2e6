"""Whether the server that a twin plans for works, as telemetry tells it: nothing is planned for one that is down.

The server of a site is in its gateway's table, that of a fog or the cloud in the table of the child at whose node it
stands. It works until it is told to be down, and stays as told while nothing is heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin import _core
    from tiertwin.twin.layout import Layout


class OwnServer:
    """The state of one server. One owner.

    Parameters
    ----------
    server
        Its number: 0 … S−1 sites, S … S+F−1 fogs, S+F cloud.
    layouts
        Of the children's tables.
    """

    def __init__(self, server: int, layouts: Sequence[Layout]) -> None:
        places = ((child, np.flatnonzero(layout.servers == server)) for child, layout in enumerate(layouts))
        told = [(child, int(layouts[child].server_rows[at[0]])) for child, at in places if len(at)]
        self._place = told[0] if told else None
        self.number, self.up = server, True

    def observe(self, tables: Sequence[_core.StateTable | None]) -> None:
        """Read the children's tables; NaN, a table not there or one that does not tell it is no news."""
        if self._place is None:
            return
        child, row = self._place
        table = tables[child]
        if table is None or int(A.UP) not in table.attributes:
            return
        told = float(table.column(A.UP)[row])
        if told == told:
            self.up = told >= 0.5
