"""Which production server? Measures gunicorn against granian serving this application; run by hand:

    .venv/bin/python benchmarks/server.py

It needs wrk (Debian: apt-get install wrk), takes about four minutes and stops by itself. Each server gets four
processes of two threads and runs with production settings on a seeded throw-away database: SQLite, then PostgreSQL
where the machine has one. wrk holds eight connections and shares the cores with what it measures. The servers take
turns every few seconds, and a ratio compares turns of the same round, so that what else the machine does falls on all.
Whichever of the two servers the project does not depend on is fetched into a temporary folder.
"""

import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS, ROUNDS, CONNECTIONS = 2, 5, 8
PROCESSES, THREADS = 4, 2  # as in gunicorn.conf.py
FETCHED = {"gunicorn": "gunicorn==27.0.1", "granian": "granian==2.8.7"}
# As a proxy that ends TLS would ask: production settings send plain HTTP elsewhere.
HEADERS = {"X-Forwarded-Proto": "https"}
# What is asked for: path and the status that it is to answer with.
CASES = {
    "map": ("/api/v1/map/", 200),
    "map, unchanged": ("/api/v1/map/", 304),
    "/livez": ("/livez", 200),
}
SERVERS = {
    "gunicorn sync": ["gunicorn", "--no-control-socket", "--worker-class=sync"],
    "gunicorn gthread": [
        "gunicorn",
        "--no-control-socket",
        "--worker-class=gthread",
        f"--threads={THREADS}",
    ],
    "granian wsgi": ["granian", "--interface=wsgi", f"--blocking-threads={THREADS}"],
}


def command(server: list[str], port: int) -> list[str]:
    """The command line that serves the registry on that port of the loopback interface."""
    application = "registry.wsgi:application"
    if server[0] == "gunicorn":
        where = [f"--bind=127.0.0.1:{port}"]
    else:
        where = ["--host=127.0.0.1", f"--port={port}", "--no-log"]
    return [sys.executable, "-m", *server, f"--workers={PROCESSES}", *where, application]


def ask(url: str, headers: dict[str, str]) -> tuple[int, str | None]:
    """Status and ETag of an answer; a 304 is one, too."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=60
        ) as answer:
            return answer.status, answer.headers["ETag"]
    except urllib.error.HTTPError as error:
        return error.code, error.headers["ETag"]


def free_port() -> int:
    """One that nothing listens on, on the loopback interface."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def serving(server: list[str], environment: dict[str, str], held: socket.socket | None = None):
    """Runs the server; gives its address once it is ready, and ends it.

    ``held`` is a socket that listens already and goes on when the server ends; it is handed over as systemd does.
    """
    port = held.getsockname()[1] if held else free_port()
    arguments, handed = command(server, port), {}
    if held:
        # The number of the process that takes it is part of the environment, and known only there.
        arguments = ["sh", "-c", 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh", *arguments]
        handed = {"pass_fds": [3], "preexec_fn": partial(os.dup2, held.fileno(), 3)}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            arguments, cwd=ROOT, env=environment, stdout=log, stderr=log, **handed
        )
        try:
            base, patience = f"http://127.0.0.1:{port}", time.monotonic() + 300
            while True:
                try:
                    if ask(f"{base}/readyz", {})[0] == 200:
                        break
                except OSError:
                    pass
                if time.monotonic() > patience or process.poll() is not None:
                    log.seek(0)
                    sys.exit(f"{server} did not start:\n{log.read().decode()}")
                time.sleep(0.1)
            yield base, process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


def load(url: str, headers: dict[str, str], seconds: int = SECONDS) -> tuple[float, float, float]:
    """Requests per second, the median and the 99th percentile in milliseconds."""
    lua = (
        'done = function(s, l, _) print(string.format("RESULT %d %d %f %f %d", s.requests, s.duration, \
l:percentile(50), l:percentile(99), \
s.errors.connect + s.errors.read + s.errors.write + s.errors.status + s.errors.timeout)) end'
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(lua)
        script.flush()
        arguments = [f"-H{name}: {value}" for name, value in headers.items()]
        run = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout=60s",
            "-s",
            script.name,
            *arguments,
            url,
        ]
        output = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)", output)
    requests, microseconds, half, slow, errors = found.groups()
    if errors != "0":
        sys.exit(f"{url}: {errors} of {requests} requests failed:\n{output}")
    return int(requests) / int(microseconds) * 1e6, float(half) / 1000, float(slow) / 1000


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def memory(pid: int) -> float:
    """MiB that the server holds; pages that its processes share count once."""
    rollups = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in family(pid)]
    return sum(int(re.search(r"Pss:\s+(\d+) kB", text)[1]) for text in rollups) / 1024


