"""Protocols of labrig: what is done to a membrane, and what its data say."""
