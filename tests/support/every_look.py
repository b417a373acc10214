"""What is wrong with a page in any of the ways in which people look at it."""

from selenium import webdriver

from tests.support.browser import AXE, look

WIDTHS = (1360, 390)
# A window 1280 pixels wide, enlarged to 400 % (WCAG 2.2, 1.4.10).
ENLARGED = 320
# A link in a sentence may be smaller, one that is as high as the line of history that it is in, and a box to select
# whose neighbours are 24 pixels away (2.5.8).
SMALL_TARGETS = """
  const fields = "input:not([type=hidden], [type=checkbox], [type=radio])";
  const targets = `:is(main, header.site, #content) :is(a, button, select, summary, ${fields})`;
  return [...document.querySelectorAll(targets)]
    .filter((target) => target.checkVisibility() && !target.closest("svg, .unseen, .notes, .timeline, .evidence, #api"))
    .filter((target) => !target.matches(":is(p, li, dd, td, th, span, .readonly, ul.errorlist *) > a"))
    .map((target) => [target.getBoundingClientRect(), target.outerHTML.slice(0, 120)])
    .filter(([box]) => box.width > 1 && (box.width < 23.5 || box.height < 23.5))
    .map(([, html]) => html);
"""
# Of elements with the same tags, classes and attributes around them, which the rows of a list are, two show the
# contrast of all: it takes most of the time.
AXE_VIOLATIONS = """
  const [done] = arguments;
  const ways = new Map(), alike = new Map();
  for (const element of document.querySelectorAll("body, body *")) {
    const names = element.getAttributeNames().join();
    const way = [ways.get(element.parentElement), element.tagName, element.getAttribute("class"), names].join(" ");
    ways.set(element, way);
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (hasText || element.matches("input, select, textarea")) {
      alike.set(way, [...(alike.get(way) ?? []), element].slice(0, 2));
    }
  }
  const context = { include: [...alike.values()].flat() };
  const options = { resultTypes: ["violations"], preload: false };
  const contrast = { ...options, runOnly: ["color-contrast"] };
  const otherRules = { ...options, rules: { "color-contrast": { enabled: false } } };
  const places = ({ nodes }) => nodes.slice(0, 3).map(({ html }) => html.slice(0, 160));
  // How many rules hold, and which do not. To hand over the whole result would take half as long as to make it.
  const short = ({ passes, violations }) => [passes.length, violations.map((rule) => [rule.id, places(rule)])];
  axe.run(context, contrast)
    .then((first) => axe.run(otherRules).then((second) => done([short(first), short(second)])));
"""
# The spacing that a reader may set (1.4.12). Texts for screen readers alone are cut off by intention.
CUT_OFF_WITH_SPACING = """
  const spacing = new CSSStyleSheet();
  spacing.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important;
    word-spacing: .16em !important } p { margin-bottom: 2em !important }`);
  document.adoptedStyleSheets = [spacing];
  const cut = [...document.querySelectorAll("body *")]
    .filter((element) => element.checkVisibility() && element.textContent.trim() && element.clientWidth > 1)
    .filter((element) => !element.closest(".unseen, .visually-hidden, svg, select, textarea, thead, #api"))
    .filter((element) => {
      const { overflowX, overflowY } = getComputedStyle(element);
      const hides = (overflow) => ["hidden", "clip"].includes(overflow);
      return (hides(overflowX) && element.scrollWidth > element.clientWidth + 1)
        || (hides(overflowY) && element.scrollHeight > element.clientHeight + 1);
    })
    .map((element) => element.outerHTML.slice(0, 120));
  document.adoptedStyleSheets = [];
  return cut;
"""


def faults_in_every_look(browser: webdriver.Chrome) -> dict[str, list[str]]:
    """{look: what is wrong}: light and dark, wide and narrow, enlarged, and with wider text; empty where all is well.

    The page stays as it is, with what is open or filled in.
    """
    browser.execute_script(AXE.read_text())
    faults = {}
    # The scheme sets colours and the width all else, so these two show each colour and each layout once.
    for scheme, width in zip(("light", "dark"), WIDTHS, strict=True):
        look(browser, scheme, width)
        faults[f"{scheme}, {width}"] = _axe(browser) + _overflow(browser)
        faults[f"targets, {width}"] = browser.execute_script(SMALL_TARGETS)
        faults[f"spacing, {width}"] = browser.execute_script(CUT_OFF_WITH_SPACING)
    look(browser, width=ENLARGED)
    faults["enlarged"] = _overflow(browser)
    look(browser)
    return {where: what for where, what in faults.items() if what}


def _axe(browser: webdriver.Chrome) -> list[str]:
    """Rule and first places of each violation."""
    violated = []
    for passed, violations in browser.execute_async_script(AXE_VIOLATIONS):
        assert passed
        violated += [f"{rule}: {places}" for rule, places in violations]
    return violated


def _overflow(browser: webdriver.Chrome) -> list[str]:
    """Whether the page scrolls sideways, once what follows the window's size has followed it."""
    width, room = browser.execute_async_script(
        """const page = document.documentElement;
        const answer = () => arguments[0]([page.scrollWidth, page.clientWidth]);
        requestAnimationFrame(() => requestAnimationFrame(answer));"""
    )
    return ["wider than the window"] if width > room else []
