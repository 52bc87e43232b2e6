"""A made-up town in the columns of the 5G drives of Cork."""

from __future__ import annotations

HEAD = (
    "app,mob,trace,Timestamp,Longitude,Latitude,Speed,CellID,NetworkMode,RSRP,RSRQ,SNR,CQI,DL_bitrate,UL_bitrate,"
    "RAWCELLID,NRxRSRP"
)
STAY = 20  # s in a cell


def stamp(second: int) -> str:
    return f"12.{second // 60:02d}.{second % 60:02d}"


def town(drives: int, *, last_cell: int = 0) -> str:
    """Cars on one street, a cell each 200 m: the same sequence in every drive, backwards in every other one."""
    rows = [HEAD]
    for d in range(drives):
        for t in range(6 * STAY):
            along = t if d % 2 == 0 else 6 * STAY - 1 - t
            cell, inside = divmod(along, STAY)
            inside = inside if d % 2 == 0 else STAY - 1 - inside
            level, other = -80 - inside, "-" if inside < 2 else -100 + inside
            name = 9999 if last_cell and d == drives - 1 and t > 60 else 100 + cell
            rows.append(
                f"Download,Driving,B_2020.01.{d + 1:02d}_12.00.00,2020.01.{d + 1:02d}_{stamp(t)},"
                f"{-8.4 + along * 1.5e-4:.6f},51.9,36,{cell},LTE,{level},-10,{10 - inside},9,0,0,{name},{other}"
            )
    return "\n".join(rows) + "\n"
