"""The search field suggests names while one types; it is used by keyboard alone, or by mouse."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import url_contains
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browser import complaints

pytestmark = pytest.mark.browser


@pytest.fixture
def home(site, browser):
    """The home page, signed in."""
    return browser


def suggestions(browser):
    return [option.text for option in browser.find_elements(By.CSS_SELECTOR, "[role=option]")]


@pytest.mark.slow
def test_the_slash_key_goes_to_the_field_and_the_keyboard_picks_a_suggestion(home):
    home.find_element(By.TAG_NAME, "body").send_keys("/")
    field = home.switch_to.active_element
    assert field.get_attribute("id") == "q-home"
    assert field.get_attribute("value") == ""

    field.send_keys("payments")
    WebDriverWait(home, 10).until(lambda _: suggestions(home) == ["payments service"])
    assert field.get_attribute("aria-expanded") == "true"
    field.send_keys(Keys.ESCAPE)
    assert field.get_attribute("aria-expanded") == "false"
    assert field.get_attribute("value") == "payments"

    field.clear()
    field.send_keys("event-q")
    WebDriverWait(home, 10).until(
        lambda _: suggestions(home) == ["event-query index · of biztechRegistrations"]
    )
    field.send_keys(Keys.ARROW_DOWN)
    active = home.find_element(By.ID, field.get_attribute("aria-activedescendant"))
    assert active.get_attribute("aria-selected") == "true"
    field.send_keys(Keys.ENTER)
    WebDriverWait(home, 20).until(url_contains("/tables/biztechRegistrations/#index-event-query"))
    assert complaints(home) == []


@pytest.mark.slow
def test_a_suggestion_is_clicked_and_enter_without_one_searches(home):
    home.find_element(By.ID, "q-home").send_keys("biztechUs")
    home.find_element(By.XPATH, "//*[@role='option'][contains(., 'biztechUsers')]").click()
    WebDriverWait(home, 20).until(url_contains("/tables/biztechUsers/"))
    field = home.find_element(By.ID, "q")
    field.send_keys("biztech", Keys.ENTER)
    WebDriverWait(home, 20).until(url_contains("/search/?q=biztech"))


@pytest.mark.slow
def test_the_slash_key_can_be_turned_off(home):
    home.find_element(By.CSS_SELECTOR, "[data-slash] button").click()
    home.find_element(By.TAG_NAME, "body").send_keys("/")
    assert home.switch_to.active_element.get_attribute("id") != "q-home"
    home.find_element(By.CSS_SELECTOR, "[data-slash] button").click()
    home.find_element(By.TAG_NAME, "body").send_keys("/")
    assert home.switch_to.active_element.get_attribute("id") == "q-home"
