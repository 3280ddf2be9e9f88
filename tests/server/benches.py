"""What the rigs of this folder are made of: a rig file, a protocol that misbehaves, a server that can be disturbed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from labrig.config import find_rig

RIG: Final = "bench-25"
HERE: Final = Path(__file__).parent
SERIAL: Final = "B999000001"
"""Of the simulated balance."""
OTHER_LINES: Final = {
    'port = "sim://balance"': f'port = "sim://balance anywhere"\nserial_number = "{SERIAL}"',
    """[instruments.pressures.channels.vessel_pressure]
input = "ai2"
label = "Vessel pressure"
unit = "psi"
signal = ["0 V", "10 V"]
""": """[instruments.gauge]
kind = "ni-analog-input"
server = "sim://ni"
device = "cDAQ1Mod5"

[instruments.gauge.channels.vessel_pressure]
input = "ai0"
label = "Vessel pressure"
unit = "psi"
signal = ["4 mA", "20 mA"]
""",
    """quantity = "vessel_pressure"
address = "cDAQ1Mod1/ai2"
""": """quantity = "vessel_pressure"
address = "cDAQ1Mod5/ai0"
output = "4-20 mA"
""",
    "[simulation]\n": """[frozen]
feed_pressure = "2 s"
water_temperature = "2 s"

[safety]
absence = "1 s"

[simulation]
""",
}
"""What the folder's rig has other than the shipped one: a guard channel on a loop, a balance with an identity, channels
that may freeze, and little patience with a desktop that is gone."""


def bench(folder: Path, changes: Mapping[str, str] = MappingProxyType({})) -> Path:
    """A rig file made of the shipped one; ``changes`` are further lines, and what takes their place."""
    text = find_rig(RIG).read_text(encoding="utf-8")
    for old, new in {**OTHER_LINES, **changes}.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / f"{RIG}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def disturbed(folder: Path) -> Mapping[str, str]:
    """Environment of a rig whose server's clock and disk a test may disturb by files in ``folder``."""
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text((HERE / "disturbed.py").read_text(encoding="utf-8"), encoding="utf-8")
    return {"LABRIG_DISTURBED": str(folder)}


def installed(folder: Path) -> Path:
    """The misbehaving protocol as a distribution of its own, and a method of it; returns the methods' folder."""
    site, methods = folder / "site", folder / "data" / "methods"
    facts = site / "labrig_misbehaving-1.dist-info"
    for made in (facts, methods):
        made.mkdir(parents=True, exist_ok=True)
    (site / "labrig_misbehaving.py").write_text((HERE / "misbehaving.py").read_text(encoding="utf-8"), encoding="utf-8")
    (site / "deed").write_text("nothing", encoding="utf-8")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: labrig-misbehaving\nVersion: 1\n", encoding="utf-8")
    entry = "[labrig.protocols]\nmisbehaving = labrig_misbehaving:Misbehaving\n"
    (facts / "entry_points.txt").write_text(entry, encoding="utf-8")
    method = 'name = "misbehaving"\nversion = "1"\nprotocol = "misbehaving"\nattended = false\nsilence = "2 s"\n'
    (methods / "misbehaving.toml").write_text(method, encoding="utf-8")
    return methods


def python_path(folder: Path) -> str:
    """With the folder's own packages first."""
    inherited = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join(part for part in (str(folder / "site"), inherited) if part)
