"""Filters, search and order, compared with the document: they return the rows requested, and no others."""

import pytest

from ownership.models import Environment, Mode, TableGroup
from tests.support import document_facts as document
from tests.support.factories import make_access, make_service, make_table, make_team

OWNED = [*document.STATED_OWNERSHIP_ONLY]
OWNER = {name: owner for name, _, owner, *_ in document.TABLES}
GROUP = {name: group for name, group, *_ in document.TABLES}
# Every access: (table, service, mode, indirect).
ALL = [row[:4] for row in document.ACCESSES] + [
    (table, OWNER[table], "read_write", False) for table in OWNED
]
NAMES = [table[0] for table in document.TABLES]


def tables_where(wanted):
    """Names of the tables that have an access which meets all that is wanted, in the document's order."""
    found = {row[0] for row in ALL if wanted(*row)}
    return [name for name in NAMES if name in found]


def services_where(wanted):
    return sorted({row[1] for row in ALL if wanted(*row)})


def names(answer):
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


def pairs(answer):
    assert answer.status_code == 200, answer.content
    return {(row["table"], row["service"]) for row in answer.json()["results"]}


def pairs_where(wanted):
    return {row[:2] for row in ALL if wanted(*row)}


def test_a_physical_name_may_have_the_stage_anywhere(get):
    Environment.objects.create(name="dev", pattern="{stage}-{name}")
    Environment.objects.create(name="prod", pattern="svc-{stage}-{name}")
    make_table("orders")
    make_table("dev-orders")
    assert names(get("tables/?physical_name=svc-prod-orders")) == ["orders"]
    assert names(get("tables/?physical_name=dev-orders")) == ["orders"]
    assert names(get("tables/?physical_name=dev-")) == []
    for environment, physical_name in (("dev", "dev-orders"), ("prod", "svc-prod-orders")):
        served = get(f"tables/orders/?environment={environment}").json()
        assert served["physical_name"] == physical_name
    assert [row["pattern"] for row in get("environments/").json()["results"]] == [
        "{stage}-{name}",
        "svc-{stage}-{name}",
    ]


@pytest.mark.slow
def test_filters_of_tables_narrow_to_what_the_document_says(seeded, get):
    expected = {
        "group=BTX%20Tables": [name for name in NAMES if GROUP[name] == "BTX Tables"],
        "owner=interactions": [name for name in NAMES if OWNER[name] == "interactions"],
        "owner=bots": [],
        "service=payments": tables_where(lambda t, s, m, i: s == "payments"),
        "mode=write": tables_where(lambda t, s, m, i: m == "write"),
        "mode=read,write": tables_where(lambda t, s, m, i: m in ("read", "write")),
        "indirect=true": ["biztechProfiles"],
        "indirect=false": tables_where(lambda t, s, m, i: not i),
        "physical_name=biztechUsersPROD": ["biztechUsers"],
        "physical_name=biztechUsers": ["biztechUsers"],
        "physical_name=biztechUsersSTAGING": [],
        "physical_name=PROD": [],
        # Together they must hold for one and the same access.
        "service=payments&mode=write": ["biztechMembers2026", "biztechProfiles"],
        "service=events&mode=write": [],
        "service=payments&mode=read,read_write": [
            "biztechUsers",
            "biztechEvents",
            "biztechRegistrations",
        ],
        "service=interactions&indirect=true": [],
        "service=members&indirect=true": ["biztechProfiles"],
        "mode=read_write&indirect=true": [],
        "service=payments&owner=events": ["biztechEvents"],
        "service=payments&group=BTX%20Tables": [],
    }

    assert {query: names(get(f"tables/?{query}")) for query in expected} == expected


def test_filters_of_services_narrow_to_what_the_document_says(seeded, get):
    expected = {
        "part_of=interactions": sorted(name for name, whole in document.SERVICES.items() if whole),
        "part_of=users": [],
        "table=biztechUsers": services_where(lambda t, s, m, i: t == "biztechUsers"),
        "mode=write": ["members", "payments", "profiles"],
        "mode=read": services_where(lambda t, s, m, i: m == "read"),
        "indirect=true": ["members", "payments"],
        "indirect=false": sorted(document.SERVICES),
        "table=biztechUsers&mode=write": ["members"],
        "table=biztechEvents&mode=write": [],
        "table=biztechUsers&indirect=true": [],
    }

    assert {query: names(get(f"services/?{query}")) for query in expected} == expected


