"""The desktop: windows over a running rig, and nothing that a run depends on."""
