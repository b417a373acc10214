"""Asks an advisory source about every locked dependency: ``python -m tests.support.advisories``; part of `make check`.

Fails for a known vulnerability. Where no source can be reached (a closed network), it says so loudly and succeeds,
unless REQUIRE_AUDIT=1.
"""

import json
import os
import subprocess
import sys

COMMAND = [
    "pip-audit",
    "--disable-pip",
    "--require-hashes",
    "--format=json",
    "--progress-spinner=off",
    "--timeout=5",
]


def judge(report: str) -> tuple[bool | None, str]:
    """Whether all is well (None: not known), and what to print, from pip-audit's JSON; empty if it gave none."""
    audited = json.loads(report)["dependencies"] if report.strip() else []
    known = [
        f"{package['name']} {package['version']}: {flaw['id']}, "
        f"fixed in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in audited
        for flaw in package.get("vulns", [])
    ]
    skipped = [package["name"] for package in audited if "skip_reason" in package]
    if known:
        return False, "\n".join(["Known vulnerabilities:", *known])
    if not audited or skipped:
        which = f"{len(skipped)} of {len(audited)} dependencies" if audited else "all dependencies"
        return (
            None,
            f"NOT AUDITED: no advisory source answered for {which}. Run `make audit` where one can be reached.",
        )
    return True, f"No known vulnerability in {len(audited)} dependencies."


def main() -> int:
    """Audit what is locked for production and development."""
    program = os.path.join(os.path.dirname(sys.executable), COMMAND[0])
    run = subprocess.run(
        [program, *COMMAND[1:], "--requirement=requirements-dev.txt"],
        capture_output=True,
        text=True,
    )
    well, message = judge(run.stdout)
    print(message)
    return well is False or (well is None and os.environ.get("REQUIRE_AUDIT") == "1")


if __name__ == "__main__":
    sys.exit(main())
