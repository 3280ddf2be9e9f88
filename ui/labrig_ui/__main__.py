"""``python -m labrig_ui`` opens the desktop."""

import sys

from labrig_ui.app import main

if __name__ == "__main__":
    sys.exit(main())
