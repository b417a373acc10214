"""Keeps a database as a release made it: ``python -m tests.support.release 0.1.0``.

For tests/operations/test_upgrade.py. Run it once, at the commit that is released. It writes to
tests/operations/releases/: the SQLite file and PostgreSQL's dump of a registry with the seed, the demo's edits, a
drift run and a waiver; and what the API says of it.
"""

import gzip
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.support.drift_projects import write
from tests.support.postgres import Server, server_binaries, throw_away

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ROOT / "tests/operations/releases"
PROJECT = """\
service: bots
functions: {post: {handler: bot.post}}
provider:
  name: aws
  iamRoleStatements:
    - Effect: Allow
      Action: [dynamodb:GetItem, dynamodb:PutItem]
      Resource: "arn:aws:dynamodb:us-west-2:1:table/biztechEvents"
"""
WAIVE = """
from ownership.history.change_sets import change_set
from ownership.models import Service, Table, Waiver
with change_set(reason="The new bot is out in May", source="drift"):
    Waiver.objects.create(
        kind="undeclared_access",
        table=Table.objects.get(name="biztechEvents"),
        service=Service.objects.get(name="bots"),
        until="2100-01-01",
    )
"""


def environment_of(database_url: str, folder: Path) -> dict[str, str]:
    """Return the environment of a process that works on that database and keeps its files in the folder."""
    return os.environ | {
        "LOGNAME": "operator",
        "DEBUG": "1",
        "DATABASE_URL": database_url,
        "SNAPSHOT_DIR": f"{folder}/snapshots",
    }


def manage(environment: dict[str, str], *arguments: str, may_fail: bool = False) -> str:
    """Run a command of ``manage.py`` there, and return what it prints."""
    command = [sys.executable, "manage.py", *arguments]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert may_fail or result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def fill(environment: dict[str, str], folder: Path) -> None:
    """Make the database, and do in it what people do."""
    manage(environment, "migrate")
    manage(environment, "seed")
    manage(environment, "demo")
    backend = write(folder / "backend", {"bots/serverless.yml": PROJECT})
    manage(
        environment, "drift", "serverless", str(backend), "--save", may_fail=True
    )  # 1: there is drift
    manage(environment, "shell", "-c", WAIVE)


def state(environment: dict[str, str]) -> str:
    """Return what the API says of that database, as JSON. It adds an account there."""
    command = [sys.executable, "-m", "tests.support.registry_state"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def keep_sqlite(version: str, folder: Path) -> None:
    """Keep the SQLite file."""
    file = folder / "registry.sqlite3"
    environment = environment_of(f"sqlite:///{file}", folder)
    fill(environment, folder)
    copy = folder / "copy.sqlite3"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    (RELEASES / f"{version}.sqlite3.gz").write_bytes(gzip.compress(copy.read_bytes()))
    with gzip.open(RELEASES / f"{version}.sqlite3.json.gz", "wt") as target:
        target.write(state(environment))


def keep_postgres(version: str, folder: Path, server: Server) -> None:
    """Keep PostgreSQL's dump, as SQL."""
    environment = environment_of(server.url, folder)
    fill(environment, folder)
    dump = [f"{server.binaries}/pg_dump", "--no-owner", "--no-privileges", server.url]
    sql = subprocess.run(dump, check=True, stdout=subprocess.PIPE).stdout
    with gzip.open(RELEASES / f"{version}.postgres.sql.gz", "wb") as target:
        target.write(sql)
    with gzip.open(RELEASES / f"{version}.postgres.json.gz", "wt") as target:
        target.write(state(environment))


def main(version: str) -> None:
    """Write the four files of that release."""
    binaries = server_binaries()
    assert binaries, "PostgreSQL is not installed."
    RELEASES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        keep_sqlite(version, Path(folder))
    with tempfile.TemporaryDirectory() as folder, throw_away(binaries) as server:
        keep_postgres(version, Path(folder), server)


if __name__ == "__main__":
    main(sys.argv[1])
