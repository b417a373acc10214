"""One look for site and admin, and the small scripts that pages share, in a real browser."""

import re

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from ownership.models import Membership
from ownership.models.rights import TEAM_LEADS
from tests.support.browser import PAPER_WIDTH, PASSWORD, complaints, follow, look, on_paper
from tests.support.clicks import Hand
from tests.support.factories import make_team
from tests.support.tokens import make_token

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def site(administered_site, lead):
    """Signed in as an administrator; there is a token and another account."""
    make_token(lead)
    return administered_site


def background(browser):
    return browser.execute_script("return getComputedStyle(document.body).backgroundColor")


def test_the_theme_is_chosen_once_for_site_and_admin(site, browser):
    look(browser, "light")
    browser.get(site)
    light = background(browser)
    browser.find_element(By.CSS_SELECTOR, ".theme-toggle").click()
    dark = background(browser)
    assert dark != light
    for page in ("/admin/", "/matrix/", "/api/v1/docs/"):
        browser.get(site + page)
        assert background(browser) == dark, page
    look(browser, "dark")
    assert "dark" in browser.find_element(By.CSS_SELECTOR, ".theme-toggle").text
    browser.execute_script("localStorage.clear()")
    assert complaints(browser) == []


def test_on_a_phone_nothing_of_the_header_overlaps(site, browser):
    look(browser, width=390)
    for page in ("/", "/admin/ownership/table/"):
        browser.get(site + page)
        overlaps = browser.execute_script(
            """const parts = [...document.querySelectorAll("header.site > *, header.site nav a")]
              .filter((part) => !part.querySelector("a") && part.checkVisibility());
            const boxes = parts.map((part) => part.getBoundingClientRect());
            return boxes.flatMap((one, index) => boxes.slice(index + 1).filter((other) =>
              one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom));"""
        )
        assert overlaps == [], page


def test_on_a_phone_a_team_member_s_navigation_is_one_line(site, browser):
    administrator = User.objects.get(username="administrator")
    Membership.objects.create(team=make_team(), user=administrator)
    look(browser, width=390)
    browser.get(f"{site}/mine/")
    tops = browser.execute_script(
        "return [...document.querySelectorAll('header.site nav a')].map((link) => link.offsetTop)"
    )
    assert len(tops) == 7
    assert len(set(tops)) == 1


def test_a_moment_says_how_long_ago_it_was_and_on_hover_what_time_that_was_here(site, browser):
    browser.get(f"{site}/tables/biztechUsers/history/")
    moment = browser.find_element(By.CSS_SELECTOR, ".change-set time")
    assert re.fullmatch(
        r"(just now|\d+ (min|h) ago) \(\d\d:\d\d UTC\)|\d+ \w{3} \d{4}, \d\d:\d\d UTC", moment.text
    )
    assert re.match(r"\d+ \w{3} \d{4}, \d\d:\d\d UTC; your time: \d", moment.get_attribute("title"))


def test_a_new_token_is_shown_with_a_button_that_copies_it(site, browser):
    browser.get(f"{site}/admin/ownership/apitoken/add/")
    browser.find_element(By.NAME, "name").send_keys("nightly")
    follow(browser, browser.find_element(By.NAME, "_save"))
    assert browser.find_element(By.ID, "token").get_attribute("value").startswith("own_")
    button = browser.find_element(By.CSS_SELECTOR, ".copied button")
    button.click()
    WebDriverWait(browser, 10).until(lambda _: button.text.startswith(("Copied", "Could not copy")))
    assert complaints(browser) == []


def test_a_team_lead_s_account_takes_four_clicks_at_most(site, browser):
    browser.get(site)
    hand = Hand(browser)
    hand.go("//header//a[normalize-space()='Edit']")
    hand.go("//a[@href='/admin/auth/user/add/']")
    hand.type("//input[@name='username']", "new-lead")
    for field in ("password1", "password2"):
        hand.type(f"//input[@name='{field}']", PASSWORD)
    hand.press("//label[input[@name='role' and @value='lead']]")
    hand.go("//*[@name='_save']")
    assert hand.clicks <= 4
    assert User.objects.get(username="new-lead").groups.get().name == TEAM_LEADS


def test_signing_out_takes_two_clicks_and_stays_on_the_page(site, browser, settings):
    settings.ANONYMOUS_READ = True
    browser.get(f"{site}/matrix/")
    browser.find_element(By.CSS_SELECTOR, "button.account").click()
    follow(browser, browser.find_element(By.XPATH, "//button[text()='Sign out']"))
    assert browser.current_url == f"{site}/matrix/"
    assert browser.find_element(By.CSS_SELECTOR, ".messages").text == "You are signed out."


def test_on_paper_the_admin_has_no_furniture(site, browser):
    on_paper(browser)
    for page in (
        "/changes/",
        "/changes/1/",
        "/admin/ownership/table/1/history/",
        "/admin/ownership/table/",
    ):
        browser.get(site + page)
        assert (
            browser.execute_script("return document.documentElement.scrollWidth") <= PAPER_WIDTH
        ), page
        pressed = browser.execute_script(
            """return [...document.querySelectorAll("input, select, button, .breadcrumbs, .button")]
              .filter((one) => one.checkVisibility()).map((one) => one.outerHTML);"""
        )
        assert pressed == [], page
