"""``python -m labrig.cli``."""

from labrig.cli.app import main

main()