@pytest.mark.slow
def test_filters_of_accesses_narrow_to_what_the_document_says(seeded, get):
    expected = {
        "table=biztechTeams": {("biztechTeams", "teams"), ("biztechTeams", "btx")},
        "service=bots": {("biztechMembers2026", "bots")},
        "part_of=interactions": pairs_where(
            lambda t, s, m, i: document.SERVICES[s] == "interactions"
        ),
        "part_of=bots": set(),
        "group=Instagram%20Table": {("biztechInstagramAuth", "instagram")},
        "owner=prizes": {("biztechPrizes", "prizes")},
        "owner=events": pairs_where(lambda t, s, m, i: OWNER[t] == "events"),
        "mode=write": pairs_where(lambda t, s, m, i: m == "write"),
        "mode=read,write": pairs_where(lambda t, s, m, i: m != "read_write"),
        "indirect=true": pairs_where(lambda t, s, m, i: i),
        "indirect=false": pairs_where(lambda t, s, m, i: not i),
        "physical_name=biztechQRsPROD": {("biztechQRs", "qr"), ("biztechQRs", "profiles")},
        "physical_name=biztechQRsTEST": set(),
        "table=biztechUsers&mode=read&service=payments": set(),
        "table=biztechUsers&mode=read": {
            ("biztechUsers", "registrations"),
            ("biztechUsers", "transactions"),
        },
    }

    assert {query: pairs(get(f"accesses/?{query}")) for query in expected} == expected


def test_names_are_case_sensitive(seeded, get):
    assert get("tables/?owner=Users").status_code == 400
    assert names(get("tables/?physical_name=BIZTECHUSERS")) == []


def test_a_table_that_matches_twice_is_listed_once(get):
    table = make_table("shared")
    make_access(table)
    make_access(table)

    assert names(get("tables/?mode=read")) == ["shared"]


def test_service_and_mode_must_match_the_same_access(get):
    table, reader = make_table(), make_service("reader")
    make_access(table, reader, mode="read")
    make_access(table, mode="write")

    assert names(get("tables/?service=reader&mode=write")) == []
    assert names(get("tables/?service=reader&mode=read")) == [table.name]


@pytest.mark.slow
def test_search_finds_words_in_names_descriptions_and_notes_in_any_case(seeded, get):
    expected = {
        "tables/?search=ledger": ["biztechTransactions"],
        "tables/?search=WEBSOCKET%20wall": ["bizWallSockets"],
        "tables/?search=grantMembership": ["biztechUsers", "biztechProfiles"],
        "tables/?search=CONNECTION%23": ["biztechProfiles"],
        "tables/?search=teamId%20→": ["biztechTeams"],
        "tables/?search=%25": [],
        "tables/?search=bizBtx_": [],
        "tables/?search=ledger%20wall": [],
        "services/?search=TEAM": ["teams"],
        "groups/?search=real-time": ["Connection & Real-Time Tables"],
        "environments/?search=append": ["dev"],
        "tables/?search=webhook&owner=profiles": ["biztechProfiles"],
    }

    assert {path: names(get(path)) for path in expected} == expected
    assert pairs(get("accesses/?search=webhook")) == {
        ("biztechRegistrations", "payments"),
        ("biztechProfiles", "payments"),
    }


@pytest.mark.slow
def test_search_ignores_the_case_of_every_letter(get):
    text = "Übersicht der Prüfungen, Élan"
    group = TableGroup.objects.create(name=text)
    table = make_table("exams", description=text, group=group)
    make_access(table, make_service("office", description=text), notes=text)
    Environment.objects.create(name="staging", description=text)
    for address, name in (
        ("tables", "exams"),
        ("services", "office"),
        ("groups", text),
        ("environments", "staging"),
    ):
        for word in ("übersicht", "PRÜFUNGEN", "élan", "ÉL", "üb"):
            assert names(get(f"{address}/?search={word}")) == [name], (address, word)
    assert pairs(get("accesses/?search=ÜBERSICHT")) == {("exams", "office")}
    assert names(get("tables/?search=elan")) == names(get("groups/?search=ubersicht")) == []


