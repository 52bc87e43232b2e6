"""``python -m tiertwin``: the same as the command ``tiertwin``."""

from tiertwin.cli import main

main()
