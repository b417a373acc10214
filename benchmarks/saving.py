"""Team leads who save through the admin's forms as browsers do, and the check that all acknowledged saves are kept.

For the scripts beside this file that save under load: leads.py, saves.py and kills.py.
"""

import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import server
from benchmarks.generator import Generator, empty_database

TABLES = 128
NAME = "lead-{}"
BETWEEN = " edit "  # a lead's reasons are "lead-7 edit 12": whose, and unique


@dataclass(frozen=True)
class Edit:
    """One save: who, of which table, and what the form showed and then held. The value is the reason, too."""

    lead: str
    table: int
    shown: str
    value: str


class Lead(threading.Thread):
    """Opens a table's form and saves it with a new description, again and again, until it is stopped.

    With ``notes`` those of the table's first access change, too: one save, two rows. With ``once`` it opens the form
    only once, and takes from the database what opening it anew would tell; nobody else may edit that table.
    """

    def __init__(
        self,
        address: str,
        number: int,
        table: int,
        session: str,
        stop: threading.Event,
        *,
        notes: bool = False,
        once: bool = False,
        admin: str = "/admin/ownership",
    ):
        super().__init__(name=NAME.format(number), daemon=True)
        self.host, self.path = urlsplit(address).netloc, f"{admin}/table/{table}/change/"
        self.table, self.stop_event, self.notes, self.once = table, stop, notes, once
        self.form: dict[str, str] = {}
        self.headers = server.HEADERS | {
            "Cookie": f"sessionid={session}",
            "Origin": f"https://{self.host}",
        }
        self.saved: list[Edit] = []
        self.unanswered: list[Edit] = []
        self.cut: list[float] = []  # when requests without an answer were begun
        self.counts: Counter[str] = Counter()
        self.seconds: dict[str, list[float]] = {"open": [], "save": []}

    def run(self) -> None:
        """One edit after the other."""
        from django.db import connection

        while not self.stop_event.is_set():
            self.edit()
        connection.close()

    def edit(self) -> None:
        """Open the form, change it, save it; count what came of it."""
        form = self.form = self.as_now() if self.once and self.form else self.open()
        if not form:
            return
        self.counts["edits begun"] += 1
        value = f"{self.name}{BETWEEN}{self.counts['edits begun']}"
        edit = Edit(self.name, self.table, form["description"], value)
        typed = {"description": value, "reason": value} | (
            {"accesses-0-notes": value} if self.notes else {}
        )
        self.form = form | typed
        content = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.ask("save", "POST", urlencode(self.form), content)
        if answer is None or answer.status >= 500:
            self.unanswered.append(edit)
        elif answer.status == 302:
            self.saved.append(edit)
        elif answer.status == 200:
            self.counts["conflicts" if b"it was changed by" in answer.content else "refused"] += 1

    def open(self) -> dict[str, str]:
        """What a browser would post of the table's form, its token included; empty where there was no form."""
        from tests.support.admin_forms import form_of

        page = self.ask("open", "GET")
        if page is None or page.status != 200:
            return {}
        if cookie := re.match(r"csrftoken=\w+", page.headers["Set-Cookie"] or ""):
            self.headers["Cookie"] = f"{self.headers['Cookie'].partition(';')[0]}; {cookie[0]}"
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
        return form_of(page) | {"csrfmiddlewaretoken": token[1]}

    def as_now(self) -> dict[str, str]:
        """The form that was open, as of the latest revision."""
        from ownership.history.models import current_head

        return self.form | {"revision": str(current_head().revision)}

    def ask(
        self, what: str, method: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """The answer, as the tests know it; None where the connection ended without one."""
        connection = http.client.HTTPConnection(self.host, timeout=300)
        begun = time.perf_counter()
        try:
            connection.connect()
        except OSError:
            self.counts["connections refused"] += 1  # nothing was sent
            time.sleep(0.05)
            return None
        try:
            connection.request(method, self.path, body, self.headers | (headers or {}))
            answer: Any = connection.getresponse()
            answer.content = answer.read()
        except (OSError, http.client.HTTPException):
            self.counts[f"{what}: no answer"] += 1
            self.cut.append(begun)
            return None
        finally:
            connection.close()
        self.seconds[what].append(time.perf_counter() - begun)
        if answer.status not in (200, 302):
            self.counts[f"{what}: {answer.status}"] += 1
        return answer


class Reader(threading.Thread):
    """Polls the map ten times a second, as consumers do."""

    def __init__(self, address: str, stop: threading.Event):
        super().__init__(daemon=True)
        self.address, self.stop_event = f"{address}/api/v1/map/", stop
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        """One poll after the other."""
        etag = ""
        while not self.stop_event.wait(0.1):
            try:
                status, new = server.ask(self.address, server.HEADERS | {"If-None-Match": etag})
            except (OSError, http.client.HTTPException):
                self.counts["polls: no answer"] += 1
                continue
            etag = new or etag
            self.counts["polls" if status in (200, 304) else f"polls: {status}"] += 1


@contextmanager
def registry() -> Iterator[dict[str, str]]:
    """An empty database filled with tables, ready to be served: the environment for production's server."""
    # Sessions are signed with it: this process makes some for the server to take.
    os.environ["SECRET_KEY"] = "for this benchmark alone"
    pool = os.environ.pop("DATABASE_POOL_SIZE", "")
    os.environ["DATABASE_POOL_SIZE"] = "0"  # each lead here asks with a connection of its own
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder, empty_database():
        from django.conf import settings

        settings.SECRET_KEY = os.environ["SECRET_KEY"]
        Generator(tables=TABLES, services=20).run()
        environment = os.environ | {
            "DEBUG": "0",
            "ALLOWED_HOSTS": "127.0.0.1",
            "ANONYMOUS_READ": "1",
            "TRUST_PROXY": "1",
            "DATABASE_POOL_SIZE": pool or "4",
            "SNAPSHOT_DIR": folder,
        }
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
        subprocess.run(collect, cwd=server.ROOT, env=environment, check=True)
        yield environment


def sessions(number: int) -> list[str]:
    """Sign so many team leads in; the keys of their sessions."""
    from django.contrib.auth.models import Group, User
    from django.test import Client

    from ownership.models.rights import TEAM_LEADS

    keys = []
    for each in range(number):
        user, _ = User.objects.get_or_create(username=NAME.format(each))
        user.groups.add(Group.objects.get(name=TEAM_LEADS))
        client = Client()
        client.force_login(user)
        keys.append(client.cookies["sessionid"].value)
    return keys


def counted(threads: list[Any]) -> Counter[str]:
    """What all of them counted."""
    return sum((thread.counts for thread in threads), Counter())


def check(saved: list[Edit], unanswered: list[Edit], *, notes: bool = False) -> Counter[str]:
    """What is wrong with the history of these edits; empty where all is well.

    ``saved`` are those acknowledged; ``unanswered`` may be there or not, but not by half.
    """
    from ownership.audit.verification import Verification
    from ownership.history.models import ChangeSet, entries_of
    from ownership.models import Access, Table

    wrong: Counter[str] = Counter()
    acknowledged = set(saved)
    written: dict[str, list[Any]] = {}
    for change in ChangeSet.objects.filter(reason__contains=BETWEEN).order_by("revision"):
        written.setdefault(change.reason, []).append(change)
        wrong["wrong names"] += change.user_name != change.reason.partition(BETWEEN)[0]
    entries: dict[int, list[Any]] = {}
    for entry in entries_of(
        [change.revision for changes in written.values() for change in changes]
    ):
        entries.setdefault(entry.change_set_id, []).append(entry)
    last: dict[int, tuple[int, str]] = {}
    for edit in saved + unanswered:
        changes = written.pop(edit.value, [])
        wrong["acknowledged, not in the history"] += not changes and edit in acknowledged
        wrong["written more than once"] += len(changes) > 1
        for change in changes:
            of_table = [
                e
                for e in entries[change.revision]
                if e.instance_type is Table and e.id == edit.table
            ]
            of_access = [
                e
                for e in entries[change.revision]
                if e.instance_type is Access and e.table_id == edit.table
            ]
            wrong["half written"] += (len(of_table), len(of_access)) != (1, int(notes))
            recorded = [entry.changes.get("description") for entry in of_table]
            recorded += [[edit.shown, *entry.changes.get("notes", [])[1:]] for entry in of_access]
            wrong["other value than typed"] += any(
                not pair or pair[1] != edit.value for pair in recorded
            )
            # What was there before is what the form showed: nobody's edit was overwritten unseen.
            wrong["overwrote what it did not show"] += any(
                pair and pair[0] != edit.shown for pair in recorded
            )
            last[edit.table] = max(last.get(edit.table, (0, "")), (change.revision, edit.value))
    wrong["written, but never sent"] += len(written)
    live = dict(Table.objects.values_list("pk", "description"))
    wrong["live row unlike its last edit"] += sum(
        live[table] != value for table, (_, value) in last.items()
    )
    wrong["findings of verify_history"] += len(list(Verification().run()))
    return +wrong
