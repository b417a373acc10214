"""How long does a page take until its first byte? ``python benchmarks/pages.py [--tables 34 10000]``

gunicorn with threads serves the pages to someone who is signed in: of the seed (34 tables) and of 10,000 tables in 20
groups with 20,000 accesses and 200 services. Medians of as many requests as ``--times`` says (15), one after another
over one connection, from sending the request to the first byte of its answer. On SQLite, or on the empty database that
DATABASE_URL names.
"""

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.generator import Generator, empty_database

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


def measure(tables: int, times: int) -> dict[str, float]:
    """Milliseconds until the first byte, by page."""
    from django.core.management import call_command

    from ownership.models import Environment

    if tables == 34:
        call_command("seed", verbosity=0)
    else:
        Generator(tables=tables, groups=20).run()
        Environment.objects.create(name="production", suffix="PROD")
    names = SEED if tables == 34 else GROWN
    headers = server.HEADERS | {"Cookie": session()}
    environment = os.environ | {
        "DEBUG": "0",
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUST_PROXY": "1",
    }
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    subprocess.run(collect, cwd=server.ROOT, env=environment, check=True)
    found = {}
    with server.serving(server.SERVERS["gunicorn gthread"], environment) as (base, _):
        connection = http.client.HTTPConnection(urlsplit(base).netloc)
        for page in PAGES:
            address = quote(page.format(**names), safe="/?&=")
            taken = []
            for _ in range(times + 3):  # the first ones wake each process up
                start = time.perf_counter()
                connection.request("GET", address, headers=headers)
                answer = connection.getresponse()
                taken.append(1000 * (time.perf_counter() - start))
                expected = 404 if page == UNKNOWN else 200
                assert answer.status == expected, (address, answer.status)
                answer.read()
            found[page] = statistics.median(taken[3:])
            print(f"{found[page]:9.1f} ms  {address}", flush=True)
    return found


def main() -> None:
    """Each size in a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, nargs="+", default=[34, 10_000])
    parser.add_argument("--times", type=int, default=15)
    asked = parser.parse_args()
    if len(asked.tables) > 1:
        for size in asked.tables:
            prefix = [sys.executable, "-m", "tests.with_postgres"] * ("postgres" in os.environ.get("DATABASE_URL", ""))
            again = [sys.executable, __file__, "--tables", str(size), "--times", str(asked.times)]
            subprocess.run([*prefix, *again], check=True)
        return
    # Sessions are signed with it: this process makes one for the server to take.
    os.environ.setdefault("SECRET_KEY", "for this benchmark alone")
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder, empty_database():
        os.environ["SNAPSHOT_DIR"] = folder
        from django.conf import settings

        settings.SECRET_KEY = os.environ["SECRET_KEY"]
        print(f"{asked.tables[0]:,} tables")
        measure(asked.tables[0], asked.times)


if __name__ == "__main__":
    main()
