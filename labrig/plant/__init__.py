"""The simulated rig's physics without faces: what truly happens in the vessel, the lines, the cell and the beaker."""

from labrig.plant.disturbance import Disturbance
from labrig.plant.forecast import Forecast, forecast
from labrig.plant.membrane import Membrane, load_membrane, shipped_membranes
from labrig.plant.plant import AddressKind, Plant
from labrig.plant.spec import PlantSpec
from labrig.plant.weighing import Weighing

__all__ = [
    "AddressKind",
    "Disturbance",
    "Forecast",
    "Membrane",
    "Plant",
    "PlantSpec",
    "Weighing",
    "forecast",
    "load_membrane",
    "shipped_membranes",
]
