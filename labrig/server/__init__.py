"""The rig server: the one process that owns the devices. It loads no Qt, no analysis, no protocol code."""
