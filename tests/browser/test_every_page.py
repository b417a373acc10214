"""Every page in a real browser, as people set up their screens: light and dark, wide and narrow, enlarged, spaced out.

docs/accessibility.md says what this covers and what was tried by hand.
"""

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.utils.timezone import localdate
from selenium.webdriver.common.by import By

from ownership.history.change_sets import change_set
from ownership.history.models import current_head
from ownership.models import Service, Suggestion, Table
from ownership.news.mails import unsubscribe_address
from ownership.news.watching import watch
from ownership.plans.suggestions import decline
from tests.support.addresses import address, routes
from tests.support.browser import complaints, follow, press
from tests.support.drift_code import code_usage
from tests.support.endpoints import make_failing_endpoint
from tests.support.every_look import faults_in_every_look
from tests.support.factories import make_confirmation, make_member, make_suggestion, make_team
from tests.support.runs import keep_run, waive
from tests.support.tokens import make_token

pytestmark = [pytest.mark.browser, pytest.mark.slow]

READERS_PAGES = (
    "/",
    "/?revision=1",
    "/?show=attention",
    "/search/?q=biztechUsersPROD",
    "/search/?q=event",
    "/search/?q=nothing-is-called-so",
    "/search/?q=biztechQRs",
    "/search/?q=biztechPrizes",
    "/matrix/",
    "/matrix/?service=payments",
    "/matrix/?layer=drift",
    "/groups/Core Tables/",
    "/services/",
    "/services/interactions/",
    "/services/users/",
    "/services/payments/trace/?direction=upstream",
    "/tables/biztechProfiles/",
    "/tables/biztechProfiles/?revision=1",
    "/tables/biztechProfiles/trace/",
    "/drift/",
    "/confirm/",
    "/confirm/?table=biztechProfiles",
    "/matrix/?layer=confirmation",
    "/watching/",
    "/unsubscribe/token/",
    "/mine/",
    "/teams/Club/",
    "/tables/biztechUsrs/",
    "/no/such/page/",
    "/?revision=x",
    "/api/v1/docs/",
)
HISTORY_PAGES = (
    "/changes/",
    "/changes/?q=biztechQRs&kind=table&source=command",
    "/changes/1/",
    "/changes/3/",
    "/compare/?from=1",
    "/compare/?from=1&to=3&table=biztechQRCodes",
    "/day/",
    "/day/?revision=2",
    "/suggestions/",
    "/suggestions/?state=all",
    "/suggestions/mine/",
    "/suggestions/1/",
    "/suggestions/2/",
    "/tables/biztechMembers2026/history/",
    "/tables/biztechPrizes/history/",
    "/admin/ownership/changeset/1/undo/",
    "/admin/ownership/changeset/5/undo/",
    "/admin/ownership/changeset/deleted/",
    "/admin/ownership/table/1/history/",
)
DESK_PAGES = (
    "/admin/",
    "/admin/ownership/table/?owner=events&q=feedback&o=1",
    "/admin/ownership/table/add/",
    "/admin/ownership/table/3/change/",
    "/admin/ownership/table/3/suggest/",
    "/admin/ownership/table/suggest/",
    "/admin/ownership/table/1/delete/",
    "/admin/ownership/table/import/",
    "/admin/ownership/table/order/?group=Core+Tables",
    "/admin/ownership/access/",
    "/admin/ownership/access/1/change/",
    "/admin/ownership/service/",
    "/admin/ownership/service/1/change/",
    "/admin/ownership/service/1/delete/",
    "/admin/ownership/service/1/suggest/",
    "/admin/ownership/team/",
    "/admin/ownership/team/add/",
    "/admin/ownership/team/1/change/",
    "/admin/ownership/team/1/delete/",
    "/admin/ownership/tablegroup/1/change/",
    "/admin/ownership/tablegroup/order/",
    "/admin/ownership/environment/",
    "/admin/ownership/waiver/",
    "/admin/ownership/endpoint/",
    "/admin/ownership/endpoint/add/",
    "/admin/ownership/endpoint/1/change/",
    "/admin/ownership/endpoint/1/deliveries/",
    "/admin/ownership/apitoken/",
    "/admin/ownership/apitoken/add/",
    "/admin/password_change/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/1/password/",
)


