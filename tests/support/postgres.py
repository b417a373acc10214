"""Runs a command against a throw-away PostgreSQL of this machine: ``python -m tests.support.postgres COMMAND…``.

With DATABASE_URL set to a PostgreSQL already, that one is used. Where the machine has no server, it says so
and succeeds, unless REQUIRE_POSTGRES=1 (as in CI). The server listens on a Unix socket alone.
"""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote


def server_binaries() -> Path | None:
    """The newest installed server's directory of programs, or None."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parent.parent.name),
        reverse=True,
    )
    return found[0].parent if found else None


class Server:
    """A PostgreSQL in a folder of its own, reached through a Unix socket there."""

    def __init__(self, binaries: Path, folder: str) -> None:
        self.binaries, self.folder, self.data = binaries, folder, f"{folder}/data"
        self.url = f"postgresql://registry@{quote(folder, safe='')}/postgres"
        # The server refuses to run as root; the account that Debian's package makes will do.
        account = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        self.account: dict[str, Any] = {}
        if account:
            self.account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(folder, account.pw_uid, account.pw_gid)
        self.options = (
            f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
            # Each process of the tests has standbys of its own.
            " -c max_wal_senders=100 -c max_replication_slots=100"
        )

    def make(self) -> None:
        """An empty one."""
        self.run("initdb", "-U", "registry", "--auth=trust", "--encoding=UTF8", "--no-sync")

    def copy(self, where: str, slot: str) -> None:
        """A hot standby that follows the one to which these words for libpq lead.

        The slot is made there, and keeps what this one has not read yet: while other tests write, a server
        without one soon removes it.
        """
        follow = ["-R", "-X", "stream", "-C", "-S", slot]
        self.run("pg_basebackup", "-d", where, "-c", "fast", "--no-sync", *follow)

    def run(self, program: str, *arguments: str, quiet: bool = False) -> None:
        command = [f"{self.binaries}/{program}", "-D", self.data, *arguments]
        nowhere = subprocess.DEVNULL
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            stdout=nowhere,
            stderr=nowhere if quiet else None,
            **self.account,
        )

    def start(self, *, quiet: bool = False) -> None:
        """Start it, and wait until it answers."""
        self.run(
            "pg_ctl", "-o", self.options, "-l", f"{self.folder}/log", "-w", "start", quiet=quiet
        )

    def stop(self) -> None:
        """End it at once."""
        self.run("pg_ctl", "-m", "immediate", "stop")

    def process(self) -> int:
        """The id of its first process."""
        return int(Path(self.data, "postmaster.pid").read_text().split()[0])


@contextmanager
def throw_away(binaries: Path) -> Iterator[Server]:
    """A server that runs inside the block, and is gone after it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or the server would outlive us
    with tempfile.TemporaryDirectory(prefix="registry-pg-") as folder:
        server = Server(binaries, folder)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


def main(command: list[str]) -> int:
    """Run the command with DATABASE_URL set; its exit status."""
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return subprocess.run(command).returncode
    binaries = server_binaries()
    if binaries is None:
        print(
            "SKIPPED on PostgreSQL: this machine has no server (Debian: apt-get install postgresql)."
        )
        return 1 if os.environ.get("REQUIRE_POSTGRES") == "1" else 0
    with throw_away(binaries) as server:
        return subprocess.run(command, env=os.environ | {"DATABASE_URL": server.url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
