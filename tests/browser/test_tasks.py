"""What team leads do most, in a real browser, with the clicks that it may take from the home page at most."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ownership.history.models import ChangeSet, entries_of
from ownership.models import Access, Table
from tests.support.browser import complaints, sign_in
from tests.support.clicks import Hand

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EDIT = "//main//a[normalize-space()='Edit']"
DESK = "//header//a[normalize-space()='Edit']"
SAVE = "//div[@class='save-bar']//*[@type='submit']"
REASON = "//input[@name='reason']"


@pytest.fixture
def hand(committed, seeded, lead, live_server, browser) -> Hand:
    """Of a team lead who is signed in and on the home page."""
    sign_in(browser, live_server.url, "lead", "a long pass phrase")
    browser.get(live_server.url)
    browser.get_log("browser")
    return Hand(browser)


def radio(name: str, value: str) -> str:
    return f"//label[input[@name='{name}' and @value='{value}']]"


def text_of(hand: Hand, selector: str) -> str:
    return hand.browser.find_element(By.CSS_SELECTOR, selector).text


def change_a_mode(hand: Hand) -> None:
    hand.go("//main//a[normalize-space()='biztechUsers']")
    hand.go(EDIT)
    hand.press(radio("accesses-1-mode", "read"))
    assert text_of(hand, "[data-pending]") == "payments: Read + Write → Read"
    hand.type(REASON, "Payments writes no more")
    hand.go(SAVE)


def test_an_access_gets_another_mode_in_four_clicks(hand):
    change_a_mode(hand)
    assert hand.clicks <= 4
    assert hand.browser.current_url.endswith("/tables/biztechUsers/")
    assert "Saved: payments → biztechUsers: Read + Write → Read. View · History · Undo" in text_of(hand, ".message")
    assert complaints(hand.browser) == []


def test_what_was_just_saved_is_undone_in_two_clicks(hand):
    change_a_mode(hand)
    hand.clicks = 0
    hand.go("//a[normalize-space()='Undo']")
    hand.go("//input[@type='submit' and @value='Undo']")
    assert hand.clicks <= 2
    assert Access.objects.get(table__name="biztechUsers", service__name="payments").mode == "read_write"
    assert ChangeSet.objects.first().reason == "Undo revision 2: Payments writes no more"


def test_a_new_table_with_two_accesses_and_an_index_takes_ten_clicks(hand):
    hand.go(DESK)
    hand.go("//a[@href='/admin/ownership/table/add/']")
    hand.type("//input[@name='name']", "biztechVouchers")
    hand.choose("id_group", "Core Tables")
    hand.choose("id_owner", "payments")
    hand.press("//button[@data-add]")
    hand.choose("id_accesses-1-service", "events")
    hand.press("//a[contains(., 'Add another Secondary index')]")
    hand.type("//input[@name='indexes-0-name']", "by-event")
    hand.type(REASON, "Vouchers")
    pending = text_of(hand, "[data-pending]")
    assert "payments added (Read + Write) · events added (Read) · by-event added" in pending
    hand.go(SAVE)
    assert hand.clicks <= 10
    table = Table.objects.get(name="biztechVouchers")
    accesses = [(access.service.name, access.mode) for access in table.accesses.all()]
    assert accesses == [("payments", "read_write"), ("events", "read")]
    assert [index.name for index in table.indexes.all()] == ["by-event"]
    assert len(entries_of([2])) == 4


def test_accesses_are_put_in_another_order_by_button_and_by_arrow_key(hand):
    table = Table.objects.get(name="biztechUsers")
    hand.browser.get(f"{hand.browser.current_url}admin/ownership/table/{table.pk}/change/")
    hand.press("//button[@aria-label='Move payments up']")
    hand.browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert text_of(hand, "[data-pending]") == "order of accesses"
    hand.type(REASON, "By importance" + Keys.CONTROL + Keys.ENTER)
    hand.find("//*[contains(@class, 'success')]")
    names = [access.service.name for access in table.accesses.all()]
    assert names[:3] == ["users", "registrations", "payments"]
    assert {entry.label for entry in entries_of([2])} == {"payments → biztechUsers", "registrations → biztechUsers"}


def test_a_missing_reason_is_named_at_its_field_and_nothing_is_lost(hand):
    table = Table.objects.get(name="biztechUsers")
    hand.browser.get(f"{hand.browser.current_url}admin/ownership/table/{table.pk}/change/")
    hand.press(radio("accesses-1-mode", "write"))
    hand.press(SAVE)
    assert "Please give a reason." in text_of(hand, ".reason")
    assert hand.browser.switch_to.active_element.get_attribute("name") == "reason"
    assert hand.browser.find_element(By.CSS_SELECTOR, "[name=accesses-1-mode][value=write]").is_selected()
    asks = """const leaving = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(leaving);
    return leaving.defaultPrevented;"""
    assert hand.browser.execute_script(asks), "a changed form is left without a warning"
    hand.type(REASON, "Checked")
    hand.go(SAVE)