@pytest.fixture
def site(administered_site, lead):
    """Signed in as an administrator. A table was renamed, one deleted and one handed over; drift was read."""
    with change_set(user=lead, reason="On-call"):
        users = Service.objects.get(name="users")
        users.contact, users.description = "users-oncall@example.org", "Accounts."
        users.save()
    with change_set(user=lead, reason="Renamed in infra"):
        renamed = Table.objects.get(name="biztechQRs")
        renamed.name = "biztechQRCodes"
        renamed.save()
    with change_set(user=lead, reason="Launch cancelled"):
        Table.objects.get(name="biztechPrizes").delete()
    with change_set(user=lead, reason="Bots take over member records"):
        table = Table.objects.get(name="biztechMembers2026")
        table.owner = Service.objects.get(name="bots")
        table.save()
    for suggested in ("Of the club", "Of the club's events"):
        make_suggestion(
            Table.objects.get(name="bizFeedback"), description=suggested, more_title="Handbook"
        )
    with change_set(user=lead, reason="Say more"):
        edited = Table.objects.get(name="bizFeedback")
        edited.description = "Questions and answers."
        edited.save()
    second = Suggestion.objects.get(number=2)
    decline(second, user=lead, reason="It is not", revision=current_head().revision)
    run = keep_run(
        "bots write biztechUsers",
        "qr write biztechUnheardOf",
        "payments read_write biztechQuests",
        code=code_usage("bots write biztechUsers", services=["bots", "payments"]),
    )
    waive(
        run,
        localdate() + timedelta(days=7),
        user=lead,
        which=lambda finding: finding.table == "biztechQuests",
    )
    for name, days in (("biztechProfiles", 180), ("biztechUsers", 3), ("biztechEvents", -3)):
        make_confirmation(Table.objects.get(name=name), days=days)
    make_token(lead)
    make_failing_endpoint()
    administrator = User.objects.get(username="administrator")
    for kind, row in (("mine", None), ("table", Table.objects.get(name="biztechUsers").pk)):
        watch(administrator, kind, row)
    team = make_team("Club", contact="#club")
    make_member(team, administrator.username)
    users = Service.objects.get(name="users")
    users.team = team
    users.save()
    make_suggestion(Table.objects.get(name="biztechUsers"), description="Accounts of people.")
    return administered_site


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param(READERS_PAGES, id="readers"),
        pytest.param(HISTORY_PAGES, id="history"),
        pytest.param(DESK_PAGES, id="desk"),
    ],
)
def test_axe_finds_nothing_and_nothing_is_cut_off_too_small_or_refused_in_any_look(
    site, browser, pages
):
    found = {}
    for page in pages:
        browser.get(site + with_id(page))
        assert page == "/admin/" or not browser.current_url.endswith("/admin/"), (
            f"{page} is not there"
        )
        if page == "/api/v1/docs/":
            browser.find_element(By.CSS_SELECTOR, "section.models")
        refused = refusals(browser)
        faults = faults_in_every_look(browser)
        complaints(browser)  # about what looked at the page, which is not the page's
        if refused:
            faults["console"] = refused
        if faults:
            found[page] = faults
    assert not found, json.dumps(found, indent=1)


def test_no_other_page_of_the_admin_breaks_the_content_security_policy(site, browser):
    looked_at = {without_numbers(page) for page in (*READERS_PAGES, *HISTORY_PAGES, *DESK_PAGES)}
    for page in map(address, routes()):
        if (
            page.startswith("/admin/")
            and "logout" not in page
            and without_numbers(page) not in looked_at
        ):
            browser.get(site + page)
    assert refusals(browser) == []


def with_id(page: str) -> str:
    """The page's address with the id of the first row of its kind for 1, of the third for 3; with a valid token."""
    if page == "/unsubscribe/token/":
        return urlsplit(unsubscribe_address(User.objects.get(username="administrator"))).path
    numbered = re.search(r"^/admin/(\w+)/(?!changeset)(\w+)/(\d+)/", page)
    if numbered is None:
        return page
    application, kind, number = numbered.groups()
    rows = apps.get_model(application, kind).objects.order_by("pk")
    return page.replace(f"/{number}/", f"/{rows[int(number) - 1].pk}/")


def without_numbers(page: str) -> str:
    """The page's address without parameters, the same for each row."""
    return re.sub(r"\d+", "1", page.partition("?")[0])


def refusals(browser) -> list[str]:
    """What the console says of the content security policy, and of all else but answers that there is no such page.

    Its advice (DEBUG) is left out.
    """
    messages = [line for line in complaints(browser) if not line.startswith("DEBUG")]
    return [line for line in messages if "the server responded with a status of 40" not in line]


def test_pages_that_come_after_a_step_are_as_good(site, browser, tmp_path):
    found = {}

    def look_at(name: str) -> None:
        faults = faults_in_every_look(browser)
        if faults:
            found[name] = faults

    lists = (("table", "Hand over"), ("access", "Edit…"), ("service", "Set team…"))
    for listed, label in lists:
        browser.get(f"{site}/admin/ownership/{listed}/")
        browser.find_element(By.CLASS_NAME, "action-select").click()
        press(browser, label)
        look_at(label)
    for label in ("Accept…", "Waive…"):
        browser.get(f"{site}/drift/")
        for box in browser.find_elements(By.NAME, "finding"):
            browser.execute_script("arguments[0].checked = true", box)
        press(browser, label)
        assert browser.find_element(By.NAME, "reason")
        look_at(label)
    file = tmp_path / "map.csv"
    file.write_text(
        "table,group,owner,service,mode\nbiztechUsers,Core Tables,users,payments,read\n"
    )
    browser.get(f"{site}/admin/ownership/table/import/")
    browser.find_element(By.NAME, "file").send_keys(str(file))
    assert browser.find_element(By.CLASS_NAME, "plan")
    look_at("import")
    browser.get(f"{site}/admin/ownership/apitoken/add/")
    browser.find_element(By.NAME, "name").send_keys("nightly")
    follow(browser, browser.find_element(By.NAME, "_save"))
    assert browser.find_element(By.ID, "token")
    look_at("token")
    browser.get(f"{site}/admin/ownership/service/add/")
    browser.find_element(By.NAME, "name").send_keys("users")
    browser.find_element(By.NAME, "reason").send_keys("Twice")
    follow(browser, browser.find_element(By.NAME, "_save"))
    assert browser.find_element(By.CLASS_NAME, "problems")
    look_at("form with a problem")
    browser.get(site + with_id("/unsubscribe/token/"))
    press(browser, "Unsubscribe")
    look_at("unsubscribed")
    browser.get(site)
    browser.find_element(By.CSS_SELECTOR, "button.account").click()
    browser.find_element(By.ID, "q-home").send_keys("biztech")
    assert browser.find_element(By.CSS_SELECTOR, ".suggestions li")
    look_at("suggestions")
    assert not found, json.dumps(found, indent=1)
