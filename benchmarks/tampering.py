"""Is every change behind the registry's back found? ``python benchmarks/tampering.py [TIMES]``.

Makes a registry with some forty revisions and keeps its head. Then, 1,000 times by default: one random tampering by
raw SQL as the owner of the database, triggers dropped; `verify_history --head`'s verification; and all of it rolled
back. Among them are values in forms that Django does not write, a changed schema, and on SQLite a changed search
index. Prints how many of each kind were made and found, and fails unless all were and nothing crashed. One in ten is
also looked for without the kept head. 10,000 take a processor some twenty minutes. SQLite in a temporary directory;
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


# One tampering in so many is also looked for without the head.
WITHOUT_HEAD = 10
# Values that Django does not write, as SQL; {c} is the column that they are written to.
FORMS = {
    "sqlite": [
        "CAST({c} AS BLOB)",
        "CAST(x'ff' AS TEXT)",
        "zeroblob(3)",
        "replace({c}, ' ', 'T')",
        "{c} || '+00:00'",
        "substr({c}, 1, 10)",
        "' ' || {c}",
        "{c} || char(0)",
        "'2026-02-31 10:00:00'",
        "'0000-01-01 00:00:00'",
        "'9999-12-31 23:59:60'",
        "'{\"name\": [1, 2], ' || substr({c}, 2)",
        '\'{"name": [null, "\\ud800"]}\'',
        "'{\"name\": ' || replace(hex(zeroblob(3000)), '0', '9') || '}'",
        "'{\"name\": NaN}'",
        "replace(hex(zeroblob(3000)), '0', '[') || replace(hex(zeroblob(3000)), '0', ']')",
        "1.5",
        "0",
        "-1",
        "9e999",
        "9223372036854775807",
        "99999999999999999999",
        "CAST({c} AS REAL)",
        "CAST({c} AS TEXT)",
        "'x'",
        "''",
        "NULL",
    ],
    "postgresql": [
        "'infinity'",
        "'-infinity'",
        "'0044-03-15 BC'",
        "'20000-01-01'",
        "0",
        "-1",
        "4611686018427387904",
        "'null'",
        "'[]'",
        "'\"x\"'",
        "'{\"name\": 1e400}'",
        "('{\"name\": ' || repeat('9', 5000) || '}')::jsonb",
        "(repeat('[', 3000) || repeat(']', 3000))::jsonb",
        '\'{"name": [null, "\\u0001"]}\'',
        "{c} || ' '",
        "''",
        "NULL",
    ],
}


class Tamperer:
    """Knows the database as its owner does: tables, columns, rows; nothing of the application but how it digests."""

    def __init__(self, seed: int) -> None:
        from ownership.history.models import ChangeSet, entry_models, registry_models

        self.random = Random(seed)
        self.entries = [model._meta.db_table for model in entry_models()]
        self.key = {
            model._meta.db_table: model._meta.pk.column
            for model in [*registry_models(), *entry_models()]
        }
        self.key |= {"ownership_changeset": "revision"}
        # A history row's own number says nothing but order; another order is what `swap` makes.
        self.columns = {
            model._meta.db_table: [
                field for field in model._meta.concrete_fields if field.column != "history_id"
            ]
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
        names = [
            name
            for name in self.key
            if history is None or name.startswith("ownership_historical") == history
        ]
        return self.random.choice([name for name in names if self.some(name, self.key[name])])

    def other(self, field: Any, value: Any) -> Any:
        """Another value that the column takes."""
        kind = field.get_internal_type()
        if kind == "JSONField":
            held = json.loads(value)
            return json.dumps(
                [*held, "x"] if isinstance(held, list) else held | {"name": [None, "x"]}
            )
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
        [(value,)] = self.sql(
            f"SELECT {field.column} FROM {table} WHERE {self.key[table]} = %s", key
        )
        self.sql(
            f"UPDATE {table} SET {field.column} = %s WHERE {self.key[table]} = %s",
            self.other(field, value),
            key,
        )

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
        chosen |= {
            "sequence": str(self.random.randint(1, 50)),
            "revision": str(self.random.randint(1, 200)),
        }
        chosen |= (
            {"name": f"'made-up-{self.random.randint(1, 99)}'"} if "historical" not in table else {}
        )
        if "historical" not in table and table != "ownership_changeset":
            chosen["id"] = str(self.random.randint(5_000, 9_000))
        columns = [field.column for field in self.columns[table]]
        values = ", ".join(chosen.get(column, column) for column in columns)
        self.sql(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {self.key[table]} = %s",
            key,
        )

    def swap(self) -> None:
        """Two rows exchange the values of one column, or two change sets their whole place in history."""
        if self.random.random() < 0.3:
            one, other = self.some("ownership_changeset", "revision")[:2]
            places = [
                ("ownership_changeset", "revision"),
                *((table, "change_set_id") for table in self.entries),
            ]
            for old, new in ((one, -one), (other, one), (-one, other)):
                for table, column in places:
                    self.sql(f"UPDATE {table} SET {column} = %s WHERE {column} = %s", new, old)
            return
        table = self.a_table()
        field, keys = (
            self.random.choice(self.columns[table]),
            self.some(table, self.key[table], least=2),
        )
        value = {
            key: self.sql(f"SELECT {field.column} FROM {table} WHERE {self.key[table]} = %s", key)[
                0
            ][0]
            for key in keys[:2]
        }
        for key, other in zip(keys[:2], keys[1::-1], strict=True):
            self.sql(
                f"UPDATE {table} SET {field.column} = %s WHERE {self.key[table]} = %s",
                value[other],
                key,
            )

    def form(self) -> None:
        """A value stored in a form that Django does not write, in one column of one row."""
        from django.db import connection

        table = self.a_table()
        field = self.random.choice([*self.columns[table], None])
        column = field.column if field else self.key[table]
        key = self.some(table, self.key[table])[0]
        forms = FORMS[connection.vendor]
        if connection.vendor == "sqlite":
            self.sql("PRAGMA ignore_check_constraints = ON")
        value = self.random.choice(forms).replace("{c}", column)
        try:
            self.sql(f"UPDATE {table} SET {column} = {value} WHERE {self.key[table]} = {int(key)}")
        finally:
            if connection.vendor == "sqlite":
                self.sql("PRAGMA ignore_check_constraints = OFF")

    def index(self) -> None:
        """SQLite's search index emptied, torn, or with other words in it."""
        table = self.random.choice(["ownership_table", "ownership_access"])
        column = {"ownership_table": "description", "ownership_access": "notes"}[table]
        choices = [
            f"INSERT INTO {table}_text ({table}_text) VALUES ('delete-all')",
            f"DELETE FROM {table}_text_data WHERE id > {self.random.choice([0, 1, 10, 100])}",
            f"DELETE FROM {table}_text_idx",
            f"UPDATE {table}_text_data SET block = zeroblob({self.random.randint(1, 40)}) WHERE id > 10",
            f"INSERT INTO {table}_text (rowid, {column}) VALUES ({self.random.randint(1, 9999)}, 'shadow')",
        ]
        self.sql(self.random.choice(choices))

    def schema(self) -> None:
        """A trigger or function without effect or gone, row security, or an object that the registry does not make."""
        from django.db import connection

        from ownership.history.append_only import append_only_tables
        from tests.support.foreign_objects import UNKNOWN

        table = self.random.choice(append_only_tables())
        choices = [foreign.sql for foreign in UNKNOWN[connection.vendor].values()]
        if connection.vendor == "postgresql":
            self.sql("SET CONSTRAINTS ALL IMMEDIATE")
            choices += [
                f"ALTER TABLE {table} DISABLE TRIGGER append_only",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                f"DROP TRIGGER append_only ON {table}",
                f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
                f"CREATE RULE shadow AS ON UPDATE TO {table} DO INSTEAD NOTHING",
                "CREATE OR REPLACE FUNCTION ownership_refuse_history_change() RETURNS trigger LANGUAGE plpgsql "
                "AS $$ BEGIN RETURN NEW; END $$",
            ]
        else:
            name = f"{table}_no_{self.random.choice(['update', 'delete', 'replace'])}"
            event = self.random.choice(["UPDATE", "DELETE", "INSERT"])
            self.sql(f"DROP TRIGGER {name}")
            choices += [
                "SELECT 1",
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} BEGIN SELECT 1; END",
            ] * 3
        self.sql(self.random.choice(choices))

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
        value = (
            self.random.randint(1_000, 9_000)
            if column == "user_id"
            else f"somebody {self.random.random()}"
        )
        self.sql(
            f"UPDATE ownership_changeset SET {column} = %s WHERE revision = %s", value, revision
        )
        previous = ""
        for change in ChangeSet.objects.order_by("revision"):
            contents = (
                [entry_content(row) for row in entries_of([change.revision])]
                if change.revision >= revision
                else []
            )
            previous = chain_digest(previous, change, contents) if contents else change.digest
            self.sql(
                "UPDATE ownership_changeset SET digest = %s WHERE revision = %s",
                previous,
                change.revision,
            )


