"""``python -m ownership.drift``; see docs/drift.md."""

import sys

try:
    from ownership.drift.command import main
except ModuleNotFoundError as error:
    sys.stderr.write(
        f"drift: the module {error.name} is missing; drift needs PyYAML: pip install PyYAML\n"
    )
    sys.exit(2)  # 1 would mean drift

sys.exit(main())
