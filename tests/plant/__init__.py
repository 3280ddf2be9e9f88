"""The simulated rig's physics, judged from outside."""
