"""Random maps in the shape of /api/v1/map/: whatever the registry takes as names, notes and keys, nasty ones first."""

from typing import Any

from hypothesis import strategies as st

from ownership.exchange.imports.sameness import folded

NAMES = st.text("abAB09_.-", min_size=3, max_size=6)
# What each form takes for a mark of its own, beside any text that a database stores.
NASTY = st.sampled_from(
    [
        "|", "\\", "\\|", "`", "*", "_", "**b**", "<b>&amp;", "<br>", "&#32;", "\n", "\r\n", "\t", " ", "  ", "---",
        "# ", "1. ", "- ", "> ", "=", "=1+1", "+1", "-1", "@a", "'", "''", '"', ",", ";", "[a](b)", "![", "(", ")",
        "+ ", "Primary key: id.", "Owned by x.", "All owned by the x service.", "See it for details.", "See ",
        "\u202e", "\u05d0\u05d1", "\u2028", "\x0b", "\x85", "\xa0", "→", "~~", "$", "#", "{{", "%%", "﹟", "＝",
    ]
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        NASTY,
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6),
    ),
    max_size=5,
).map("".join)
LINES = TEXTS.map(lambda text: "".join(c for c in text if c.isprintable())).filter(
    lambda text: len(text) < 60
)
NAMED = LINES.filter(bool)
EMAILS = st.sampled_from(["", "team@example.org", "a_b+c@example.org"])
URLS = st.sampled_from(
    ["https://example.org/", "https://example.org/a_(b)?c=<d>&lt;#e*f*", "https://example.org/|[x]"]
)

KEYS = st.fixed_dictionaries(
    {"name": NAMED, "type": st.sampled_from([None, "S", "N", "B"]), "format": st.none() | NAMED}
)
KEY_SCHEMAS = st.none() | st.fixed_dictionaries(
    {"partition_key": KEYS, "sort_key": st.none() | KEYS}
).filter(
    lambda keys: (
        keys["sort_key"] is None or keys["sort_key"]["name"] != keys["partition_key"]["name"]
    )
)


def _unique(strategy: Any, key: str, **sizes: int) -> Any:
    return st.lists(strategy, unique_by=lambda entry: folded(entry[key]), **sizes)


def _environment(name: str) -> Any:
    additions = st.sampled_from(
        [("", ""), ("PROD", ""), ("_x", ""), ("", "{stage}-{name}"), ("", "a_{name}_{stage}")]
    )
    return st.builds(
        lambda addition, description: {
            "name": name,
            "suffix": addition[0],
            "pattern": addition[1],
            "description": description,
        },
        additions,
        TEXTS,
    )


def _answerable_team(service: dict[str, Any], services: dict[str, dict[str, Any]]) -> str | None:
    """The team of a service, or of the service that it is part of."""
    while service["team"] is None and service["part_of"] is not None:
        service = services[service["part_of"]]
    team: str | None = service["team"]
    return team


@st.composite
def maps(draw: Any) -> dict[str, Any]:
    """A map that the registry could hold."""
    environments = draw(
        _unique(
            NAMES.flatmap(_environment),
            "name",
            max_size=2,
        )
    )
    group_names = NAMED | st.just("Environment Suffix Reminder")
    groups = draw(
        _unique(
            st.fixed_dictionaries({"name": group_names, "description": TEXTS}),
            "name",
            min_size=1,
            max_size=3,
        )
    )
    teams = draw(
        _unique(
            st.fixed_dictionaries({"name": NAMED, "contact": LINES, "email": EMAILS}),
            "name",
            max_size=2,
        )
    )
    team_names = [team["name"] for team in teams]
    names = draw(st.lists(NAMES, unique_by=folded, min_size=1, max_size=4))
    services = []
    for number, name in enumerate(names):
        whole = draw(st.none() | st.sampled_from(names[:number])) if number else None
        service = {
            "name": name,
            "part_of": whole,
            "team": draw(st.sampled_from([None, *team_names])),
            "description": "",
            "contact": "",
            "repository": "",
            "aliases": [],
        }
        services.append(service)
    accesses = st.fixed_dictionaries(
        {
            "service": st.sampled_from(names),
            "mode": st.sampled_from(["read", "write", "read_write"]),
            "indirect": st.booleans(),
            "notes": TEXTS,
        }
    )
    tables = draw(
        _unique(
            st.fixed_dictionaries(
                {
                    "name": NAMES,
                    "group": st.sampled_from([group["name"] for group in groups]),
                    "description": TEXTS,
                    "owner": st.sampled_from(names),
                    "key_schema": KEY_SCHEMAS,
                    "more": st.none()
                    | st.fixed_dictionaries({"title": NAMED, "url": st.none() | URLS}),
                    "indexes": _unique(
                        st.fixed_dictionaries(
                            {
                                "name": NAMES,
                                "kind": st.sampled_from([None, "GSI", "LSI"]),
                                "key_schema": KEY_SCHEMAS,
                            }
                        ),
                        "name",
                        max_size=2,
                    ),
                    "accesses": _unique(accesses, "service", max_size=3),
                }
            ),
            "name",
            max_size=4,
        )
    )
    order = [group["name"] for group in groups]
    tables.sort(key=lambda table: order.index(table["group"]))
    by_name = {service["name"]: service for service in services}
    for table in tables:
        table["team"] = _answerable_team(by_name[table["owner"]], by_name)
    return {
        "revision": 0,
        "environment": None,
        "environments": environments,
        "groups": groups,
        "teams": teams,
        "services": services,
        "tables": tables,
    }
