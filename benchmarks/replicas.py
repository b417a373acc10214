"""Do replicas tell the truth, and is nothing lost? ``python benchmarks/replicas.py [--synchronous] [--cut 3]``

A PostgreSQL and two hot standbys, two web servers behind nginx, all on loopback. Leads save through the admin, each
then reading its own table; readers poll the map, by turns with If-None-Match and X-Registry-Min-Revision. A standby is
killed and comes back; then the primary is killed, ``--cut`` seconds after both standbys were cut off from it, and the
standby that has most is promoted. It counts errors by phase, wrong answers, and acknowledged edits that are gone.
"""

import argparse
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.leads import listed
from benchmarks.saving import Lead, check, registry, sessions
from benchmarks.standbys import Node, three

LEADS, READERS, PATH = 4, 6, "/api/v1/map/"


class Phases:
    """What is going on, and what was counted meanwhile."""

    def __init__(self) -> None:
        self.name, self.begun = "all is well", time.monotonic()
        self.counts: dict[str, Counter[str]] = {}
        self.seconds: Counter[str] = Counter()
        self.lock = threading.Lock()

    def next(self, name: str) -> None:
        """From now on it is this."""
        with self.lock:
            now = time.monotonic()
            self.seconds[self.name] += now - self.begun
            self.name, self.begun = name, now

    def count(self, what: str) -> None:
        """One more, in the phase of now."""
        with self.lock:
            self.counts.setdefault(self.name, Counter())[what] += 1


class Reader(threading.Thread):
    """Polls the map; every answer has to be of the revision it names, and of none older than the last one."""

    def __init__(self, address: str, stop: threading.Event, phases: Phases) -> None:
        super().__init__(daemon=True)
        self.host, self.stop_event, self.phases = urlsplit(address).netloc, stop, phases
        self.bodies: dict[int, str] = {}
        self.wrong: Counter[str] = Counter()

    def run(self) -> None:
        """One poll after the other."""
        etag, last, turn = "", 0, 0
        while not self.stop_event.wait(0.02):
            turn += 1
            knows = {"If-None-Match": etag} if turn % 2 else {"X-Registry-Min-Revision": str(last)}
            status, headers, body = ask(self.host, PATH, knows)
            self.phases.count(
                "reads" if status in (200, 304) else f"reads: {status or 'no answer'}"
            )
            if status not in (200, 304):
                last, etag = (0, "") if status == 412 else (last, etag)  # lost: begin again
                continue
            revision = int(headers["X-Registry-Revision"])
            if revision < last:
                self.wrong["older than what was seen"] += 1
            etag, last = headers["ETag"], revision
            if status == 200:
                digest = hashlib.sha256(body).hexdigest()
                self.wrong["revision in the body is not the header's"] += (
                    json.loads(body)["revision"] != revision
                )
                self.wrong["two answers of one revision differ"] += (
                    self.bodies.setdefault(revision, digest) != digest
                )


class Author(Lead):
    """A lead who looks at what was just saved."""

    def __init__(self, *args: Any, phases: Phases) -> None:
        super().__init__(*args)
        self.phases, self.cookie, self.wrong = phases, "", Counter()
        self.saves: list[float] = []

    def ask(self, what: str, *args: Any) -> Any:
        """As any lead's browser, which keeps the cookie with what was written."""
        answer = super().ask(what, *args)
        self.phases.count(
            f"{what}s" if answer and answer.status in (200, 302) else f"{what}s: failed"
        )
        for cookie in (answer and answer.headers.get_all("Set-Cookie")) or []:
            if found := re.match(r"registry_revision=\d+", cookie):
                self.cookie = found[0]
        return answer

    def edit(self) -> None:
        """Save, then read."""
        before = len(self.saved)
        super().edit()
        if len(self.saved) > before:
            self.saves.append(time.monotonic())
            status, _, body = ask(
                self.host, f"/api/v1/tables/table-{self.table}/", {"Cookie": self.cookie}
            )
            if status == 200:
                self.wrong["own edit not seen"] += (
                    json.loads(body)["description"] != self.saved[-1].value
                )
            else:
                self.phases.count(f"own edits: {status or 'no answer'}")
        time.sleep(0.05)


