"""Steps that a person takes in a browser."""

from importlib.util import find_spec
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

# The package's code drives another browser; only the script that it ships is wanted, so it is not imported.
AXE = Path(find_spec("axe_playwright_python").submodule_search_locations[0]) / "axe.min.js"


# Of a page of A4, without its margins.
PAPER_WIDTH = 700
# Of everybody in these tests.
PASSWORD = "a long pass phrase"


def sign_in(browser: webdriver.Chrome, base: str, name: str) -> None:
    """Through the sign-in page, as a person does."""
    browser.get(f"{base}/admin/")
    fill_in_sign_in(browser, name)
    assert browser.find_element(By.ID, "logout-form")


def fill_in_sign_in(browser: webdriver.Chrome, name: str) -> None:
    """On the sign-in page, which leads on to the page that was asked for."""
    browser.find_element(By.NAME, "username").send_keys(name)
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    follow(browser, browser.find_element(By.CSS_SELECTOR, "#login-form button"))


def follow(browser: webdriver.Chrome, element: WebElement, how: str | None = None) -> None:
    """Clicks it, or presses that key on it, and waits until the page it leads to is there: a click returns before, and
    what is found until then may be the old page's."""
    browser.execute_script("window.isTheOldPage = true")
    element.send_keys(how) if how else element.click()
    arrived = "return !window.isTheOldPage && document.readyState === 'complete'"
    # Between two pages the browser's driver may have none to run this on.
    wait = WebDriverWait(browser, 30, ignored_exceptions=[WebDriverException])
    wait.until(lambda page: page.execute_script(arrived))


def press(browser: webdriver.Chrome, label: str) -> None:
    """Press the first button whose label begins so, and wait for the page it leads to."""
    follow(
        browser,
        browser.find_element(By.XPATH, f"//button[starts-with(normalize-space(), '{label}')]"),
    )


def is_there(browser: webdriver.Chrome, selector: str) -> bool:
    """Whether an element is on the page now. ``find_elements`` would wait for one that is not."""
    there: bool = browser.execute_script("return !!document.querySelector(arguments[0])", selector)
    return there


def complaints(browser: webdriver.Chrome) -> list[str]:
    """Errors and warnings in the browser's console since last asked: violations of the CSP, missing files."""
    entries = [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"]
    return [f"{entry['level']}: {entry['message']}" for entry in entries]


def look(browser: webdriver.Chrome, scheme: str = "light", width: int = 1360) -> None:
    """As someone whose system is set so, in a window of that width."""
    # Without motion, colours are there at once.
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": name, "value": value} for name, value in features.items()]},
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )


def on_paper(browser: webdriver.Chrome) -> None:
    """As a printer does, on A4."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": PAPER_WIDTH, "height": 1000, "deviceScaleFactor": 1, "mobile": False},
    )