def make_history(random: Random) -> None:
    """The seed, and some forty edits, hand-overs, creations and deletions."""
    from django.core.management import call_command

    from ownership.history.change_sets import change_set
    from ownership.models import Access, Service, Table

    call_command("migrate", verbosity=0)
    call_command("seed", verbosity=0)
    for number in range(40):
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

    from ownership.history.append_only import drop_triggers
    from ownership.history.models import current_head
    from ownership.operations.schema import schema_objects

    tamperer = Tamperer(7)
    make_history(tamperer.random)
    head = current_head()
    assert findings([head], with_schema=True) == 0
    before, schema = rows(), schema_objects(connection)
    kinds = [
        tamperer.edit,
        tamperer.delete,
        tamperer.insert,
        tamperer.swap,
        tamperer.cut,
        tamperer.rewrite,
    ]
    kinds += [tamperer.form, tamperer.form, tamperer.schema]
    if connection.vendor == "sqlite":
        kinds.append(tamperer.index)
    made, found = Counter[str](), Counter[str]()
    looked_for_alone, alone = Counter[str](), Counter[str]()
    number = crashed = 0
    while made.total() < times:
        kind = kinds[number % len(kinds)]
        number += 1
        name = kind.__name__
        with transaction.atomic():
            if name != "schema":
                drop_triggers(connection)
            try:
                with transaction.atomic():
                    if connection.vendor == "postgresql":
                        tamperer.sql("SET CONSTRAINTS ALL DEFERRED")
                    kind()
            except (
                DatabaseError,
                ValueError,
            ):  # the database does not take it, or there are too few rows for it
                transaction.set_rollback(True)
                continue
            after = rows()
            is_other = after != before
            if name == "index":
                is_other = not search_works()
            if name == "schema":
                is_other = schema_objects(connection) != schema
            if is_other:
                made[name] += 1
                try:
                    with_head = findings([head], with_schema=name == "schema")
                    found[name] += with_head > 0
                    if made.total() % WITHOUT_HEAD == 0:
                        looked_for_alone[name] += 1
                        alone[name] += findings([], with_schema=name == "schema") > 0
                except Exception as error:
                    crashed += 1
                    print("CRASHED", name, repr(error))
                else:
                    if not with_head:
                        print("NOT FOUND", name, difference(before, after))
            transaction.set_rollback(True)
    assert rows() == before
    print(
        f"{connection.vendor}: {found.total()} of {made.total()} tamperings found, in {head.revision} revisions"
    )
    print(f"  {crashed} crashed the verification")
    for name in made:
        without_head = f"without a kept head {alone[name]} of {looked_for_alone[name]}"
        print(f"  {name:10}{found[name]:5} of {made[name]}, {without_head}")
    if found != made or crashed:
        sys.exit(1)


