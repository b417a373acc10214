"""Mermaid: the neighbourhood of a table or service, where no name or note breaks out of its label."""

import re

import pytest
from hypothesis import given

from ownership.api.serializers import map_of_today
from ownership.exchange.exports.to_mermaid import label, of_service, of_table
from tests.support.maps import TEXTS


def test_arrows_follow_the_data_and_indirect_ones_are_dotted_with_their_notes(seeded):
    (users,) = [table for table in map_of_today()["tables"] if table["name"] == "biztechUsers"]
    (profiles,) = [
        table for table in map_of_today()["tables"] if table["name"] == "biztechProfiles"
    ]

    lines = of_table(users).splitlines()
    assert lines[:2] == ["flowchart LR", "  accTitle: Who writes and reads biztechUsers"]
    assert lines[2:] == [
        '  s0["users"]',
        '  s1["payments"]',
        '  s2["registrations"]',
        '  s3["members"]',
        '  s4["transactions"]',
        '  t0[("biztechUsers")]',
        '  s0 <-->|"owns, reads + writes"| t0',
        '  s1 <-->|"reads + writes"| t0',
        '  t0 -->|"reads"| s2',
        '  s3 -->|"writes"| t0',
        '  t0 -->|"reads"| s4',
    ]
    assert (
        '  s2 -.->|"writes indirectly: grantMembership calls createProfile() which writes here"| t0'
        in of_table(profiles).splitlines()
    )


def test_a_table_that_nobody_uses_is_drawn_alone():
    table = {"name": "lonely", "owner": "someone", "accesses": []}
    assert of_table(table).splitlines()[2:] == ['  t0[("lonely")]']


def test_a_service_is_drawn_with_its_parts():
    whole, part = {"name": "whole", "part_of": None}, {"name": "part", "part_of": "whole"}
    access = {
        "table": "one", "service": "part", "mode": "read_write", "indirect": True, "notes": "", "owner": "whole"
    }  # fmt: skip
    assert of_service(whole, [part], [access]).splitlines()[2:] == [
        '  s0["whole"]',
        '  s1["part"]',
        '  t0[("one")]',
        '  s1 -. "part of" .-> s0',
        '  s1 <-.->|"reads + writes indirectly"| t0',
    ]


@given(TEXTS)
def test_no_text_breaks_out_of_its_label_and_none_is_lost(text):
    made = label(text)

    assert not re.search(r'["\n\r`<>&|\[\]{}*\\~$%]', made)
    assert re.sub("#([0-9]+);", lambda found: chr(int(found[1])), made) == " ".join(text.split())


@pytest.mark.parametrize("text", ["style A fill:#f00", "classDef x fill:#f00", "its style: #1"])
def test_no_line_looks_like_a_style_whose_last_semicolon_mermaid_drops(text):
    assert not re.search(
        r"(style|classDef).*:\S*#.*;", label(f"writes: {text}")
    )  # what Mermaid 11 looks for