@pytest.mark.parametrize("field", ["contact", "description"])
def test_search_finds_services_by(get, field):
    make_service("found", **{field: "#on-call"})
    make_service("other")

    assert names(get("services/?search=on-call")) == ["found"]


def test_teams_are_listed_by_name_and_found_by_contact(get):
    make_team("People", contact="#people")
    make_team("Money", contact="#money", email="money@example.org")
    served = get("teams/").json()["results"]
    assert served == [
        {"name": "Money", "contact": "#money", "email": "money@example.org"},
        {"name": "People", "contact": "#people", "email": ""},
    ]
    assert names(get("teams/?search=%23PEOPLE")) == ["People"]


def test_lists_are_in_the_documents_order_by_default(seeded, get):
    assert names(get("tables/")) == NAMES
    assert names(get("services/")) == sorted(document.SERVICES)
    assert names(get("groups/")) == document.GROUPS
    assert names(get("environments/")) == list(document.ENVIRONMENTS)
    served = get("accesses/").json()["results"]
    written = [row[:2] for row in document.ACCESSES]
    assert [
        pair for row in served if (pair := (row["table"], row["service"])) in written
    ] == written


@pytest.mark.slow
def test_every_ordering_works_in_both_directions(get):
    late, early = (
        make_service("late", part_of=make_service("x")),
        make_service("early", part_of=make_service("w")),
    )
    one, two = make_table("one-table", owner=late), make_table("two-table", owner=early)
    make_access(one, early, mode="read")
    make_access(two, late, mode="write")

    def tables(query):
        return names(get(f"tables/?{query}"))

    assert tables("ordering=name") == ["one-table", "two-table"]
    assert tables("ordering=-name") == ["two-table", "one-table"]
    assert tables("ordering=owner") == ["two-table", "one-table"]
    assert tables("ordering=-owner") == ["one-table", "two-table"]
    assert tables("ordering=group,-name") == ["two-table", "one-table"]
    assert names(get("services/?ordering=-name&part_of=x")) == ["late"]
    parts = [name for name in names(get("services/?ordering=part_of")) if name in ("late", "early")]
    assert parts == ["early", "late"]
    for field in ("table", "mode"):
        assert [row["table"] for row in get(f"accesses/?ordering={field}").json()["results"]] == [
            one.name,
            two.name,
        ]
        assert [row["table"] for row in get(f"accesses/?ordering=-{field}").json()["results"]] == [
            two.name,
            one.name,
        ]
    assert [row["service"] for row in get("accesses/?ordering=service").json()["results"]] == [
        "early",
        "late",
    ]


def test_ties_keep_the_lists_own_order_so_that_pages_neither_overlap_nor_skip(seeded, get):
    pages = [names(get(f"tables/?ordering=owner&page_size=5&page={page}")) for page in range(1, 8)]

    found = [name for page in pages for name in page]

    assert found == sorted(NAMES, key=lambda name: OWNER[name])


def test_ties_do_not_fall_back_to_the_order_in_which_rows_were_made(get):
    owner = make_service("owner")
    make_table("below", owner=owner, position=1)
    make_table("above", owner=owner, position=0)

    assert names(get("tables/?ordering=owner")) == ["above", "below"]


def test_modes_are_those_of_the_document(seeded, get):
    served = {row["mode"] for row in get("accesses/").json()["results"]}

    assert served == set(Mode.values) == {row[2] for row in document.ACCESSES}


LISTS = ["tables/", "services/", "accesses/", "groups/", "teams/", "environments/"]
ADDRESSES = ["map/", *LISTS, "tables/here-it-is/", "services/owner/", "schema/", "docs/"]

