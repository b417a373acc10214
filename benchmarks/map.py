"""How fast is the map, beside yardsticks in the same run? ``python benchmarks/map.py [--tables 34 10000]``

The map from its snapshot, a 304, both with a token, against a view that sends constant bytes, a plain nested
serializer (both in the same server and project: ``benchmarks/yardstick*.py``) and Datasette on the same rows, which is
fetched into a temporary folder. All serve at once and take turns of a few seconds; a ratio is the median over the
rounds of the rate beside that of the constant bytes in the same round. wrk holds eight connections and shares the
cores with what it measures. It needs wrk (Debian: apt-get install wrk). On SQLite, or on the empty database that
DATABASE_URL names (``python -m tests.support.postgres python benchmarks/map.py``), then without Datasette.

Afterwards, in this process: what it takes to make the map whole, and anew after one table was edited.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.generator import Generator, empty_database

ROUNDS = 5
DATASETTE = "datasette==0.65.1"
QUERY = """select t.name, t.description, g.name as "group", o.name as owner, (select json_group_array(json_object(
'service', s.name, 'mode', a.mode, 'indirect', a.indirect, 'notes', a.notes)) from ownership_access a
join ownership_service s on s.id = a.service_id where a.table_id = t.id) as accesses from ownership_table t
join ownership_tablegroup g on g.id = t.group_id join ownership_service o on o.id = t.owner_id"""


def fill(tables: int) -> str:
    """Make a registry of that size, 34 being the seed; a token for it."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from knox.models import get_digest_token
    from knox.settings import CONSTANTS

    from ownership.models import ApiToken

    if tables == 34:
        call_command("seed", verbosity=0)
    else:
        Generator(tables=tables, accesses_each=5, services=max(19, tables // 10)).run()
    digest, shown = get_digest_token()
    key = shown[: CONSTANTS.TOKEN_KEY_LENGTH]
    user = User.objects.create_user("bench")
    ApiToken(name="bench", user=user, digest=digest, token_key=key).save(force_insert=True)
    return shown


def serve_datasette(stack: ExitStack, folder: str, tables: int) -> str:
    """Datasette on the same rows, one process; the address that gives them with their accesses as JSON."""
    from django.db import connection

    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    target = ["--python", sys.executable, "--target", f"{folder}/datasette"]
    subprocess.run(
        [uv, "pip", "install", "--quiet", *target, DATASETTE, "setuptools<80"], check=True
    )
    port = server.free_port()
    options = [
        "-p",
        str(port),
        "--setting",
        "max_returned_rows",
        "20000",
        "--setting",
        "sql_time_limit_ms",
        "60000",
    ]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "datasette",
            "serve",
            str(connection.settings_dict["NAME"]),
            *options,
        ],
        env=os.environ | {"PYTHONPATH": f"{folder}/datasette"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    from urllib.parse import quote

    address = f"http://127.0.0.1:{port}/registry.json?_shape=array&_size=max&sql={quote(QUERY)}"
    for _ in range(100):
        try:
            if server.ask(address, {})[0] == 200:
                break
        except OSError:
            time.sleep(0.1)
    return address


def measure(tables: int, folder: str) -> None:
    """Serve, let them take turns, print."""
    from django.db import connection

    token = fill(tables)
    environment = os.environ | {
        "DEBUG": "0",
        "SECRET_KEY": "for this benchmark alone",
        "ALLOWED_HOSTS": "127.0.0.1",
        "ANONYMOUS_READ": "1",
        "TRUST_PROXY": "1",
        "API_RATE": "0",
        "SNAPSHOT_DIR": f"{folder}/snapshots",
        "DJANGO_SETTINGS_MODULE": "benchmarks.yardstick",
    }
    with ExitStack() as stack:
        base, _ = stack.enter_context(
            server.serving(server.SERVERS["gunicorn gthread"], environment)
        )
        address, signed = (
            f"{base}/api/v1/map/",
            server.HEADERS | {"Authorization": f"Token {token}"},
        )
        etag = {"If-None-Match": server.ask(address, server.HEADERS)[1] or ""}
        server.ask(address, signed)
        cases = {
            "constant bytes": (f"{base}/constant/", server.HEADERS, 200),
            "map": (address, server.HEADERS, 200),
            "map, 304": (address, server.HEADERS | etag, 304),
            "map, token": (address, signed, 200),
            "map, token, 304": (address, signed | etag, 304),
            "map, gzip": (address, server.HEADERS | {"Accept-Encoding": "gzip"}, 200),
            "nested serializer": (f"{base}/nested/", signed, 200),
        }
        if connection.vendor == "sqlite":
            cases["Datasette"] = (serve_datasette(stack, folder, tables), {}, 200)
        turns: dict[str, list[tuple[float, float, float]]] = {name: [] for name in cases}
        for _ in range(ROUNDS):
            for name, (url, headers, expected) in cases.items():
                if statistics.fmean(one[0] for one in turns[name] or [(1, 0, 0)]) < 1:
                    continue  # whose answer takes seconds has one turn
                start = time.perf_counter()
                status = server.ask(url, headers)[0]
                assert status == expected, (name, status)
                # It is long enough for some answers, and ends when none is being made for nobody.
                all_at_once = server.CONNECTIONS * (time.perf_counter() - start)
                turns[name].append(
                    server.load(url, headers, max(server.SECONDS, round(2 * all_at_once)))
                )
                if all_at_once > server.SECONDS:
                    time.sleep(all_at_once)
    for name, rates in turns.items():
        ratio = statistics.median(
            one[0] / yard[0] for one, yard in zip(rates, turns["constant bytes"], strict=False)
        )
        rate, half, slow = (statistics.median(column) for column in zip(*rates, strict=True))
        print(
            f"  {name:18}{rate:10,.1f}/s {ratio:8.4f} x constant {half:9.1f} ms median {slow:9.1f} ms p99"
        )


def make(environment=None) -> None:
    """What it takes this process to make the map, whole and after an edit."""
    from ownership.api.snapshot import Snapshots
    from ownership.history.models import current_head
    from ownership.models import Table

    maker, taken = Snapshots(), []
    for number in range(6):
        if number:
            table = Table.objects.all()[number]
            table.description = f"Edited {time.time()}"
            table.save()
        head, start = current_head(), time.perf_counter()
        content = maker.get(head, None, False)[1]
        taken.append(time.perf_counter() - start)
    edited = statistics.median(taken[1:])
    print(
        f"  made whole {taken[0] * 1000:.1f} ms ({len(content):,} bytes); after an edit {edited * 1000:.1f} ms,",
        end=" ",
    )
    print(f"{edited / taken[0]:.3f} of it")


def main() -> None:
    """Each size in a database of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, nargs="+", default=[34, 10_000])
    sizes = parser.parse_args().tables
    if len(sizes) > 1:
        prefix = [sys.executable, "-m", "tests.support.postgres"] * (
            "postgres" in os.environ.pop("DATABASE_URL", "")
        )
        for size in sizes:
            subprocess.run([*prefix, sys.executable, __file__, "--tables", str(size)], check=True)
        return
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder, empty_database():
        os.environ["SNAPSHOT_DIR"] = f"{folder}/own"
        from django.conf import settings

        settings.SNAPSHOT_DIR = f"{folder}/own"
        print(f"{sizes[0]:,} tables")
        measure(sizes[0], folder)
        make()


if __name__ == "__main__":
    main()
