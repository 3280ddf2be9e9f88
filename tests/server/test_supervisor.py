"""What the supervisor makes of a server that refuses to start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_a_rig_file_that_is_refused_is_tried_once_and_the_log_says_why(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    orders = {"rig": str(tmp_path / "gone.toml"), "data": str(tmp_path / "data"), "log": str(log)}

    done = subprocess.run(
        [sys.executable, "-m", "labrig.supervisor", json.dumps(orders)], capture_output=True, timeout=100, check=False
    )

    words = log.read_text(encoding="utf-8")
    assert done.returncode == 2, done.stderr
    assert words.count("labrig: ") == 1
    assert "gone.toml" in words
    assert "started again" not in words
