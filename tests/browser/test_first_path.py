"""A team lead's first path, in a real browser: sign in, change an access, give a reason, see it in the history."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browser import complaints, follow

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_lead_changes_an_access_and_finds_it_in_the_history(site, browser):
    browser.get(f"{site}/admin/")
    follow(browser, browser.find_element(By.LINK_TEXT, "Tables"))
    follow(browser, browser.find_element(By.LINK_TEXT, "biztechUsers"))
    mode = browser.find_element(By.CSS_SELECTOR, "[name=accesses-1-mode][value=read]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mode)
    mode.click()
    browser.find_element(By.NAME, "_save").click()
    assert "Please give a reason." in browser.find_element(By.CSS_SELECTOR, ".reason").text

    browser.find_element(By.NAME, "reason").send_keys("Payments writes no more")
    follow(browser, browser.find_element(By.NAME, "_save"))
    assert (
        "payments → biztechUsers: Read + Write → Read"
        in browser.find_element(By.CSS_SELECTOR, ".success").text
    )

    row = browser.find_element(By.XPATH, "//tr[.//a[text()='biztechUsers']]")
    assert "lead" in row.find_element(By.CSS_SELECTOR, ".field-last_change").text
    follow(browser, row.find_element(By.CSS_SELECTOR, ".field-last_change a"))
    latest = browser.find_element(By.CSS_SELECTOR, ".change-set").text
    assert "lead" in latest
    assert "Payments writes no more" in latest
    assert "Access payments → biztechUsers" in latest
    values = browser.find_element(By.CSS_SELECTOR, ".change-set .changes")
    assert values.find_element(By.CSS_SELECTOR, ".old").text.endswith("Read + Write")
    assert values.find_element(By.CSS_SELECTOR, ".new").text.endswith("Read")
    assert complaints(browser) == []


@pytest.mark.slow
def test_the_api_docs_page_works_under_the_strict_csp(committed, live_server, browser, settings):
    settings.ANONYMOUS_READ = True
    browser.get(f"{live_server.url}/api/v1/docs/")
    WebDriverWait(browser, 15).until(
        lambda page: "/api/v1/map/" in page.find_element(By.TAG_NAME, "body").text
    )
    assert [
        line for line in complaints(browser) if "violates" in line or "Failed to load" in line
    ] == []
