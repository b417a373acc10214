"""Objects in the schema that the registry does not make, or makes differently, for tests that must find them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ForeignObject:
    """SQL that makes one, the name under which it has to be reported, and SQL that removes it."""

    sql: str
    name: str
    undo: str


PROMOTE = "UPDATE auth_user SET is_superuser = {true};"
VIEW = ForeignObject(
    "CREATE VIEW shadow_view AS SELECT * FROM ownership_service",
    "view shadow_view",
    "DROP VIEW shadow_view",
)
TABLE = ForeignObject(
    "CREATE TABLE shadow_table (id integer)", "table shadow_table", "DROP TABLE shadow_table"
)
INDEX = ForeignObject(
    "CREATE INDEX shadow_index ON ownership_service (description)",
    "index shadow_index",
    "DROP INDEX shadow_index",
)
COLUMN = ForeignObject(
    "ALTER TABLE ownership_service ADD COLUMN shadow text",
    "column ownership_service shadow",
    "ALTER TABLE ownership_service DROP COLUMN shadow",
)

# What the registry does not make. A backup with one of them is refused.
UNKNOWN = {
    "sqlite": {
        "trigger": ForeignObject(
            f"CREATE TRIGGER promote AFTER INSERT ON ownership_changeset BEGIN {PROMOTE.format(true=1)} END",
            "trigger promote",
            "DROP TRIGGER promote",
        ),
        "view": VIEW,
        "table": TABLE,
        "index": INDEX,
        "column": COLUMN,
    },
    "postgresql": {
        "function": ForeignObject(
            "CREATE FUNCTION promote() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {PROMOTE.format(true='true')} RETURN NEW; END $$",
            "function promote()",
            "DROP FUNCTION promote()",
        ),
        "trigger": ForeignObject(
            "CREATE TRIGGER promote AFTER INSERT ON ownership_changeset "
            "FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "trigger ownership_changeset promote",
            "DROP TRIGGER promote ON ownership_changeset",
        ),
        "view": VIEW,
        "materialized view": ForeignObject(
            "CREATE MATERIALIZED VIEW shadow_rows AS SELECT 1",
            "materialized view shadow_rows",
            "DROP MATERIALIZED VIEW shadow_rows",
        ),
        "table": TABLE,
        "index": INDEX,
        "column": COLUMN,
        "constraint": ForeignObject(
            "ALTER TABLE ownership_service ADD CONSTRAINT shadow CHECK (id > 0)",
            "constraint ownership_service shadow",
            "ALTER TABLE ownership_service DROP CONSTRAINT shadow",
        ),
        "rule": ForeignObject(
            "CREATE RULE shadow AS ON INSERT TO ownership_waiver DO ALSO DELETE FROM auth_user",
            "rule ownership_waiver shadow",
            "DROP RULE shadow ON ownership_waiver",
        ),
        "policy": ForeignObject(
            "CREATE POLICY shadow ON ownership_table USING (id < 5)",
            "policy ownership_table shadow",
            "DROP POLICY shadow ON ownership_table",
        ),
        "row security": ForeignObject(
            "ALTER TABLE ownership_table ENABLE ROW LEVEL SECURITY",
            "row security ownership_table",
            "ALTER TABLE ownership_table DISABLE ROW LEVEL SECURITY",
        ),
        "type": ForeignObject(
            "CREATE DOMAIN shadow_word AS text", "type shadow_word", "DROP DOMAIN shadow_word"
        ),
        "operator": ForeignObject(
            "CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
            "operator ===(pg_catalog.text,pg_catalog.text)",
            "DROP OPERATOR === (text, text)",
        ),
    },
}
