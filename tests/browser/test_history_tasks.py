"""What readers of the history do most, in a real browser, with the most clicks from the home page that it may take."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ownership.history.change_sets import change_set
from ownership.models import Service, Table
from tests.support.browser import complaints, follow
from tests.support.clicks import Hand

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def hand(site, lead, browser) -> Hand:
    """Of a team lead on the home page, after a table was renamed, one deleted, and one handed over."""
    with change_set(user=lead, reason="Renamed in infra"):
        renamed = Table.objects.get(name="biztechQRs")
        renamed.name = "biztechQRCodes"
        renamed.save()
    with change_set(user=lead, reason="Launch cancelled"):
        Table.objects.get(name="biztechPrizes").delete()
    with change_set(user=lead, reason="Bots take over member records"):
        table = Table.objects.get(name="biztechMembers2026")
        table.owner = Service.objects.get(name="bots")
        table.save()
    browser.get(site)
    return Hand(browser)


def search_for(hand: Hand, text: str) -> None:
    field = hand.find("//main//input[@name='q']")
    field.send_keys(text)
    follow(hand.browser, field, Keys.ENTER)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (
            "biztechQRs",
            [
                "biztechQRs was this table’s name until",
                "lead: “Renamed in infra”",
                "biztechQRCodes",
            ],
        ),
        (
            "biztechPrizes",
            ["biztechPrizes was deleted by lead", "“Launch cancelled”", "History", "Restore…"],
        ),
    ],
)
def test_what_happened_to_a_name_takes_one_click(hand, name, answer):
    hand.clicks += 1  # into the field
    search_for(hand, name)
    card = hand.find("//*[contains(@class, 'former')]").text
    assert [words for words in answer if words not in card] == []
    assert hand.clicks <= 1


def test_who_changed_a_table_s_owner_takes_one_click_and_is_in_the_first_screenful(hand):
    hand.go("//main//a[normalize-space()='biztechMembers2026']")
    since = hand.find("//*[contains(@class, 'since')]")
    assert "lead: “Bots take over member records”" in since.text
    assert "before: members" in since.text
    assert since.location["y"] + since.size["height"] < 900
    assert hand.clicks <= 1


def test_two_revisions_of_one_table_are_compared_in_three_clicks(hand):
    hand.go("//header//a[normalize-space()='Changes']")
    hand.go("//main//a[normalize-space()='Compare…']")
    for path, text in (("from", "1"), ("to", "4"), ("table", "biztechMembers2026")):
        field = hand.find(f"//main//input[@name='{path}']")
        field.clear()
        field.send_keys(text)
    hand.go("//main//button[normalize-space()='Compare']")
    assert "bots" in hand.find("//*[contains(@class, 'differences')]//*[@class='new']").text
    assert "from=1&" in hand.browser.current_url
    assert hand.clicks <= 3


def test_a_history_is_filtered_by_one_click_on_a_chip(hand):
    hand.go("//main//a[normalize-space()='biztechMembers2026']")
    hand.go("//main//a[starts-with(normalize-space(), 'History')]")
    assert len(hand.browser.find_elements(By.CSS_SELECTOR, ".change-set")) == 2
    hand.go("//main//a[normalize-space()='Accesses']")
    assert [
        item.get_attribute("id")
        for item in hand.browser.find_elements(By.CSS_SELECTOR, ".change-set")
    ] == ["revision-1"]
    assert hand.clicks <= 3


def test_a_past_page_leads_to_the_next_revision(hand):
    hand.browser.get(f"{hand.browser.current_url}tables/biztechMembers2026/?revision=3")
    assert "revision 3" in hand.browser.title
    hand.go("//a[@rel='next']")
    assert "revision 4" in hand.browser.title
    assert complaints(hand.browser) == []
