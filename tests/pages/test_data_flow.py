"""The picture of a data flow stays readable with two neighbours and with sixty."""

import re
from itertools import combinations, pairwise

import pytest

from ownership.pages.data_flow import FlowSide, Neighbour, picture
from tests.support.factories import make_access, make_service, make_table

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite


def drawn(before, after, name="hub"):
    return picture(
        name,
        "table",
        FlowSide("Written by", before, "Nobody"),
        FlowSide("Read by", after, "Nobody"),
    )


def neighbours(count, **fields):
    return [
        Neighbour(f"service-{number}", f"/services/service-{number}/", **fields)
        for number in range(count)
    ]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 1), (2, 0), (0, 2), (60, 60), (60, 1)])
def test_nothing_overlaps_and_nothing_leaves_the_picture(before, after):
    for drawing in drawn(
        neighbours(before), neighbours(after, path="by way of " * 20, indirect=True)
    ).drawings:
        assert len(drawing.boxes) == before + after + 1
        for box in drawing.boxes:
            assert box.x >= 0
            assert box.x + box.width <= drawing.width
            assert box.y + box.height <= drawing.height
            assert all(box.y < text.y < box.y + box.height for text in box.texts)
        for one, other in combinations(drawing.boxes, 2):
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_no_arrow_crosses_another():
    wide = drawn(neighbours(60), neighbours(60)).drawings[0]
    lines = sorted(
        tuple(map(float, re.findall(r"-?\d+\.?\d*", arrow.line)[:2])) for arrow in wide.arrows
    )
    assert all(one != other for one, other in pairwise(lines))
    assert all(re.fullmatch(r"M\S+ \S+H\S+", arrow.line) for arrow in wide.arrows)


def test_long_names_are_broken_into_lines_that_fit_and_lose_nothing():
    name = "biztechPartnerCommunications" * 9
    for drawing in drawn([Neighbour(name, "/x/")], [], name).drawings:
        for box in drawing.boxes:
            lines = [text.text for text in box.texts if text.kind.startswith("name")]
            assert "".join(lines) == name
            assert max(map(len, lines)) * 7.85 <= box.width - 20


def test_a_note_in_wide_characters_fits():
    path = "経由" * 200
    for drawing in drawn([Neighbour("relay", "/x/", path=path, indirect=True)], []).drawings:
        lines = [text.text for text in drawing.boxes[0].texts if text.kind == "path"]
        assert len(lines) == 3
        assert max(map(len, lines)) * 12 <= drawing.boxes[0].width - 24


def test_what_is_left_out_is_counted():
    before = FlowSide("Written by", neighbours(3), "Nobody", left_out=7)
    found = picture("hub", "table", before, FlowSide("Read by", [], "Nobody"))
    assert found.left_out == 7
    assert found.words.endswith("service-2 and 7 more. Nobody.")


@pytest.mark.django_db
def test_a_page_draws_as_many_neighbours_as_make_a_picture(monkeypatch, viewer_client):
    monkeypatch.setattr("ownership.pages.data_flow.MAX_NEIGHBOURS", 2)
    table = make_table("orders")
    for number in range(5):
        make_access(table, make_service(f"reader-{number}"), mode="read")
    drawn = viewer_client.get("/tables/orders/").context["picture"]
    assert drawn.left_out == 3
    assert len(drawn.drawings[0].boxes) == 3