def ask(host: str, path: str, headers: dict[str, str]) -> tuple[int, Any, bytes]:
    """Status, headers and body; 0 where there was no answer."""
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request("GET", path, headers=server.HEADERS | headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, {}, b""
    finally:
        connection.close()


@contextmanager
def balanced(addresses: list[str]):
    """nginx before these web servers; gives its address."""
    port = server.free_port()
    with tempfile.TemporaryDirectory(prefix="registry-nginx-") as folder:
        hosts = " ".join(f"server {urlsplit(address).netloc} max_fails=0;" for address in addresses)
        temporary = " ".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        Path(folder, "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; {'user root;' if os.getuid() == 0 else ''}\n"
            f"events {{}} http {{ access_log off; {temporary} upstream registry {{ {hosts} }}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://registry;\n"
            "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; } } }\n"
        )
        process = subprocess.Popen(
            ["nginx", "-c", f"{folder}/nginx.conf", "-p", folder], stderr=subprocess.DEVNULL
        )
        try:
            time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def events(nodes: list[Node], phases: Phases, seconds: float, cut: float) -> Node:
    """What happens, one after the other; the new primary."""
    primary, first, second = nodes
    time.sleep(seconds)
    phases.next("a standby is killed")
    second.kill()
    time.sleep(seconds)
    phases.next("it comes back")
    second.start()
    time.sleep(seconds)
    if cut:
        phases.next("both standbys are cut off")
        first.stop()
        second.stop()
        time.sleep(cut)
    phases.next("the primary is dead")
    primary.kill()
    for node in (first, second):
        if not node.runs:
            node.start()
    new, other = sorted((first, second), key=Node.received, reverse=True)
    new.promote()
    other.follow(new)
    phases.next("the promoted one serves")
    time.sleep(2 * seconds)
    return new


def measure(synchronous: bool, seconds: float, cut: float) -> bool:
    """Run all of it, print what came of it, and say whether all is well."""
    with three(synchronous) as nodes:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        os.environ["DATABASE_URL"] = (
            f"postgresql://registry@{hosts}/postgres?target_session_attrs=read-write"
        )
        with (
            registry() as environment,
            tempfile.TemporaryDirectory(prefix="registry-snapshots-") as folder,
        ):
            environment["DATABASE_REPLICA_URLS"] = ",".join(node.url for node in nodes[1:])
            keys, stop = sessions(LEADS), threading.Event()
            with (
                server.serving(["gunicorn"], environment) as (one, _),
                server.serving(["gunicorn"], environment | {"SNAPSHOT_DIR": folder}) as (two, _),
                balanced([one, two]) as address,
            ):
                time.sleep(2)  # until the replicas were looked at
                phases = Phases()
                people = [
                    Author(address, n, n + 1, keys[n], stop, phases=phases) for n in range(LEADS)
                ]
                polling = [Reader(address, stop, phases) for _ in range(READERS)]
                for thread in (*people, *polling):
                    thread.start()
                events(nodes, phases, seconds, cut)
                stop.set()
                for thread in (*people, *polling):
                    thread.join()
                phases.next("")
                return report(people, polling, phases, address, keys[0])


def report(
    people: list[Author], polling: list[Reader], phases: Phases, address: str, key: str
) -> bool:
    """Print it; whether nothing was wrong, and nothing acknowledged is gone."""
    from django.db import connection

    from ownership.history.models import ChangeSet

    connection.close()
    saved, unanswered = (
        [e for lead in people for e in lead.saved],
        [e for lead in people for e in lead.unanswered],
    )
    history = check(saved, unanswered)
    lost = history.pop("acknowledged, not in the history", 0)
    wrong = sum((thread.wrong for thread in (*people, *polling)), Counter())
    bodies: dict[int, set[str]] = {}
    for reader in polling:
        for revision, digest in reader.bodies.items():
            bodies.setdefault(revision, set()).add(digest)
    wrong["two readers saw one revision differently"] += sum(
        len(seen) > 1 for seen in bodies.values()
    )
    now = set(ChangeSet.objects.values_list("revision", flat=True))
    sample = sorted(bodies.keys() & now)[:: max(1, len(bodies) // 40)]
    for revision in sample:
        # History's own word for it; the reader's bytes say the same, revision included.
        path = f"{PATH}?revision={revision}"
        _, _, body = ask(urlsplit(address).netloc, path, {"Cookie": f"sessionid={key}"})
        wrong["not what history says of that revision"] += not _same(body, bodies[revision])
    for phase, number in phases.seconds.items():
        if phase in phases.counts:
            print(f"  {phase}, {number:.1f} s: {listed(phases.counts[phase])}")
    times = sorted(moment for lead in people for moment in lead.saves)
    print(
        f"  {len(saved)} saves acknowledged, {lost} of them lost; {len(unanswered)} without an answer or 503"
    )
    print(f"  longest time without a save: {max(b - a for a, b in pairwise(times)):.1f} s")
    print(
        f"  {len(bodies)} revisions seen, {len(bodies.keys() - now)} beyond the head of now; {len(sample)} compared"
    )
    print(f"  wrong answers: {listed(+wrong)}; wrong in the history: {listed(history)}", flush=True)
    return not lost and not +wrong and not history


def _same(body: bytes, digests: set[str]) -> bool:
    """Whether a map of the past is the one that readers were sent when it was today's."""
    lines = json.loads(body)
    lists = ",\n".join(
        f'"{name}":{_line(lines[name])}' for name in ("environments", "groups", "services")
    )
    start = _line({"revision": lines["revision"], "environment": None}).removesuffix("}")
    tables = ",\n".join(map(_line, lines["tables"]))
    text = f'{start},\n{lists},\n"tables":[\n{tables}\n]}}\n'
    return hashlib.sha256(text.encode()).hexdigest() in digests


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Read what is asked for, and run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--synchronous", action="store_true")
    parser.add_argument("--seconds", type=float, default=8, help="of each phase")
    parser.add_argument("--cut", type=float, default=0)
    options = parser.parse_args()
    print(
        "synchronous" if options.synchronous else "asynchronous",
        f"cut {options.cut:g} s",
        flush=True,
    )
    sys.exit(not measure(options.synchronous, options.seconds, options.cut))


if __name__ == "__main__":
    main()
