"""Run the commands that stand in docs/assurance-*.md and put what they print under each: the pages' tables.

    TIERTWIN_DATA=FOLDER python docs/assurance.py [WORD]

With a word, only pages that have it in their name. Needs the data (docs/studies.md says which) and the extra `ml`.
About ten CPU minutes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from click.testing import CliRunner

from tiertwin.cli import main as tiertwin

BLOCK = re.compile(r"^```\n\$ tiertwin (study [^\n]*)\n.*?^```$", re.DOTALL | re.MULTILINE)


def printed(block: re.Match[str]) -> str:
    """Return the block with what its command prints today."""
    print(f"tiertwin {block[1]}", file=sys.stderr)
    found = CliRunner().invoke(tiertwin, block[1].split(), env={"COLUMNS": "160"})
    if found.exit_code != 0:
        raise SystemExit(f"tiertwin {block[1]} failed: {found.output}")
    return f"```\n$ tiertwin {block[1]}\n{found.stdout.rstrip()}\n```"


def main() -> None:
    """Write the pages anew."""
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    for page in sorted(Path(__file__).parent.glob("assurance-*.md")):
        if word in page.name:
            page.write_text(BLOCK.sub(printed, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
