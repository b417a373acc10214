"""Objects in the schema that the registry does not make, or makes differently, for tests that must find them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ForeignObject:
    """SQL that makes one, and the name under which it has to be reported."""

    sql: str
    name: str


PROMOTE = "UPDATE auth_user SET is_superuser = {true};"

# What the registry does not make. A backup with one of them is refused.
UNKNOWN = {
    "sqlite": {
        "trigger": ForeignObject(
            f"CREATE TRIGGER promote AFTER INSERT ON ownership_changeset BEGIN {PROMOTE.format(true=1)} END",
            "trigger promote",
        ),
        "view": ForeignObject("CREATE VIEW shadow AS SELECT * FROM ownership_service", "view shadow"),
        "table": ForeignObject("CREATE TABLE shadow (id integer)", "table shadow"),
        "index": ForeignObject("CREATE INDEX shadow ON ownership_service (description)", "index shadow"),
        "column": ForeignObject(
            "ALTER TABLE ownership_service ADD COLUMN shadow text", "column ownership_service shadow"
        ),
    },
    "postgresql": {
        "function": ForeignObject(
            "CREATE FUNCTION promote() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {PROMOTE.format(true='true')} RETURN NEW; END $$",
            "function promote()",
        ),
        "trigger": ForeignObject(
            "CREATE TRIGGER promote AFTER INSERT ON ownership_changeset "
            "FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "trigger ownership_changeset promote",
        ),
        "view": ForeignObject("CREATE VIEW shadow AS SELECT * FROM ownership_service", "view shadow"),
        "materialized view": ForeignObject("CREATE MATERIALIZED VIEW shadow AS SELECT 1", "materialized view shadow"),
        "table": ForeignObject("CREATE TABLE shadow (id integer)", "table shadow"),
        "index": ForeignObject("CREATE INDEX shadow ON ownership_service (description)", "index shadow"),
        "column": ForeignObject(
            "ALTER TABLE ownership_service ADD COLUMN shadow text", "column ownership_service shadow"
        ),
        "constraint": ForeignObject(
            "ALTER TABLE ownership_service ADD CONSTRAINT shadow CHECK (id > 0)", "constraint ownership_service shadow"
        ),
        "rule": ForeignObject(
            "CREATE RULE shadow AS ON INSERT TO ownership_waiver DO ALSO DELETE FROM auth_user",
            "rule ownership_waiver shadow",
        ),
        "policy": ForeignObject(
            "CREATE POLICY shadow ON ownership_table USING (id < 5)", "policy ownership_table shadow"
        ),
        "row security": ForeignObject(
            "ALTER TABLE ownership_table ENABLE ROW LEVEL SECURITY", "row security ownership_table"
        ),
        "type": ForeignObject("CREATE DOMAIN shadow AS text", "type shadow"),
        "operator": ForeignObject(
            "CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
            "operator ===(pg_catalog.text,pg_catalog.text)",
        ),
    },
}
