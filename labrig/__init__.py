"""labrig drives a membrane laboratory's test rig, records every sample and computes results with their uncertainty."""
