"""A team lead's way through drift, in a real browser: see it, accept one finding, waive another."""

import json

import pytest
from selenium.webdriver.common.by import By

from tests.support.browser import complaints, follow, is_there, press
from tests.support.runs import keep_run

pytestmark = pytest.mark.browser


def tick(browser, name):
    box = browser.find_element(By.CSS_SELECTOR, f"input[aria-label='{name}']")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", box)
    box.click()


@pytest.mark.slow
def test_a_heading_ticks_all_below_it(site, browser):
    keep_run("bots write biztechUsers", "qr write biztechUsers", "payments read biztechQRs")
    browser.get(f"{site}/drift/?kind=undeclared_access")
    tick(browser, "Select all: Owner: users (2)")
    ticked = browser.find_elements(By.CSS_SELECTOR, "input[name=finding]:checked")
    assert {json.loads(box.get_attribute("value"))[2] for box in ticked} == {"bots", "qr"}
    tick(browser, "Select all")
    assert len(browser.find_elements(By.CSS_SELECTOR, "input[name=finding]:checked")) == 3
    assert complaints(browser) == []


@pytest.mark.slow
def test_a_lead_accepts_one_finding_and_waives_another(site, browser):
    keep_run(
        "bots write biztechUsers", "bots read_write biztechMembers2026", "payments read biztechQRs"
    )
    browser.get(site)
    follow(browser, browser.find_element(By.LINK_TEXT, "Drift"))
    assert "Undeclared access" in browser.find_element(By.CSS_SELECTOR, "table.findings").text

    tick(browser, "Undeclared access biztechUsers bots")
    press(browser, "Accept…")
    assert "mode — Write" in browser.find_element(By.CSS_SELECTOR, ".entry-plan").text
    browser.find_element(By.NAME, "reason").send_keys("The bot signs people up")
    press(browser, "Accept 1 finding")
    assert (
        "1 finding accepted (revision 2)." in browser.find_element(By.CSS_SELECTOR, ".message").text
    )

    tick(browser, "Undeclared access biztechQRs payments")
    press(browser, "Waive…")
    browser.find_element(By.NAME, "reason").send_keys("Goes next term")
    press(browser, "Waive 1 finding")
    assert "waived until" in browser.find_element(By.CSS_SELECTOR, ".message").text
    assert "Goes next term" in browser.find_element(By.TAG_NAME, "main").text
    assert not is_there(browser, "input[aria-label='Undeclared access biztechUsers bots']")
    assert complaints(browser) == []
