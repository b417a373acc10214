"""Is every change behind the registry's back found? ``python benchmarks/tampering.py [TIMES]``.

Makes a registry with some eighty revisions and keeps its head. Then, 1,000 times by default: one random tampering by
raw SQL as the owner of the database, triggers dropped; `verify_history --head`'s verification; and all of it rolled
back. Prints how many of each kind were made and found, and fails unless all were. SQLite in a temporary directory;
`python -m tests.support.postgres python benchmarks/tampering.py` for PostgreSQL.
"""

import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))


class Tamperer:
    """Knows the database as its owner does: tables, columns, rows; nothing of the application but how it digests."""

    def __init__(self, seed: int) -> None:
        from ownership.history.models import ChangeSet, entry_models, registry_models

        self.random = Random(seed)
        self.entries = [model._meta.db_table for model in entry_models()]
        self.key = {model._meta.db_table: model._meta.pk.column for model in [*registry_models(), *entry_models()]}
        self.key |= {"ownership_changeset": "revision"}
        # A history row's own number says nothing but order; another order is what `swap` makes.
        self.columns = {
            model._meta.db_table: [field for field in model._meta.concrete_fields if field.column != "history_id"]
            for model in [ChangeSet, *registry_models(), *entry_models()]
        }

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def some(self, table: str, column: str, least: int = 1) -> list[Any]:
        """Keys of rows, in random order; of fewer than asked none."""
        found = [row[0] for row in self.sql(f"SELECT {column} FROM {table} ORDER BY 1")]
        self.random.shuffle(found)
        return found if len(found) >= least else []

    def a_table(self, history: bool | None = None) -> str:
        names = [name for name in self.key if history is None or name.startswith("ownership_historical") == history]
        return self.random.choice([name for name in names if self.some(name, self.key[name])])

    def other(self, field: Any, value: Any) -> Any:
        """Another value that the column takes."""
        kind = field.get_internal_type()
        if kind == "JSONField":
            held = json.loads(value)
            return json.dumps([*held, "x"] if isinstance(held, list) else held | {"name": [None, "x"]})
        if kind == "BooleanField":
            return not value
        if kind == "DateTimeField":
            return "2026-01-01 00:00:00.000001"
        if kind == "DateField":
            return "2026-01-01"
        if kind in ("CharField", "TextField", "URLField", "SlugField"):
            letters = list(value or "")
            if letters and self.random.random() < 0.5:
                letters[self.random.randrange(len(letters))] = self.random.choice("xyz→ ")
                return "".join(letters)
            return (value or "") + self.random.choice("xyz ")
        return (value or 0) + self.random.choice([1, 2, 1000])

    def edit(self) -> None:
        """Another value in one column of one row: of an entry, a change set or the live map."""
        table = self.a_table()
        field = self.random.choice(self.columns[table])
        key = self.some(table, self.key[table])[0]
        [(value,)] = self.sql(f"SELECT {field.column} FROM {table} WHERE {self.key[table]} = %s", key)
        self.sql(f"UPDATE {table} SET {field.column} = %s WHERE {self.key[table]} = %s", self.other(field, value), key)

    def delete(self) -> None:
        """One to three rows gone."""
        table = self.a_table()
        for key in self.some(table, self.key[table])[: self.random.randint(1, 3)]:
            self.sql(f"DELETE FROM {table} WHERE {self.key[table]} = %s", key)

    def insert(self) -> None:
        """A row like another, under a number of its own."""
        table = self.a_table()
        key = self.some(table, self.key[table])[0]
        chosen: dict[str, str] = {"digest": f"'{self.random.randbytes(32).hex()}'"}
        chosen |= {"sequence": str(self.random.randint(1, 50)), "revision": str(self.random.randint(1, 200))}
        chosen |= {"name": f"'made-up-{self.random.randint(1, 99)}'"} if "historical" not in table else {}
        if "historical" not in table and table != "ownership_changeset":
            chosen["id"] = str(self.random.randint(5_000, 9_000))
        columns = [field.column for field in self.columns[table]]
        values = ", ".join(chosen.get(column, column) for column in columns)
        self.sql(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {self.key[table]} = %s", key
        )

    def swap(self) -> None:
        """Two rows exchange the values of one column, or two change sets their whole place in history."""
        if self.random.random() < 0.3:
            one, other = self.some("ownership_changeset", "revision")[:2]
            places = [("ownership_changeset", "revision"), *((table, "change_set_id") for table in self.entries)]
            for old, new in ((one, -one), (other, one), (-one, other)):
                for table, column in places:
                    self.sql(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", new, old)
            return
        table = self.a_table()
        field, keys = self.random.choice(self.columns[table]), self.some(table, self.key[table], least=2)
        value = {
            key: self.sql(f"SELECT {field.column} FROM {table} WHERE {self.key[table]} = %s", key)[0][0]
            for key in keys[:2]
        }
        for key, other in zip(keys[:2], keys[1::-1], strict=True):
            self.sql(f"UPDATE {table} SET {field.column} = %s WHERE {self.key[table]} = %s", value[other], key)

    def cut(self) -> None:
        """The last revisions gone, the live map put back to where it stood before: all is whole but the end."""
        from ownership.history.models import ChangeSet, registry_models

        last = ChangeSet.objects.latest("revision").revision - self.random.randint(1, 5)
        for model in registry_models():
            live, entry = model._meta.db_table, model.history.model._meta.db_table
            columns = ", ".join(field.column for field in model._meta.concrete_fields)
            self.sql(f"DELETE FROM {entry} WHERE change_set_id > %s", last)
            self.sql(f"DELETE FROM {live}")
            self.sql(
                f"INSERT INTO {live} ({columns}) SELECT {columns} FROM {entry} WHERE history_type <> '-' "
                f"AND history_id IN (SELECT max(history_id) FROM {entry} GROUP BY id)"
            )
        self.sql("DELETE FROM ownership_changeset WHERE revision > %s", last)

    def rewrite(self) -> None:
        """Who did something or why is changed, and every digest after it made right again."""
        from ownership.history.change_sets import chain_digest, entry_content
        from ownership.history.models import ChangeSet, entries_of

        revision = self.random.choice(self.some("ownership_changeset", "revision"))
        column = self.random.choice(["user_name", "reason", "user_id"])
        value = self.random.randint(1_000, 9_000) if column == "user_id" else f"somebody {self.random.random()}"
        self.sql(f"UPDATE ownership_changeset SET {column} = %s WHERE revision = %s", value, revision)
        previous = ""
        for change in ChangeSet.objects.order_by("revision"):
            contents = (
                [entry_content(row) for row in entries_of([change.revision])] if change.revision >= revision else []
            )
            previous = chain_digest(previous, change, contents) if contents else change.digest
            self.sql("UPDATE ownership_changeset SET digest = %s WHERE revision = %s", previous, change.revision)


def make_history(random: Random) -> None:
    """The seed, and some eighty edits, hand-overs, creations and deletions."""
    from django.core.management import call_command

    from ownership.history.change_sets import change_set
    from ownership.models import Access, Service, Table

    call_command("migrate", verbosity=0)
    call_command("seed", verbosity=0)
    for number in range(80):
        with change_set(reason=f"Edit {number}"):
            table = random.choice(Table.objects.order_by("pk"))
            table.description = f"Edited {number} times."
            table.owner = random.choice(Service.objects.order_by("pk"))
            table.save()
            access = random.choice(Access.objects.order_by("pk"))
            if number % 7 == 0:
                access.delete()
            else:
                access.mode = random.choice(["read", "write", "read_write"])
                access.save()
            if number % 5 == 0:
                Service.objects.create(name=f"new-{number}")


def measure(times: int) -> None:
    """Tamper, verify, roll back, count."""
    from django.db import DatabaseError, connection, transaction

    from ownership.audit.verification import Verification
    from ownership.history.append_only import drop_triggers
    from ownership.history.head import Head
    from ownership.history.models import ChangeSet
    from tests.support.rows import all_rows

    tamperer = Tamperer(7)
    make_history(tamperer.random)
    change = ChangeSet.objects.latest("revision")
    head = Head(change.revision, change.digest)
    assert list(Verification(head).run()) == []
    before = all_rows()
    kinds = [tamperer.edit, tamperer.delete, tamperer.insert, tamperer.swap, tamperer.cut, tamperer.rewrite]
    made, found, alone = Counter[str](), Counter[str](), Counter[str]()
    while made.total() < times:
        kind = kinds[made.total() % len(kinds)]
        with transaction.atomic():
            drop_triggers(connection)
            try:
                with transaction.atomic():
                    if connection.vendor == "postgresql":
                        tamperer.sql("SET CONSTRAINTS ALL DEFERRED")
                    kind()
            except (DatabaseError, ValueError):  # the database does not take it, or there are too few rows for it
                transaction.set_rollback(True)
                continue
            if all_rows() != before:
                made[kind.__name__] += 1
                found[kind.__name__] += (told := _findings(Verification(head))) > 0
                alone[kind.__name__] += _findings(Verification()) > 0
                if not told:
                    after = all_rows()
                    print(
                        "NOT FOUND",
                        kind.__name__,
                        [set(after[t]) ^ set(before[t]) for t in before if after[t] != before[t]],
                    )
            transaction.set_rollback(True)
    assert all_rows() == before
    print(f"{connection.vendor}: {found.total()} of {made.total()} tamperings found, in {head.revision} revisions")
    for name in made:
        print(f"  {name:10}{found[name]:5} of {made[name]}, without a kept head {alone[name]}")
    if found != made:
        sys.exit(1)


def _findings(verification: Any) -> int:
    """How many; a database torn so far apart that it can't even be read counts as one."""
    from django.db import DatabaseError, transaction

    try:
        with transaction.atomic():
            return len(list(verification.run()))
    except DatabaseError:
        return 1


def main() -> None:
    """Choose the database, then run."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "registry.settings", "DEBUG": "1"}
    with tempfile.TemporaryDirectory(prefix="registry-benchmark-") as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/registry.sqlite3")
        import django
        from django.conf import settings

        django.setup()
        settings.DEBUG = False  # or Django keeps every query in memory
        measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)


if __name__ == "__main__":
    main()
