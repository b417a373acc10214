"""The database's schema: what it consists of, and where it differs from what our migrations and set-up make.

To know what they make, they run in a scratch place that is thrown away: a temporary file on SQLite; on PostgreSQL, a
schema inside a transaction that is rolled back. So no list of triggers, columns and functions has to be kept by hand.
"""

import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from ownership.audit.text_index import create_text_indexes
from ownership.history.append_only import create_triggers
from ownership.operations.setup import indexed_texts

# What a schema consists of: {"trigger ownership_changeset append_only": its definition}.
Objects = dict[str, str]
MIGRATE_MENDS = ("trigger", "function", "index")

_SQLITE_REFERENCE = "reference"  # alias of the temporary file


def schema_differences() -> Iterator[str]:
    """Where the schema is not what the registry makes, in sentences. Changes nothing.

    On PostgreSQL it takes the right to create a schema, which the owner of the database has.
    """
    try:
        expected = _expected_objects()
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        yield f"The schema could not be checked ({reason}). Run this as the owner of the database, on the primary."
        return
    yield from described_differences(expected, schema_objects(connection))


def described_differences(expected: Objects, actual: Objects) -> Iterator[str]:
    """What is missing, unknown or different, in sentences."""
    for name in sorted(expected.keys() | actual.keys()):
        cure = ""
        if name.startswith(MIGRATE_MENDS):
            cure = " `manage.py migrate` makes it again."
        if name not in actual:
            yield f"{name}: missing.{cure}"
        elif name not in expected:
            yield f"{name}: unknown. The registry does not make it."
        elif actual[name] != expected[name]:
            yield f"{name}: differs from what the registry makes.{cure} It is: {_short(actual[name])}"


def schema_objects(connection: BaseDatabaseWrapper) -> Objects:
    """Everything in the schema that this connection uses: tables, columns, constraints, triggers, functions, …"""
    if connection.vendor == "postgresql":
        return _postgresql_objects(connection)
    return _sqlite_objects(connection)


def _expected_objects() -> Objects:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
            (has_trigrams,) = cursor.fetchone()
        return _expected_on_postgresql(bool(has_trigrams))
    return _expected_on_sqlite()


# SQLite


@cache
def _expected_on_sqlite() -> Objects:
    with tempfile.TemporaryDirectory(prefix="registry-reference-") as folder:
        # A connection of its own: ours may be inside a transaction. Migrations find it by its alias.
        settings = {
            **connections[DEFAULT_DB_ALIAS].settings_dict,
            "NAME": str(Path(folder, "reference.sqlite3")),
        }
        reference = type(connections[DEFAULT_DB_ALIAS])(settings, _SQLITE_REFERENCE)
        connections[_SQLITE_REFERENCE] = reference
        try:
            with reference.cursor() as cursor:
                # Nobody misses this file if the machine fails meanwhile.
                cursor.execute("PRAGMA synchronous = OFF")
            _make_schema(reference)
            return _sqlite_objects(reference)
        finally:
            reference.close()
            del connections[_SQLITE_REFERENCE]


def _make_schema(connection: BaseDatabaseWrapper) -> None:
    """Make the whole schema in an empty place."""
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    create_triggers(connection)
    create_text_indexes(connection, indexed_texts())


def _sqlite_objects(connection: BaseDatabaseWrapper) -> Objects:
    objects: Objects = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        for kind, name, table, sql in cursor.fetchall():
            objects[f"{kind} {name}"] = ""
            if kind in ("trigger", "view") or sql.upper().startswith("CREATE VIRTUAL"):
                objects[f"{kind} {name}"] = " ".join(sql.split())
            elif kind == "index":
                objects[f"{kind} {name}"] = _sqlite_index(cursor, name, table)
            if kind == "table":
                objects |= _sqlite_columns(cursor, name)
    return objects


def _sqlite_index(cursor, name: str, table: str) -> str:
    """Not its SQL, which differs with the version of Django that wrote it."""
    cursor.execute(
        'SELECT "unique", partial FROM pragma_index_list(%s) WHERE name = %s', [table, name]
    )
    unique, partial = cursor.fetchone()
    cursor.execute("SELECT name FROM pragma_index_info(%s) ORDER BY seqno", [name])
    columns = ", ".join(str(column) for (column,) in cursor.fetchall())
    return f"{table} ({columns}) unique {unique} partial {partial}"


def _sqlite_columns(cursor, table: str) -> Objects:
    """The table's columns and foreign keys."""
    objects: Objects = {}
    cursor.execute(
        'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(%s)', [table]
    )
    for name, kind, not_null, default, key, hidden in cursor.fetchall():
        objects[f"column {table} {name}"] = (
            f"{kind} not null {not_null} default {default} key {key} hidden {hidden}"
        )
    cursor.execute('SELECT "from", "table", "to" FROM pragma_foreign_key_list(%s)', [table])
    for column, target, target_column in cursor.fetchall():
        objects[f"foreign key {table} {column}"] = f"{target} {target_column}"
    return objects


# PostgreSQL


