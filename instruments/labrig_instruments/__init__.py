"""Drivers of labrig, one file a device, and the simulated rig they are proven against."""
