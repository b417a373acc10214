"""Counts the clicks that a task takes a person. Typing is none; opening a list and choosing from it are two."""

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browser import follow, is_there


class Hand:
    """A person's hand on the mouse and the keyboard."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser
        self.clicks = 0

    def find(self, path: str) -> WebElement:
        """The first element on that XPath that can be seen."""

        def seen(browser: webdriver.Chrome) -> WebElement | None:
            for element in browser.find_elements(By.XPATH, path):
                if element.is_displayed():
                    return element
            return None

        wait = WebDriverWait(self.browser, 15, ignored_exceptions=[WebDriverException])
        return wait.until(seen, f"nothing to see on {path}")

    def press(self, path: str) -> None:
        """Click something that stays on the page."""
        self.clicks += 1

        def pressed(_: webdriver.Chrome) -> bool:
            self._click(self.find(path))
            return True

        # A list that is loaded while one types is replaced, sometimes between finding and clicking.
        wait = WebDriverWait(self.browser, 15, ignored_exceptions=[StaleElementReferenceException])
        wait.until(pressed, f"nothing stays on {path}")

    def go(self, path: str) -> None:
        """Click something that leads to another page, and wait for that."""
        self.clicks += 1
        element = self.find(path)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        follow(self.browser, element)

    def type(self, path: str, text: str) -> None:
        """Write into a field."""
        self.find(path).send_keys(text)

    def choose(self, select_id: str, text: str) -> None:
        """Open the admin's search field of a select, unless it is open, and click on an option."""
        if not is_there(self.browser, ".select2-container--open"):
            self.press(
                f"//select[@id='{select_id}']/following-sibling::span//span[@role='combobox']"
            )
        self.type("//input[@class='select2-search__field']", text)
        self.press(
            f"//li[contains(@class, 'select2-results__option') and normalize-space()='{text}']"
        )

    def choose_by_typing(self, text: str) -> None:
        """Choose in the search field that is open already: by typing and Enter."""
        self.type("//input[@class='select2-search__field']", text)
        self.find(
            f"//li[contains(@class, 'select2-results__option--highlighted') and normalize-space()='{text}']"
        )
        self.type("//input[@class='select2-search__field']", Keys.ENTER)

    def _click(self, element: WebElement) -> None:
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