def processor_seconds(pid: int) -> float:
    """Processor time that the server has used so far."""
    fields = [
        Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in family(pid)
    ]
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")


def measure(environment: dict[str, str]) -> None:
    """Run all servers, let them take turns under load, and print what came out."""
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(serving(server, environment))
            for name, server in SERVERS.items()
        }
        first = next(iter(running))
        for case, (path, expected) in CASES.items():
            print(f"  {case}")
            turns: dict[str, list[tuple[float, float, float]]] = {name: [] for name in running}
            for _ in range(ROUNDS):
                for name, (base, pid) in running.items():
                    etag = ask(f"{base}/api/v1/map/", HEADERS)[1] or ""
                    headers = HEADERS | ({"If-None-Match": etag} if expected == 304 else {})
                    if (status := ask(base + path, headers)[0]) != expected:
                        sys.exit(f"{name}: {path} answered {status} instead of {expected}")
                    before = processor_seconds(pid)
                    rate, _, slow = load(base + path, headers)
                    turns[name].append(
                        (rate, slow, (processor_seconds(pid) - before) / (rate * SECONDS) * 1000)
                    )
            for name, (_, pid) in running.items():
                ratio = statistics.median(
                    a[0] / b[0] for a, b in zip(turns[name], turns[first], strict=True)
                )
                rate, slow, used = map(statistics.median, zip(*turns[name], strict=True))
                print(
                    f"    {name:17}{rate:8,.0f}/s {ratio:6.2f}x {slow:7,.0f} ms {used:8.2f} ms {memory(pid):6.0f} MiB"
                )


def processor() -> str:
    """Of this machine."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores"


def machine() -> str:
    """What was measured, on what, and how."""
    versions = ", ".join(f"{name} {version(name)}" for name in (*FETCHED, "Django"))
    return (
        f"{processor()}, Python {platform.python_version()}, {versions}\n"
        f"{PROCESSES} processes x {THREADS} threads (sync: 1); {CONNECTIONS} connections, {SECONDS} s each; "
        f"medians of {ROUNDS} rounds\n"
        "requests per second, ratio to the first, 99th percentile, processor time per request, memory"
    )


def main() -> None:
    """Measure on DATABASE_URL where it is set, else on SQLite and then on a throw-away PostgreSQL."""
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed (Debian: apt-get install wrk).")
    url = os.environ.get("DATABASE_URL")
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder:
        missing = [package for name, package in FETCHED.items() if not find_spec(name)]
        if missing:
            uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
            python = ["--python", sys.executable, "--target", f"{folder}/lib"]
            subprocess.run([uv, "pip", "install", "--quiet", *python, *missing], check=True)
            os.environ["PYTHONPATH"] = f"{folder}/lib"
            sys.path.append(f"{folder}/lib")
        environment = os.environ | {
            "DEBUG": "0",
            "SECRET_KEY": "for this benchmark alone",
            "ALLOWED_HOSTS": "127.0.0.1",
            "ANONYMOUS_READ": "1",
            "TRUST_PROXY": "1",
            "API_RATE": "0",
            "DATABASE_URL": url or f"sqlite:///{folder}/registry.sqlite3",
        }
        for step in ("migrate", "seed"):
            subprocess.run(
                [sys.executable, "manage.py", step, "--verbosity=0"],
                cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        if not url:
            print(machine(), flush=True)
        print("\nPostgreSQL" if url else "\nSQLite", flush=True)
        measure(environment)
    if not url:
        again = [sys.executable, "-m", "tests.support.postgres", sys.executable, __file__]
        sys.exit(subprocess.run(again, cwd=ROOT).returncode)


if __name__ == "__main__":
    main()
