"""The pages as people use them, in a real browser: found, read, filtered, by keyboard, in the dark, on a phone."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import url_contains
from selenium.webdriver.support.ui import Select, WebDriverWait

from ownership.drift.types import CodeUsage
from ownership.models import Service, Table
from tests.support.browser import PAPER_WIDTH, follow, is_there, look, on_paper
from tests.support.runs import keep_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    "/",
    "/?revision=1",
    "/search/?q=biztechUsersPROD",
    "/search/?q=event",
    "/search/?q=nothing-is-called-so",
    "/matrix/",
    "/matrix/?group=Core+Tables&mode=write",
    "/matrix/?service=payments",
    "/matrix/?layer=drift",
    "/?show=attention",
    "/groups/Core Tables/",
    "/services/",
    "/tables/biztechProfiles/",
    "/tables/biztechProfiles/?revision=1",
    "/tables/biztechUsers/history/",
    "/tables/biztechProfiles/trace/",
    "/services/interactions/",
    "/services/payments/trace/?direction=upstream",
    "/drift/",
    "/tables/biztechUsrs/",
    "/no/such/page/",
    "/?revision=x",
)


@pytest.fixture
def site(site):
    """Signed in as a team lead, with a change after the seed."""
    owner = Service.objects.get(name="users")
    owner.contact, owner.description = "users-oncall@example.org", "Accounts."
    owner.save()
    return site


def test_print_cuts_nothing_off_breaks_no_name_and_has_no_buttons(site, browser):
    keep_run("bots write biztechUsers", "qr write biztechUnheardOf", code=CodeUsage())
    on_paper(browser)
    for page in (*PAGES, "/tables/biztechUsers/", "/tables/biztechUsers/trace/"):
        browser.get(site + page)
        assert (
            browser.execute_script("return document.documentElement.scrollWidth") <= PAPER_WIDTH
        ), page
        broken = browser.execute_script(
            """return [...document.querySelectorAll("td .name, th .name, th.name, thead th")]
              .filter((text) => text.checkVisibility() && !/[\\s-]/.test(text.textContent.trim()))
              .filter((text) => text.closest("table:not(.matrix)"))
              .filter((text) => {
                const words = document.createRange();
                words.selectNodeContents(text);
                const lines = [...words.getClientRects()].filter(({ width }) => width > 1).map(({ top }) => top);
                return new Set(lines).size > 1;
              }).map((text) => text.textContent);"""
        )
        assert broken == [], page
        # A closed part of a timeline is there to press, but its summary says what it is.
        pressed = browser.execute_script(
            "return [...document.querySelectorAll('input, select, button')].filter(one => one.checkVisibility()).length"
        )
        assert pressed == 0, page


def test_a_tables_accesses_fit_a_tablet_with_all_the_columns_of_drift(site, browser):
    for environment in (None, "production"):
        keep_run(
            "bots write biztechUsers",
            "users read_write biztechUsers",
            environment=environment,
            code=CodeUsage(),
        )
    for width in (768, 1024):
        look(browser, width=width)
        browser.get(f"{site}/tables/biztechUsers/")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        narrowest = "return Math.min(...[...document.querySelectorAll('.accesses td')].map((cell) => cell.clientWidth))"
        assert browser.execute_script(narrowest) > 40


def test_a_log_line_is_pasted_and_leads_to_the_table(site, browser):
    browser.get(site)
    line = '{"level":"error","msg":"Requested resource not found: biztechUsersPROD"} ' * 150
    field = browser.find_element(By.ID, "q-home")
    browser.execute_script("arguments[0].value = arguments[1]", field, line)
    follow(browser, field, Keys.ENTER)
    known = browser.find_element(By.CSS_SELECTOR, ".known")
    assert "biztechUsersPROD is its physical name in production" in known.text
    follow(browser, known.find_element(By.LINK_TEXT, "biztechUsers"))
    assert browser.title.startswith("biztechUsers")
    browser.back()
    assert browser.find_element(By.CSS_SELECTOR, ".known")


def test_the_matrix_is_filtered_and_a_cell_leads_to_its_access(site, browser):
    browser.get(f"{site}/matrix/")
    Select(browser.find_element(By.NAME, "group")).select_by_visible_text("Core Tables")
    Select(browser.find_element(By.NAME, "mode")).select_by_visible_text("is indirect")
    WebDriverWait(browser, 30).until(url_contains("group=Core+Tables&mode=indirect"))
    assert browser.switch_to.active_element.get_attribute("name") == "mode"
    assert browser.find_element(By.CSS_SELECTOR, "[role=status]").text == "1 table, 2 services."
    cells = browser.find_elements(By.CSS_SELECTOR, "table.matrix td a")
    assert [cell.get_attribute("aria-label") for cell in cells] == [
        "payments (W): writes biztechProfiles, indirectly",
        "members (W): writes biztechProfiles, indirectly",
    ]
    follow(browser, cells[0])
    assert browser.current_url.endswith("/tables/biztechProfiles/#access-payments")
    assert "Webhook calls createProfile" in browser.find_element(By.CSS_SELECTOR, ":target").text


@pytest.mark.parametrize(("page", "links"), [("/matrix/", "td a"), ("/", "table.map a")])
@pytest.mark.parametrize("width", [1360, 390])
def test_what_has_the_focus_is_not_hidden_by_sticky_heads(site, browser, width, page, links):
    look(browser, width=width)
    browser.get(site + page)
    hidden = browser.execute_script(
        """const cells = [...document.querySelectorAll(arguments[0])].filter((cell) => cell.checkVisibility());
        scrollTo(document.body.scrollWidth, document.body.scrollHeight);
        return cells.reverse().filter((cell) => {
          cell.focus();
          const { x, y, width, height } = cell.getBoundingClientRect();
          return ![0.1, 0.5, 0.9].some((part) => {
            const there = document.elementFromPoint(x + part * width, y + height / 2);
            return there && cell.contains(there);
          });
        }).map((cell) => cell.textContent);""",
        links,
    )
    assert hidden == []


def test_arrow_keys_walk_the_cells_of_the_matrix_and_the_tab_key_leaves_it(site, browser):
    browser.get(f"{site}/matrix/")

    def here():
        return browser.execute_script(
            "return document.activeElement.ariaLabel ?? document.activeElement.textContent"
        )

    stops = browser.find_elements(By.CSS_SELECTOR, "table.matrix [tabindex='0']")
    first = "users RW: reads and writes biztechUsers, and owns it"
    assert [stop.get_attribute("aria-label") for stop in stops] == [first]
    browser.execute_script("arguments[0].focus()", stops[0])
    steps = [
        (Keys.ARROW_RIGHT, "payments RW: reads and writes biztechUsers"),
        (Keys.ARROW_DOWN, "payments R: reads biztechEvents"),
        (Keys.HOME, "biztechEvents"),
        (Keys.ARROW_UP, "biztechUsers"),
        (Keys.ARROW_UP, "Table"),
        (Keys.ARROW_RIGHT, "users"),
        (Keys.ARROW_DOWN, "users RW: reads and writes biztechUsers, and owns it"),
        (Keys.PAGE_DOWN, ""),
    ]
    for key, expected in steps:
        browser.switch_to.active_element.send_keys(key)
        assert here() == expected
        # By a script: find_elements waits for what may not be there.
        marked = "return document.querySelectorAll('thead th.here').length"
        assert browser.execute_script(marked) <= 1
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert not browser.execute_script("return document.activeElement.closest('table.matrix')")
    browser.execute_script("document.querySelector('table.matrix td a').focus()")
    follow(browser, browser.switch_to.active_element, Keys.ENTER)
    assert browser.current_url.endswith("/tables/biztechUsers/#access-users")


def test_a_filter_by_service_keeps_owner_and_sharers_in_sight(site, browser):
    browser.get(f"{site}/matrix/")
    Select(browser.find_element(By.NAME, "service")).select_by_visible_text("payments")
    WebDriverWait(browser, 30).until(url_contains("service=payments"))
    heads = [
        head.text for head in browser.find_elements(By.CSS_SELECTOR, "table.matrix thead th a")
    ]
    assert heads[:2] == ["payments", "users"]
    assert "profiles" in heads
    assert len(browser.find_elements(By.CSS_SELECTOR, "table.matrix [tabindex='0']")) == 1


def test_the_picture_leads_from_table_to_service_and_back_by_keyboard_alone(site, browser):
    browser.get(f"{site}/tables/biztechUsers/")
    for expected in ("/services/members/", "/tables/biztechUsers/"):
        for _ in range(60):
            browser.switch_to.active_element.send_keys(Keys.TAB)
            here = browser.execute_script("return document.activeElement.getAttribute('href')")
            if here == expected and browser.execute_script(
                "return !!document.activeElement.closest('svg')"
            ):
                break
        follow(browser, browser.switch_to.active_element, Keys.ENTER)
        assert browser.current_url == site + expected
    look(browser, width=390)
    shown = browser.find_elements(By.CSS_SELECTOR, ".picture svg")
    assert [svg.is_displayed() for svg in shown] == [False, True]


def test_the_map_is_seen_as_it_was_and_left_again(site, browser):
    Table.objects.get(name="biztechPrizes").delete()
    browser.get(site)
    assert browser.find_element(By.LINK_TEXT, "biztechUsers")
    assert not is_there(browser, "a[href*='/biztechPrizes/']")
    browser.get(f"{site}/?revision=1")
    assert "You are viewing revision" in browser.find_element(By.CSS_SELECTOR, ".past").text
    follow(browser, browser.find_element(By.LINK_TEXT, "biztechPrizes"))
    assert "You are viewing revision" in browser.find_element(By.CSS_SELECTOR, ".past").text
    browser.get(f"{site}/")
    field = browser.find_element(By.ID, "then")
    browser.execute_script("arguments[0].value = '2000-01-31'", field)
    follow(browser, browser.find_element(By.CSS_SELECTOR, "form.then button"))
    assert "No tables yet" in browser.find_element(By.TAG_NAME, "main").text
    follow(browser, browser.find_element(By.LINK_TEXT, "Back to today"))
    assert browser.find_element(By.LINK_TEXT, "biztechEvents")


def test_the_map_is_exported_from_the_first_page(site, browser):
    browser.get(site)
    address = browser.find_element(By.LINK_TEXT, "CSV").get_attribute("href")
    text = browser.execute_async_script(
        "const done = arguments[1]; fetch(arguments[0]).then(answer => answer.text()).then(done)",
        address,
    )
    assert "biztechUsers" in text
    assert len(text.splitlines()) > 55


def test_spaces_of_a_value_are_seen_in_its_timeline(site, browser):
    table = Table.objects.get(name="biztechUsers")
    table.description = "a  b   c"
    table.save()
    browser.get(f"{site}/tables/biztechUsers/history/")
    assert "a  b   c" in browser.find_element(By.CSS_SELECTOR, ".changes .new").text
