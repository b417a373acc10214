"""CSV: one row per access, nothing lost, nothing that a spreadsheet would run, and every value recoverable."""

import csv
import io

import pytest
from hypothesis import given

from ownership.api.serializers import map_of_today
from ownership.exchange.exports.to_csv import COLUMNS, cell_value, render, safe_cell
from tests.support.maps import TEXTS, maps


def read(content):
    """The rows as any reader of CSV has them, with the documented rule applied to each cell."""
    text = b"".join(render(content)).decode("utf-8-sig")
    return [
        {column: cell_value(cell) for column, cell in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)
    ]


def test_the_documents_map_has_a_row_per_access_under_known_columns(seeded):
    rows = read(map_of_today())

    assert len(rows) == 55
    assert list(rows[0]) == [column for column in COLUMNS if column != "team"]
    (payments,) = [
        row for row in rows if (row["table"], row["service"]) == ("biztechProfiles", "payments")
    ]
    assert payments == {
        "table": "biztechProfiles",
        "group": "Core Tables",
        "owner": "profiles",
        "description": "Profiles and connections.",
        "partition_key": "id",
        "partition_key_type": "",
        "partition_key_format": "PROFILE#<id>",
        "sort_key": "eventID;year",
        "sort_key_type": "",
        "sort_key_format": "",
        "more_title": "",
        "more_url": "",
        "service": "payments",
        "part_of": "",
        "mode": "write",
        "indirect": "true",
        "notes": "Webhook calls createProfile() which writes here",
    }
    assert {row["part_of"] for row in rows if row["service"] == "teams"} == {"interactions"}


@pytest.mark.slow
@given(maps())
def test_every_table_and_access_is_exported_word_for_word(content):
    rows = read(content)

    assert {row["table"] for row in rows} == {table["name"] for table in content["tables"]}
    assert [
        (row["table"], row["service"], row["mode"], row["indirect"], row["notes"])
        for row in rows
        if row["service"]
    ] == [
        (
            table["name"],
            access["service"],
            access["mode"],
            str(access["indirect"]).lower(),
            access["notes"],
        )
        for table in content["tables"]
        for access in table["accesses"]
    ]
    without = [table["name"] for table in content["tables"] if not table["accesses"]]
    assert [row["table"] for row in rows if not row["service"]] == without
    for row in rows:
        (table,) = [table for table in content["tables"] if table["name"] == row["table"]]
        assert (row["group"], row["owner"], row["description"]) == (
            table["group"],
            table["owner"],
            table["description"],
        )


@pytest.mark.parametrize(
    "value",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "\n=1",
        "\r=1",
        "＝1",
        "＋1",
        "－1",
        "＠a",
        "\xa0=1",
    ],
)
def test_a_value_that_a_spreadsheet_would_run_gets_an_apostrophe(value):
    assert safe_cell(value) == f"'{value}"


@pytest.mark.parametrize("value", ["", "users", "a=1", "1-1", "(=1)"])
def test_a_value_that_it_would_not_run_is_left_alone(value):
    assert safe_cell(value) == value


@given(TEXTS)
def test_every_value_can_be_recovered(value):
    assert cell_value(safe_cell(value)) == value
    assert safe_cell(value)[:1] not in list("=+-@＝＋－＠\t\r")


def test_a_large_map_is_exported_in_pieces(seeded):
    content = map_of_today()
    one = b"".join(render(content))
    content["tables"] = content["tables"] * 100

    pieces = render(content)

    assert len(next(pieces)) < 100_000
    assert sum(len(piece) for piece in render(content)) > 30 * len(one)


def test_with_an_environment_there_is_a_column_of_physical_names(seeded):
    content = map_of_today() | {"environment": "production"}
    for table in content["tables"]:
        table["physical_name"] = f"{table['name']}PROD"

    assert [row["physical_name"] for row in read(content)][:1] == ["biztechUsersPROD"]
