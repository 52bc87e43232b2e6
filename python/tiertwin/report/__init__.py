"""What people read of a run: the KPI table on the terminal and the self-contained HTML page."""
