"""A lead's week in a real browser, with a real mail server: what docs/leads.md says, from mail to mail."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command

from ownership.history.models import ChangeSet
from ownership.models import Access, Confirmation, Table
from ownership.news import mailing
from ownership.news.watching import watch
from tests.support.browser import PASSWORD, complaints, fill_in_sign_in, sign_in
from tests.support.clicks import Hand
from tests.support.factories import make_access, make_member, make_service, make_table, make_team
from tests.support.mail_server import MailServer, subject_of, text_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

REASON = "//input[@name='reason']"
SUGGESTION = re.compile(r"^http://\S+/suggestions/\d+/$", re.MULTILINE)
MINE = re.compile(r"http://\S+/mine/$", re.MULTILINE)


@pytest.fixture
def base(committed, viewer, live_server, mail_server, settings, monkeypatch) -> str:
    """The address of a registry where rights follow the owner, and where nobody waits a minute for mail.

    Ann leads Money, whose service wallet owns accounts and receipts; Ben leads Store with its service shop. Both watch
    what is theirs.
    """
    settings.RIGHTS_FOLLOW_OWNER = True
    settings.SITE_URL = live_server.url
    monkeypatch.setattr(mailing, "COLLECTING", timedelta())
    wallet, shop = make_service("wallet"), make_service("shop")
    for name, team, service in (("ann", "Money", wallet), ("ben", "Store", shop)):
        service.team = make_team(team)
        service.save()
        person = make_member(service.team, name, is_lead=True)
        person.email = f"{name}@registry.example"
        person.set_password(PASSWORD)
        person.save()
        watch(person, "mine", None)
    make_access(make_table("accounts", owner=wallet), shop, mode="read")
    make_table("receipts", owner=wallet)
    deliver()
    mail_server.mails.clear()
    return live_server.url


def deliver() -> None:
    """What the deliverer does when it looks for mail."""
    call_command("deliver", once=True)


def only_mail(mail_server: MailServer, to: str) -> str:
    """The text of the one mail that came, which is to that person; it is taken out."""
    [mail] = mail_server.mails
    mail_server.mails.clear()
    assert mail["To"] == f"{to}@registry.example"
    assert subject_of(mail).startswith("Waiting for you: ")
    return text_of(mail)


def follow_link(browser, address: str, name: str) -> Hand:
    """Open a link of a mail as that person, who has to sign in first."""
    browser.delete_all_cookies()
    browser.get(address)
    fill_in_sign_in(browser, name)
    assert browser.current_url == address
    return Hand(browser)


def test_a_suggestion_comes_by_mail_and_is_taken_tables_are_confirmed_and_one_is_handed_over(
    base, browser, mail_server
):
    sign_in(browser, base, "viewer")
    browser.get(f"{base}/tables/accounts/")
    complaints(browser)
    hand = Hand(browser)
    hand.go("//main//a[normalize-space()='Suggest a change']")
    hand.press("//label[input[contains(@name, '-mode') and @value='read_write']]")
    hand.type(REASON, "Shop books refunds")
    hand.go("//input[@type='submit' and @value='Suggest']")
    assert hand.clicks <= 4

    deliver()
    text = only_mail(mail_server, "ann")
    assert "- accounts: suggested by viewer" in text
    assert "Shop books refunds" in text
    hand = follow_link(browser, SUGGESTION.search(text)[0], "ann")
    hand.go("//button[normalize-space()='Take what is selected']")
    assert hand.clicks <= 1
    assert Access.objects.get().mode == "read_write"
    change = ChangeSet.objects.first()
    assert (change.user_name, change.suggested_by_name) == ("ann", "viewer")

    browser.get(MINE.search(text)[0])
    hand.clicks = 0
    hand.go("//a[normalize-space()='Review and confirm']")
    hand.press("//input[@aria-label='Select all']")
    hand.go("//button[normalize-space()='Confirm']")
    assert hand.clicks <= 3
    confirmed = Confirmation.objects.values_list("table__name", "confirmed_by")
    assert set(confirmed) == {("accounts", "ann"), ("receipts", "ann")}

    browser.get(f"{base}/tables/receipts/")
    hand.go("//main//a[normalize-space()='Edit']")
    hand.choose("id_owner", "shop")
    hand.type(REASON, "Shop prints them")
    hand.go("//input[@name='_save']")
    hand.go("//input[@value='Suggest this change instead']")
    assert Table.objects.get(name="receipts").owner.name == "wallet"

    deliver()
    text = only_mail(mail_server, "ben")
    assert "Hand-overs to agree to:\n- receipts: suggested by ann" in text
    hand = follow_link(browser, SUGGESTION.search(text)[0], "ben")
    hand.go("//button[normalize-space()='Take what is selected']")
    assert Table.objects.get(name="receipts").owner.name == "shop"
    change = ChangeSet.objects.first()
    assert (change.user_name, change.suggested_by_name) == ("ben", "ann")
    assert complaints(browser) == []
