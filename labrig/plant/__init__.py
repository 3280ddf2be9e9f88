"""The simulated rig's physics without faces: what truly happens in the vessel, the lines, the cell and the beaker."""
