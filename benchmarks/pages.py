"""How long does a page take until its first byte? ``python benchmarks/pages.py [--times 15]``

gunicorn with threads serves the pages to someone who is signed in: of the seed (34 tables) and of 10,000 tables in 20
groups with 20,000 accesses and 200 services. Both are up at once and take turns, so that what else the machine does
meets both. Medians of as many requests as ``--times`` says, over one connection each, from sending the request to the
first byte of its answer. On SQLite, or by ``tests.support.postgres`` on PostgreSQL.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.generator import Generator, empty_database

SIZES = (34, 10_000)
SEED = {"table": "biztechUsers", "service": "interactions", "group": "Core Tables", "revision": "1"}
GROWN = {"table": "table-77", "service": "service-7", "group": "Group 7", "revision": "300"}
UNKNOWN = "/tables/{table}s/"
PAGES = (
    "/",
    "/search/?q={table}PROD",
    "/search/?q=ser",
    "/matrix/",
    "/matrix/?group={group}&service={service}",
    "/groups/{group}/",
    "/services/",
    "/tables/{table}/",
    "/tables/{table}/?revision={revision}",
    "/tables/{table}/history/",
    "/tables/{table}/trace/?depth=1",
    "/services/{service}/",
    UNKNOWN,
)


def session() -> str:
    """A cookie of someone who is signed in."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return f"sessionid={client.cookies['sessionid'].value}"


def serve(tables: int) -> None:
    """Fill an empty database and serve it until the input ends; prints the address and a cookie."""
    from django.core.management import call_command

    from ownership.models import Environment

    if tables == SIZES[0]:
        call_command("seed", verbosity=0)
    else:
        Generator(tables=tables, groups=20).run()
        Environment.objects.create(name="production", suffix="PROD")
    environment = os.environ | {
        "DEBUG": "0",
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUST_PROXY": "1",
    }
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    subprocess.run(collect, cwd=server.ROOT, env=environment, check=True)
    with server.serving(server.SERVERS["gunicorn gthread"], environment) as (base, _):
        print(json.dumps([base, session()]), flush=True)
        sys.stdin.read()


@contextmanager
def served(tables: int) -> Iterator[tuple[http.client.HTTPConnection, dict[str, str]]]:
    """A connection to a process of its own that serves so many tables, and the headers to send."""
    prefix = [sys.executable, "-m", "tests.support.postgres"] * (
        "postgres" in os.environ.get("DATABASE_URL", "")
    )
    command = [*prefix, sys.executable, __file__, "--serve", str(tables)]
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        for line in process.stdout:
            if line.startswith("["):
                break
            print(line, end="", flush=True)
        else:
            sys.exit(f"{tables:,} tables were not served.")
        base, cookie = json.loads(line)
        try:
            yield (
                http.client.HTTPConnection(urlsplit(base).netloc),
                server.HEADERS | {"Cookie": cookie},
            )
        finally:
            process.stdin.close()


def first_byte(
    connection: http.client.HTTPConnection, page: str, headers: dict[str, str], names: Any
) -> float:
    """Milliseconds until the first byte of its answer."""
    start = time.perf_counter()
    connection.request("GET", quote(page.format(**names), safe="/?&="), headers=headers)
    answer = connection.getresponse()
    taken = 1000 * (time.perf_counter() - start)
    assert answer.status == (404 if page == UNKNOWN else 200), (page, answer.status)
    answer.read()
    return taken


def measure(times: int) -> None:
    """Print milliseconds of both sizes and their ratio, by page."""
    with served(SIZES[0]) as seed, served(SIZES[1]) as grown:
        print(f"load {os.getloadavg()[0]:.1f}; {SIZES[0]} tables, {SIZES[1]:,} tables, ratio")
        for page in PAGES:
            rounds = [
                (
                    first_byte(seed[0], page, seed[1], SEED),
                    first_byte(grown[0], page, grown[1], GROWN),
                )
                for _ in range(times + 3)  # the first ones wake each process up
            ][3:]
            small, large = (statistics.median(taken) for taken in zip(*rounds, strict=True))
            print(f"{small:9.1f} ms {large:9.1f} ms {large / small:5.1f}  {page}", flush=True)
        print(f"load {os.getloadavg()[0]:.1f} after")


def main() -> None:
    """Each size in a process and a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is None:
        measure(options.times)
        return
    # Sessions are signed with it: this process makes one for the server to take.
    os.environ.setdefault("SECRET_KEY", "for this benchmark alone")
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder, empty_database():
        os.environ["SNAPSHOT_DIR"] = folder
        from django.conf import settings

        settings.SECRET_KEY = os.environ["SECRET_KEY"]
        serve(options.serve)


if __name__ == "__main__":
    main()
