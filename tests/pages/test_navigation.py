"""What every page has: the header with its sections, the theme, the icon, and times in one form."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from ownership.templatetags.display import day, when
from tests.support.pages import text_of

pytestmark = pytest.mark.sqlite  # no database decides where links lead

SECTIONS = {
    "/": "Map",
    "/tables/biztechUsers/": "Map",
    "/matrix/": "Matrix",
    "/services/users/": "Services",
    "/changes/": "Changes",
    "/changes/1/": "Changes",
    "/compare/": "Changes",
    "/day/": "Changes",
    "/admin/ownership/changeset/1/undo/": "Changes",
    "/admin/ownership/changeset/deleted/": "Changes",
    "/drift/": "Drift",
    "/admin/": "Edit",
    "/admin/ownership/table/": "Edit",
}


def navigation_of(page: str) -> str:
    return page.partition('<nav aria-label="Site">')[2].partition("</nav>")[0]


@pytest.mark.parametrize(("address", "section"), SECTIONS.items())
def test_site_and_admin_have_the_same_sections_and_mark_the_one_that_the_page_is_in(
    seeded, lead_client, address, section
):
    navigation = navigation_of(lead_client.get(address).text)
    assert text_of(navigation).split() == ["Map", "Matrix", "Services", "Changes", "Drift", "Edit"]
    assert re.findall(r'aria-current="true">(\w+)', navigation) == [section]


def test_a_viewer_is_offered_lists_but_no_editing(seeded, viewer_client):
    navigation = navigation_of(viewer_client.get("/").text)
    assert text_of(navigation).split() == ["Map", "Matrix", "Services", "Changes", "Drift", "Lists"]
    assert "<h1>Lists</h1>" in viewer_client.get("/admin/").text


def test_a_reader_who_is_not_signed_in_sees_the_readers_sections_alone(seeded, settings):
    settings.ANONYMOUS_READ = True
    page = Client().get("/").text
    assert text_of(navigation_of(page)).split() == ["Map", "Matrix", "Services"]


@pytest.mark.parametrize("address", ["/", "/admin/", "/admin/ownership/table/", "/admin/login/"])
def test_site_and_admin_load_the_same_styles_and_the_same_theme(seeded, lead_client, address):
    client = Client() if "login" in address else lead_client
    page = client.get(address).text
    assert page.count("ownership/base.css") == 1
    assert page.count("admin/js/theme.js") == 1
    assert "dark_mode.css" not in page


def test_the_icon_is_found_at_its_old_address_too(db):
    address = Client().get("/favicon.ico")["Location"]
    assert finders.find(address.removeprefix("/static/"))


def test_a_moment_is_written_in_utc_whatever_zone_it_is_given_in():
    utc = datetime(2026, 11, 8, 18, 5, 59, tzinfo=UTC)
    expected = '<time datetime="2026-11-08T18:05:59Z">8 Nov 2026, 18:05 UTC</time>'
    assert when(utc) == when(utc.astimezone(timezone(timedelta(hours=9)))) == expected


def test_a_day_is_written_like_the_day_of_a_moment():
    assert day(date(2026, 11, 8)) == '<time datetime="2026-11-08">8 Nov 2026</time>'
    assert day(datetime(2026, 11, 8, 23, 30, tzinfo=UTC)) == day(date(2026, 11, 8))
