"""Membranes as the plant knows them, and the files they come from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from labrig.errors import ConfigError
from labrig.outside import read_toml, validate
from labrig.plant.transmitters import Spec
from labrig.quantities import Compressibility, Duration, Length, Permeance, PoreSize, Ratio
from labrig.units import cm_per_min_per_psi, minute, nm

Family = Literal["anisotropic", "symmetric", "foam", "stretched film", "none"]
"""``none``: the cell is empty, as in a blank run."""
Wetting = Literal["water", "alcohol"]
"""``water``: soaking in water suffices. ``alcohol``: water-repellent, needs an alcohol first and a flush after."""


class Membrane(Spec):
    """The truth about one membrane, as its TOML file states it."""

    name: str
    source: str
    """Where the figures come from, such as ``Example V``."""
    family: Family
    permeance: Annotated[Permeance, Field(gt=0)]
    """Of water at 25 °C, as ΔP goes to zero, before any creep: p₀."""
    thickness: Annotated[Length, Field(gt=0)]
    mean_pore: Annotated[PoreSize, Field(gt=0)] | None = None
    """Mean pore diameter; absent where the source gives none."""
    compaction: Annotated[Compressibility, Field(ge=0)] = 0.0
    """c in p(ΔP) = p₀·(1 - c·ΔP): what the pressure takes and gives back at once."""
    creep: Annotated[Ratio, Field(ge=0, lt=1)] = 0.0
    """Part of the permeance that time under pressure takes for good."""
    creep_time: Annotated[Duration, Field(gt=0)] = 4 * minute
    """Time constant of the creep."""
    wetting: Wetting = "water"
    notes: str = ""


_FOLDER: Final = "membranes"
NO_MEMBRANE: Final = "none"
"""The name under which `load_membrane` gives an empty cell."""


def shipped_membranes() -> tuple[str, ...]:
    """Names that `load_membrane` knows without a path, sorted."""
    folder = resources.files("labrig.plant") / _FOLDER
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def load_membrane(name_or_path: str | Path) -> Membrane:
    """A shipped membrane by name (``example-v``), or any membrane file by path (anything that ends in ``.toml``).

    ``none`` is the empty cell of a blank run. Raises `ConfigError` for an unknown name and for a file that is missing
    or does not fit.
    """
    text = str(name_or_path)
    if text == NO_MEMBRANE:
        nothing = 1e9 * cm_per_min_per_psi  # a thousandth of a pascal at a litre a minute
        return Membrane(name="No membrane", source="blank run", family="none", permeance=nothing, thickness=1 * nm)
    if text.endswith(".toml"):
        return _read(Path(text))
    if text not in shipped_membranes():
        raise ConfigError(text, "", f"a .toml file or one of {', '.join(shipped_membranes())}", text)
    with resources.as_file(resources.files("labrig.plant") / _FOLDER / f"{text}.toml") as path:
        return _read(path)


def _read(path: Path) -> Membrane:
    document, _ = read_toml(path)
    return validate(Membrane, document, path)
