"""Build the manual as HTML.

    python docs/build.py FOLDER

Opens without a network and without a server: FOLDER/index.html. A warning of Sphinx is an error.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRST = "docs/index.html"
SENT_ON = (
    f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={FIRST}"><title>labrig</title>'
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the pages go")
    folder: Path = parser.parse_args().folder.resolve()
    with tempfile.TemporaryDirectory() as kept:
        options = ("-q", "-W", "--keep-going", "-n", "-E", "-b", "html", "-c", str(ROOT / "docs"), "-d", kept)
        command = (sys.executable, "-m", "sphinx", *options, str(ROOT), str(folder))
        if code := subprocess.run(command, check=False).returncode:
            return code
    (folder / "index.html").write_text(SENT_ON, encoding="utf-8")
    print(f"The manual: {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
