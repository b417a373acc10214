"""Suggesting a change and taking it, in a real browser, with the clicks that it may take at most."""

import pytest

from ownership.history.models import ChangeSet
from ownership.models import Access
from tests.support.browser import complaints, sign_in
from tests.support.clicks import Hand

pytestmark = [pytest.mark.browser, pytest.mark.slow]

REASON = "//input[@name='reason']"
READS = "//label[input[@name='accesses-1-mode' and @value='read']]"


def sign_out(browser) -> None:
    browser.delete_all_cookies()


def test_a_viewer_suggests_in_four_clicks_and_a_lead_takes_it_in_three(
    committed, seeded, viewer, lead, live_server, browser
):
    sign_in(browser, live_server.url, "viewer")
    browser.get(f"{live_server.url}/tables/biztechUsers/")
    browser.get_log("browser")
    hand = Hand(browser)
    hand.go("//main//a[normalize-space()='Suggest a change']")
    hand.press(READS)
    hand.type(REASON, "Payments writes no more")
    assert hand.find("//*[@data-pending]").text == "payments: Read + Write → Read"
    hand.go("//input[@type='submit' and @value='Suggest']")
    assert hand.clicks <= 4
    assert "The map has not changed yet" in hand.find("//*[contains(@class, 'message')]").text
    assert complaints(browser) == []
    sign_out(browser)

    sign_in(browser, live_server.url, "lead")
    browser.get(live_server.url)
    hand = Hand(browser)
    hand.go("//aside//a[normalize-space()='1 suggestion']")
    hand.go("//main//li/a[normalize-space()='biztechUsers']")
    hand.go("//button[normalize-space()='Take what is selected']")
    assert hand.clicks <= 3
    assert Access.objects.get(table__name="biztechUsers", service__name="payments").mode == "read"
    change = ChangeSet.objects.first()
    assert (change.user_name, change.suggested_by_name) == ("lead", "viewer")
    assert (change.reason, change.source) == ("Payments writes no more", "suggestion")
    assert complaints(browser) == []
