"""A PostgreSQL and its hot standbys on loopback ports, to kill, cut off and promote: ``python benchmarks/standbys.py``

Run by itself it starts a primary and two standbys, prints how to set the registry up for them, and ends with Enter.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.server import family, free_port
from tests.support.postgres import Server, server_binaries


class Node(Server):
    """One of them; fsync is on, as in production."""

    def __init__(self, binaries: Path, folder: str, name: str) -> None:
        super().__init__(binaries, folder)
        self.name, self.port, self.runs = name, free_port(), False
        self.options = (
            f"-k {folder} -p {self.port} -c listen_addresses=127.0.0.1 -c max_connections=200"
        )
        self.where = f"host=127.0.0.1 port={self.port} user=registry dbname=postgres"
        self.url = f"postgresql://registry@127.0.0.1:{self.port}/postgres"

    def start(self, *, quiet: bool = False) -> None:
        """Start it, and wait until it answers."""
        super().start(quiet=quiet)
        self.runs = True

    def stop(self) -> None:
        """End it at once, where it runs."""
        if self.runs:
            super().stop()
            self.runs = False

    def kill(self) -> None:
        """SIGKILL for all of its processes."""
        for process in family(self.process()):
            os.kill(process, signal.SIGKILL)
        self.runs = False
        Path(self.data, "postmaster.pid").unlink()

    def ask(self, sql: str) -> Any:
        """The first row of the answer, as the server's administrator."""
        with psycopg.connect(self.where, autocommit=True, connect_timeout=2) as connection:
            found = connection.execute(sql)
            return found.fetchone() if found.description else None

    def follow(self, primary: "Node") -> None:
        """Follow that one from now on."""
        self.ask(
            f"ALTER SYSTEM SET primary_conninfo = '{primary.where} application_name={self.name}'"
        )
        self.ask("SELECT pg_reload_conf()")

    def received(self) -> int:
        """How far its copy of what the primary wrote goes."""
        [position] = self.ask(
            "SELECT pg_wal_lsn_diff(GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')"
        )
        return int(position)

    def promote(self) -> None:
        """Let it take writes from now on."""
        self.ask("SELECT pg_promote()")


@contextmanager
def three(synchronous: bool) -> Iterator[list[Node]]:
    """A primary and two standbys; synchronous: a commit waits until one of the standbys has it on its disk."""
    binaries = server_binaries()
    if binaries is None:
        sys.exit("This machine has no PostgreSQL (Debian: apt-get install postgresql).")
    nodes: list[Node] = []
    with tempfile.TemporaryDirectory(prefix="registry-pg-") as folder:
        Path(folder).chmod(0o755)
        try:
            for name in ("node1", "node2", "node3"):
                Path(folder, name).mkdir()
                nodes.append(Node(binaries, f"{folder}/{name}", name))
                if name == "node1":
                    nodes[0].make()
                else:
                    nodes[-1].copy(f"{nodes[0].where} application_name={name}")
                nodes[-1].start()
            for node in nodes:  # whoever is promoted goes on like that
                others = ", ".join(other.name for other in nodes if other is not node)
                node.ask(
                    f"ALTER SYSTEM SET synchronous_standby_names = '{f'ANY 1 ({others})' if synchronous else ''}'"
                )
                node.ask("SELECT pg_reload_conf()")
            yield nodes
        finally:
            for node in nodes:
                node.stop()


def main() -> None:
    """Start them, tell, wait."""
    with three(synchronous="--synchronous" in sys.argv) as (primary, *standbys):
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in (primary, *standbys))
        print(
            f"DATABASE_URL='postgresql://registry@{hosts}/postgres?target_session_attrs=read-write'"
        )
        print(f"DATABASE_REPLICA_URLS='{','.join(node.url for node in standbys)}'")
        input("Enter ends them. ")


if __name__ == "__main__":
    main()