# Query → the parameter at fault, at every address that takes it.
NONSENSE = {
    "tables/": {
        "owner=nobody": "owner",
        "owner=": "owner",
        "owner=%00": "owner",
        "owner=owner%00": "owner",
        "owner=%20owner": "owner",
        "owner=" + "x" * 9_000: "owner",
        "owner=%ff": "owner",
        "owner=ö": "owner",
        "group=Nowhere": "group",
        "service=nobody": "service",
        "mode=admin": "mode",
        "mode=Read": "mode",
        "mode=read,admin": "mode",
        "mode=read,": "mode",
        "mode=,": "mode",
        "mode=": "mode",
        "mode=%00": "mode",
        "indirect=1": "indirect",
        "indirect=yes": "indirect",
        "indirect=True": "indirect",
        "indirect=": "indirect",
        "physical_name=": "physical_name",
        "physical_name=%00": "physical_name",
        "search=": "search",
        "search=a%00b": "search",
        "search=" + "a" * 201: "search",
        "search=" + "a+" * 20_000: "search",
        "ordering=": "ordering",
        "ordering=,": "ordering",
        "ordering=nothing": "ordering",
        "ordering=--name": "ordering",
        "ordering=name,nothing": "ordering",
        "ordering=description": "ordering",
        "ordering=owner__name": "ordering",
        "ordering=%00": "ordering",
        "page=1&page=1": "page",
        "environment=nowhere": "environment",
        "environment=": "environment",
        "environment=%00": "environment",
        "nothing=1": "nothing",
        "Owner=owner": "Owner",
        "owner__name=owner": "owner__name",
        "%00=1": "\x00",
        "part_of=owner": "part_of",
        "format=xml": "format",
        "format=": "format",
    },
    "services/": {
        "table=nothing": "table",
        "part_of=nobody": "part_of",
        "part_of=": "part_of",
        "mode=none": "mode",
        "indirect=0": "indirect",
        "owner=owner": "owner",
        "ordering=contact": "ordering",
        "environment=dev": "environment",
    },
    "accesses/": {
        "table=nothing": "table",
        "service=nobody": "service",
        "part_of=nobody": "part_of",
        "group=nothing": "group",
        "owner=nobody": "owner",
        "mode=none": "mode",
        "indirect=maybe": "indirect",
        "physical_name=": "physical_name",
        "ordering=notes": "ordering",
    },
    "groups/": {"name=Group": "name", "ordering=position": "ordering"},
    "teams/": {"name=Money": "name", "ordering=contact": "ordering"},
    "environments/": {"suffix=PROD": "suffix", "ordering=description": "ordering"},
}


@pytest.mark.slow
@pytest.mark.sqlite
@pytest.mark.parametrize("address", NONSENSE)
def test_nonsense_is_refused_with_the_name_of_the_parameter(get, address):
    make_table("here-it-is", owner=make_service("owner"))

    def refused(query):
        answer = get(f"{address}?{query}")
        problem = answer.json()
        return (
            answer.status_code,
            answer["Content-Type"],
            [error["parameter"] for error in problem["errors"]],
        )

    assert {query: refused(query) for query in NONSENSE[address]} == {
        query: (400, "application/problem+json", [parameter])
        for query, parameter in NONSENSE[address].items()
    }


@pytest.mark.sqlite
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("nothing=1", "nothing: Unknown parameter. Allowed: "),
        ("format=json&format=json", "format: Given more than once."),
    ],
    ids=["unknown", "doubled"],
)
def test_every_address_refuses_parameters(get, address, query, detail):
    make_table("here-it-is", owner=make_service("owner"))

    answer = get(f"{address}?{query}", accept="*/*")

    assert answer.status_code == 400
    if address != "docs/" or "format" not in query:  # its one form is HTML: refused for that first
        assert detail in answer.json()["detail"]


def test_all_the_mistakes_are_named_at_once(get):
    answer = get("tables/?one=1&two=2")

    assert [error["parameter"] for error in answer.json()["errors"]] == ["one", "two"]


def test_an_unknown_parameter_lists_the_allowed_ones(get):
    takes = "Unknown parameter. Allowed: as_of, environment, format, revision."
    assert get("map/?env=dev").json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": f"env: {takes}",
        "errors": [{"parameter": "env", "detail": takes}],
    }


def test_more_parameters_than_anyone_needs_are_refused(get):
    answer = get("tables/?" + "&".join(f"p{n}=1" for n in range(1_001)))

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["detail"] == "Too many parameters."


def test_a_search_as_long_as_allowed_is_answered(get):
    assert names(get("tables/?search=" + "a+" * 99 + "ab")) == []