def rows() -> dict[str, list[tuple[Any, ...]]] | None:
    """All rows, or None if one can't be read."""
    from django.db import DatabaseError, transaction

    from tests.support.rows import all_rows

    try:
        with transaction.atomic():
            return all_rows()
    except (DatabaseError, ValueError):
        return None


def search_works() -> bool:
    """Whether the index finds for every three letters the rows that contain them."""
    from django.db import DatabaseError, connection

    with connection.cursor() as cursor:
        for table, columns in (
            ("ownership_table", "name, description"),
            ("ownership_access", "notes"),
        ):
            cursor.execute(f"SELECT id, {columns} FROM {table}")
            texts = [(row[0], text.lower()) for row in cursor.fetchall() for text in row[1:]]
            words = {
                text[start : start + 3]
                for _, text in [*texts, (0, "shadow")]
                for start in range(len(text) - 2)
            }
            for word in words:
                phrase = '"' + word.replace('"', '""') + '"'
                try:
                    cursor.execute(
                        f"SELECT rowid FROM {table}_text WHERE {table}_text MATCH %s", [phrase]
                    )
                    found = {row[0] for row in cursor.fetchall()}
                except DatabaseError:
                    return False
                if found != {row for row, text in texts if word in text}:
                    return False
    return True


def difference(before: Any, after: Any) -> Any:
    """The rows that differ."""
    if after is None:
        return "unreadable"
    return [set(map(repr, after[table])) ^ set(map(repr, before[table])) for table in before]


def findings(heads: list[Any], with_schema: bool) -> int:
    """How many there are. The schema is looked at where it was tampered with: ours has no triggers meanwhile."""
    from django.db import transaction

    from ownership.audit.text_index import stale_text_indexes
    from ownership.audit.verification import Verification
    from ownership.operations.setup import indexed_texts
    from ownership.operations.verify import all_findings

    with transaction.atomic():
        if with_schema:
            count = len(list(all_findings(Verification(heads))))
        else:
            count = len([*stale_text_indexes(indexed_texts()), *Verification(heads).run()])
        # A row that can't be read ends PostgreSQL's transaction.
        transaction.set_rollback(True)
    return count


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
