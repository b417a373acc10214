"""Runs a command against a throw-away PostgreSQL of this machine: ``python -m tests.with_postgres COMMAND…``.

With DATABASE_URL set to a PostgreSQL already, that one is used. Where the machine has no server, it says so
and succeeds, unless REQUIRE_POSTGRES=1 (as in CI). The server listens on a Unix socket alone.
"""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote


def server_binaries() -> Path | None:
    """The newest installed server's directory of programs, or None."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name), reverse=True
    )
    return found[0].parent if found else None


def main(command: list[str]) -> int:
    """Run the command with DATABASE_URL set; its exit status."""
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return subprocess.run(command).returncode
    binaries = server_binaries()
    if binaries is None:
        print("SKIPPED on PostgreSQL: this machine has no server (Debian: apt-get install postgresql).")
        return 1 if os.environ.get("REQUIRE_POSTGRES") == "1" else 0
    # The server refuses to run as root; the account that Debian's package makes will do.
    account = pwd.getpwnam("postgres") if os.getuid() == 0 else None
    as_account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or the server would outlive us
    with tempfile.TemporaryDirectory(prefix="registry-pg-") as folder:
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = f"{folder}/data"

        def server(*arguments: str) -> None:
            subprocess.run([*arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL, **as_account)

        server(f"{binaries}/initdb", "-D", data, "-U", "registry", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        server(f"{binaries}/pg_ctl", "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            url = f"postgresql://registry@{quote(folder, safe='')}/postgres"
            return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}).returncode
        finally:
            server(f"{binaries}/pg_ctl", "-D", data, "-m", "immediate", "stop")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
