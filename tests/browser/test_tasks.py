"""What team leads do most, in a real browser, with the clicks that it may take from the home page at most."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ownership.history.models import ChangeSet, entries_of
from ownership.models import Access, Confirmation, Table
from tests.support.browser import complaints, look, sign_in
from tests.support.clicks import Hand

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EDIT = "//main//a[normalize-space()='Edit']"
DESK = "//header//a[normalize-space()='Edit']"
SAVE = "//div[@class='save-bar']//*[@type='submit']"
REASON = "//input[@name='reason']"


@pytest.fixture
def hand(site, browser) -> Hand:
    """Of a team lead who is signed in and on the home page."""
    return Hand(browser)


def radio(name: str, value: str) -> str:
    return f"//label[input[@name='{name}' and @value='{value}']]"


def shown_text(hand: Hand, selector: str) -> str:
    return hand.browser.find_element(By.CSS_SELECTOR, selector).text


def change_a_mode(hand: Hand) -> None:
    hand.go("//main//a[normalize-space()='biztechUsers']")
    hand.go(EDIT)
    hand.press(radio("accesses-1-mode", "read"))
    assert shown_text(hand, "[data-pending]") == "payments: Read + Write → Read"
    hand.type(REASON, "Payments writes no more")
    hand.go(SAVE)


def test_all_tables_are_confirmed_in_three_clicks(hand):
    hand.go("//aside//a[normalize-space()='34 tables to confirm']")
    hand.press("//input[@aria-label='Select all']")
    hand.go(button("Confirm"))
    assert hand.clicks <= 3
    assert shown_text(hand, ".message") == "34 tables confirmed (revision 2)."
    assert "No tables to confirm." in shown_text(hand, "main")
    assert Confirmation.objects.count() == 34
    assert complaints(hand.browser) == []


def test_an_access_gets_another_mode_in_four_clicks(hand):
    change_a_mode(hand)
    assert hand.clicks <= 4
    assert hand.browser.current_url.endswith("/tables/biztechUsers/")
    assert (
        "Saved: payments → biztechUsers: Read + Write → Read. View · History · Undo"
        in shown_text(hand, ".message")
    )
    assert complaints(hand.browser) == []


def test_what_was_just_saved_is_undone_in_two_clicks(hand):
    change_a_mode(hand)
    hand.clicks = 0
    hand.go("//a[normalize-space()='Undo']")
    hand.go("//input[@type='submit' and @value='Undo']")
    assert hand.clicks <= 2
    assert (
        Access.objects.get(table__name="biztechUsers", service__name="payments").mode
        == "read_write"
    )
    assert ChangeSet.objects.first().reason == "Undo revision 2: Payments writes no more"


def test_a_new_table_with_two_accesses_and_an_index_takes_ten_clicks(hand):
    hand.go(DESK)
    hand.go("//a[@href='/admin/ownership/table/add/']")
    hand.type("//input[@name='name']", "biztechVouchers")
    hand.choose("id_group", "Core Tables")
    hand.choose("id_owner", "payments")
    hand.press("//button[@data-add]")
    hand.choose("id_accesses-1-service", "events")
    hand.press(button("Add secondary index"))
    hand.type("//input[@name='indexes-0-name']", "by-event")
    hand.type(REASON, "Vouchers")
    pending = shown_text(hand, "[data-pending]")
    assert "payments added (Read + Write) · events added (Read) · by-event added" in pending
    hand.go(SAVE)
    assert hand.clicks <= 10
    table = Table.objects.get(name="biztechVouchers")
    accesses = [(access.service.name, access.mode) for access in table.accesses.all()]
    assert accesses == [("payments", "read_write"), ("events", "read")]
    assert [index.name for index in table.indexes.all()] == ["by-event"]
    assert len(entries_of([2])) == 4


def tick(hand: Hand, *names: str) -> None:
    for name in names:
        hand.press(f"//tr[.//a[normalize-space()='{name}']]//input[@type='checkbox']")


def button(label: str) -> str:
    return f"//button[normalize-space()='{label}']"


def test_three_tables_are_handed_over_with_their_accesses_in_seven_clicks(hand):
    names = ["bizBtxAccounts", "bizBtxHoldings", "bizBtxPrices"]
    hand.go(DESK)
    hand.go("//a[normalize-space()='Tables' and contains(@href, '/table/')]")
    tick(hand, *names)
    hand.go(button("Hand over or change group…"))
    hand.choose_by_typing("interactions")
    hand.find("//h2[normalize-space()='Preview']")
    hand.type(REASON, "Interactions takes BTX")
    hand.go(SAVE)
    assert hand.clicks <= 7
    assert (
        list(Table.objects.filter(name__in=names).values_list("owner__name", flat=True))
        == ["interactions"] * 3
    )
    accesses = Access.objects.filter(table__name__in=names)
    assert set(accesses.values_list("service__name", "mode")) == {("interactions", "read_write")}
    assert [change.reason for change in ChangeSet.objects.all()[:1]] == ["Interactions takes BTX"]
    assert complaints(hand.browser) == []


def test_twenty_accesses_get_a_mode_in_five_clicks(hand):
    hand.go(DESK)
    hand.go("//a[normalize-space()='Accesses' and contains(@href, '/access/')]")
    hand.press("//input[@id='action-toggle']")
    hand.go(button("Set Read"))
    hand.type(REASON, "Read-only until the move is done")
    hand.go(SAVE)
    assert hand.clicks <= 5
    assert set(Access.objects.values_list("mode", flat=True)) == {"read"}
    assert Access.objects.count() >= 20
    assert ChangeSet.objects.count() == 2


def test_a_csv_is_imported_in_four_clicks(hand, tmp_path):
    file = tmp_path / "map.csv"
    file.write_text(
        "table,group,owner,service,mode\nbiztechUsers,Core Tables,users,payments,read\n"
    )
    hand.go(DESK)
    hand.go("//a[starts-with(normalize-space(), 'Import')]")
    # Choosing a file is a click of its own; the page then shows the preview by itself.
    hand.clicks += 1
    hand.browser.find_element(By.NAME, "file").send_keys(str(file))
    assert "payments → biztechUsers" in hand.find("//div[contains(@class, 'plan')]").text
    hand.type(REASON, "As agreed")
    hand.go(SAVE)
    assert hand.clicks <= 4
    assert Access.objects.get(table__name="biztechUsers", service__name="payments").mode == "read"
    assert complaints(hand.browser) == []


def test_accesses_are_put_in_another_order_by_button_and_by_arrow_key(hand):
    table = Table.objects.get(name="biztechUsers")
    hand.browser.get(f"{hand.browser.current_url}admin/ownership/table/{table.pk}/change/")
    hand.press("//button[@aria-label='Move payments up']")
    hand.browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert shown_text(hand, "[data-pending]") == "order of accesses"
    hand.type(REASON, "By importance" + Keys.CONTROL + Keys.ENTER)
    hand.find("//*[contains(@class, 'success')]")
    names = [access.service.name for access in table.accesses.all()]
    assert names[:3] == ["users", "registrations", "payments"]
    assert {entry.label for entry in entries_of([2])} == {
        "payments → biztechUsers",
        "registrations → biztechUsers",
    }


def test_indexes_are_added_and_put_in_another_order(hand):
    table = Table.objects.get(name="biztechRegistrations")
    hand.browser.get(f"{hand.browser.current_url}admin/ownership/table/{table.pk}/change/")
    hand.press(button("Add secondary index"))
    hand.browser.switch_to.active_element.send_keys("by-year")
    hand.press("//button[@aria-label='Move by-year up']")
    assert shown_text(hand, "[data-pending]") == "by-year added · order of secondary indexes"
    hand.type(REASON, "For the yearly report" + Keys.CONTROL + Keys.ENTER)
    hand.find("//*[contains(@class, 'success')]")
    assert [index.name for index in table.indexes.all()] == ["by-year", "event-query"]


def test_a_missing_reason_is_named_at_its_field_and_nothing_is_lost(hand):
    table = Table.objects.get(name="biztechUsers")
    hand.browser.get(f"{hand.browser.current_url}admin/ownership/table/{table.pk}/change/")
    hand.press(radio("accesses-1-mode", "write"))
    hand.press(SAVE)
    assert "Please give a reason." in shown_text(hand, ".reason")
    assert hand.browser.switch_to.active_element.get_attribute("name") == "reason"
    assert hand.browser.find_element(
        By.CSS_SELECTOR, "[name=accesses-1-mode][value=write]"
    ).is_selected()
    asks = """const leaving = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(leaving);
    return leaving.defaultPrevented;"""
    assert hand.browser.execute_script(asks), "a changed form is left without a warning"
    hand.type(REASON, "Checked")
    hand.go(SAVE)


def test_typing_a_reason_does_not_read_the_whole_form_again(hand, live_server):
    hand.browser.get(f"{live_server.url}/admin/ownership/table/1/change/")
    hand.press(radio("accesses-1-mode", "write"))
    hand.browser.execute_script(
        "document.querySelector('[data-pending]').textContent = 'as it was'"
    )
    hand.type(REASON, "Slow with many rows")
    assert shown_text(hand, "[data-pending]") == "as it was"


def test_a_form_survives_the_end_of_its_session(hand, live_server):
    table = Table.objects.get(name="biztechUsers")
    hand.browser.get(f"{live_server.url}/admin/ownership/table/{table.pk}/change/")
    hand.press(radio("accesses-1-mode", "write"))
    hand.type(REASON, "Written before lunch")
    hand.browser.delete_all_cookies()
    hand.press(SAVE)
    assert "Not saved: your session has ended." in hand.find("//*[@role='alert']").text
    form_tab = hand.browser.current_window_handle
    hand.browser.switch_to.new_window("tab")
    sign_in(hand.browser, live_server.url, "lead")
    hand.browser.close()
    hand.browser.switch_to.window(form_tab)
    hand.go(SAVE)
    assert Access.objects.get(table=table, service__name="payments").mode == "write"
    assert ChangeSet.objects.first().reason == "Written before lunch"


@pytest.mark.parametrize("width", [1360, 390])
def test_the_bar_neither_hides_what_has_the_focus_nor_moves_the_page(hand, live_server, width):
    look(hand.browser, width=width)
    hand.browser.get(f"{live_server.url}/admin/ownership/table/3/change/")
    hand.type(REASON, "a")
    assert hand.browser.execute_script("return scrollY") == 0
    hidden = hand.browser.execute_script(
        """const bar = document.querySelector(".save-bar");
        const form = document.querySelector("#table_form");
        const stops = [...form.querySelectorAll("input, textarea, select, button, a, [tabindex='0']")]
          .filter((stop) => stop.checkVisibility() && stop.tabIndex >= 0 && !bar.contains(stop));
        return stops.filter((stop) => {
          stop.focus();
          const { top } = stop.getBoundingClientRect();
          const there = bar.getBoundingClientRect();
          return top < 0 || (top + 20 > there.top && top < there.bottom);
        }).map((stop) => stop.outerHTML.slice(0, 100));"""
    )
    assert hidden == []


def test_on_a_phone_every_field_of_an_access_can_be_seen(hand, live_server):
    look(hand.browser, width=390)
    hand.browser.get(f"{live_server.url}/admin/ownership/table/1/change/")
    hidden = hand.browser.execute_script(
        """return [...document.querySelectorAll(".accesses-row")].flatMap((row) => [...row.querySelectorAll(
          ".select2-selection, .segments label, [name$=indirect], textarea, [name$=DELETE], .order button")])
        .filter((field) => {
          const { left, right, height } = field.getBoundingClientRect();
          return left < 0 || right > innerWidth || height < 13;
        }).map((field) => field.outerHTML.slice(0, 80))"""
    )
    assert hidden == []
