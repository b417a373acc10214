"""A real browser: the machine's Chromium, headless. Where there is none, these tests skip and say so."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from selenium import webdriver

from tests.support.browser import PASSWORD, complaints

# Without these, a browser on a closed network keeps looking up its maker's hosts.
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1360,900",
)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    """The one browser of all these tests: to start it takes longer than most of what they do in it."""
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not (binary and driver):
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, but chromium or chromedriver is not installed.")
        pytest.skip("no browser: install chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in [*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    chrome.implicitly_wait(10)
    yield chrome
    chrome.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """The browser as if it were new, and without a page that asks for anything while the database is emptied."""
    yield chromium
    chromium.get("about:blank")
    for command in (
        "Network.clearBrowserCookies",
        "Network.clearBrowserCache",
        "Emulation.clearDeviceMetricsOverride",
    ):
        chromium.execute_cdp_cmd(command, {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    complaints(chromium)


@pytest.fixture
def site(committed, seeded, lead, live_server, browser) -> str:
    """The address of a seeded registry, on whose first page a team lead is signed in."""
    return _signed_in(browser, live_server.url, "lead")


@pytest.fixture
def administered_site(committed, seeded, lead, live_server, browser) -> str:
    """The same with an administrator."""
    User.objects.create_superuser("administrator", password=PASSWORD)
    return _signed_in(browser, live_server.url, "administrator")


def _signed_in(browser: webdriver.Chrome, base: str, name: str) -> str:
    """With a session's cookie: to sign in by the form takes longer than what many of these tests do."""
    client = Client()
    client.force_login(User.objects.get(username=name))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser.get(f"{base}/livez")  # a cookie can be set on a page of its host alone
    browser.add_cookie({"name": settings.SESSION_COOKIE_NAME, "value": session})
    browser.get(base)
    complaints(browser)
    return base
