"""The command line. Each command imports what it needs when it is called, so that ``--help`` loads nothing heavy."""

from labrig.cli.app import main

__all__ = ["main"]
