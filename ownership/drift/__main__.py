"""``python -m ownership.drift``; see docs/drift.md."""

import sys

from ownership.drift.command import main

sys.exit(main())