@cache
def _expected_on_postgresql(has_trigrams: bool) -> Objects:
    # `has_trigrams` is the key of the cache: without the extension there are no search indexes.
    with transaction.atomic():
        with scratch_schema():
            _make_schema(connection)
            objects = _postgresql_objects(connection)
        transaction.set_rollback(True)
    return objects


@contextmanager
def scratch_schema() -> Iterator[str]:
    """Make everything inside find an empty schema in place of ours. Needs a transaction; yields the schema's name."""
    name = f"registry_scratch_{secrets.token_hex(6)}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {name}")
        cursor.execute("SHOW search_path")
        (search_path,) = cursor.fetchone()
        cursor.execute(f"SET LOCAL search_path = {name}")
    yield name
    # After an exception the transaction is rolled back, and the path with it.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', %s, true)", [search_path])


# What belongs to an extension is not ours; its oid stands for "this object belongs to one".
_OF_EXTENSION = "EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = {catalog} AND e.objid = {oid} AND e.deptype = 'e')"
_OURS = "n.nspname = current_schema() AND NOT " + _OF_EXTENSION.format(
    catalog="'pg_class'::regclass", oid="c.oid"
)

# Each query gives rows of (name of the object, its definition). All parts of them are written here.
_POSTGRESQL_QUERIES = (
    f"""
    SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
           WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
           WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'relation' END || ' ' || c.relname,
           CASE WHEN i.indexrelid IS NULL THEN c.relkind::text || c.relpersistence::text
           ELSE pg_get_indexdef(c.oid) || ' valid ' || i.indisvalid || ' ready ' || i.indisready END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE {_OURS}
    """,
    f"""
    SELECT 'column ' || c.relname || ' ' || a.attname,
           format_type(a.atttypid, a.atttypmod) || ' not null ' || a.attnotnull || ' identity ' || a.attidentity::text
           || ' generated ' || a.attgenerated::text || ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE {_OURS} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    """,
    # From version 18 on, NOT NULL is a constraint (n), too. The columns have it already.
    f"""
    SELECT 'constraint ' || c.relname || ' ' || k.conname, pg_get_constraintdef(k.oid) || ' valid ' || k.convalidated
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS} AND k.contype NOT IN ('n', 't')
    """,
    f"""
    SELECT 'trigger ' || c.relname || ' ' || t.tgname, pg_get_triggerdef(t.oid) || ' enabled ' || t.tgenabled::text
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS} AND NOT t.tgisinternal
    """,
    f"""
    SELECT DISTINCT 'foreign keys of ' || c.relname, 'switched off'
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS} AND t.tgisinternal AND t.tgenabled <> 'O'
    """,
    f"""
    SELECT 'row security ' || c.relname, 'forced ' || c.relforcerowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS} AND (c.relrowsecurity OR c.relforcerowsecurity)
    """,
    f"""
    SELECT 'policy ' || c.relname || ' ' || p.polname, ''
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}
    """,
    f"""
    SELECT 'rule ' || c.relname || ' ' || r.rulename, pg_get_ruledef(r.oid)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS} AND r.rulename <> '_RETURN'
    """,
    # A table that inherits from ours adds its rows to ours, from whatever schema it is in.
    f"""
    SELECT 'heir of ' || c.relname || ' ' || h.inhrelid::regclass::text, ''
    FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS}
    """,
    f"""
    SELECT 'function ' || p.oid::regprocedure::text,
           CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = current_schema() AND NOT {_OF_EXTENSION.format(catalog="'pg_proc'::regclass", oid="p.oid")}
    """,
    # All other kinds: types, operators, collations, … The registry makes none of them.
    f"""
    SELECT i.type || ' ' || i.identity, ''
    FROM pg_depend d, pg_identify_object(d.classid, d.objid, d.objsubid) i
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = current_schema()::regnamespace
    AND d.deptype = 'n' AND d.classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_extension'::regclass)
    AND NOT {_OF_EXTENSION.format(catalog="d.classid", oid="d.objid")}
    """,
)


def _postgresql_objects(connection: BaseDatabaseWrapper) -> Objects:
    objects: Objects = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
        for query in _POSTGRESQL_QUERIES:
            cursor.execute(query)
            for name, definition in cursor.fetchall():
                # The same object reads the same in each schema.
                definition = definition.replace(f"{schema}.", "").replace("public.", "")
                if name.startswith("constraint "):
                    definition = _without_text_casts(definition)
                objects[name.replace(f"{schema}.", "")] = definition
    return objects


_TEXT_CAST = re.compile(r"::(?:character varying|text)(?:\[\])?")
_NEEDLESS_BRACKETS = re.compile(r"\(('(?:[^']|'')*'|ARRAY\[[^\]]*\])\)")


def _without_text_casts(definition: str) -> str:
    """The definition without casts among text types, and without the brackets that they leave around one value.

    PostgreSQL writes ``ANY ((ARRAY['a'::character varying])::text[])``, and the same constraint differently once it
    was dumped and loaded: ``ANY (ARRAY[('a'::character varying)::text])``.
    """
    plain = _TEXT_CAST.sub("", definition)
    while True:
        shorter = _NEEDLESS_BRACKETS.sub(r"\1", plain)
        if shorter == plain:
            return plain
        plain = shorter


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 300 else f"{text[:300]}…"
