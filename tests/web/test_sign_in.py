"""Signing in: guesses are locked out, addresses are the clients', sessions end; and the API has a rate."""

import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client

from ownership.web import shared_counts
from ownership.web.middleware import ClientAddressMiddleware
from ownership.web.rate_limit import ApiRateMiddleware
from tests.support.admin_forms import form_of
from tests.support.pages import text_of
from tests.support.rows import all_rows
from tests.support.tokens import make_token

PASSWORD = "a long pass phrase"


@pytest.fixture
def locks(settings, tmp_path) -> None:
    """Sign-ins are counted, as in production; most tests sign in past that."""
    settings.AXES_ENABLED = True
    settings.SNAPSHOT_DIR = tmp_path


def sign_in(name: str, password: str, address: str = "192.0.2.1"):
    return Client(REMOTE_ADDR=address).post(
        "/admin/login/", {"username": name, "password": password}
    )


# Guessing


def test_five_failures_lock_that_name_at_that_address_only(locks, lead, viewer):
    for _ in range(4):
        assert sign_in("lead", "wrong").status_code == 200
    told = sign_in("lead", "wrong")
    assert told.status_code == 429
    assert told["Retry-After"] == "900"
    assert "Try again in 15 minutes" in told.content.decode()
    assert sign_in("lead", PASSWORD).status_code == 429, "the right password is no way round it"
    assert sign_in("viewer", PASSWORD).status_code == 302, "others at that address are not locked"
    assert sign_in("lead", PASSWORD, "192.0.2.2").status_code == 302, "nor is the name elsewhere"


def test_a_successful_sign_in_resets_the_failures(locks, lead):
    for _ in range(2):
        for _ in range(4):
            assert sign_in("lead", "wrong").status_code == 200
        assert sign_in("lead", PASSWORD).status_code == 302


def test_a_forged_header_does_not_change_the_address(locks, lead):
    answers = [
        Client(REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": f"198.51.100.{number}"}).post(
            "/admin/login/", {"username": "lead", "password": "wrong"}
        )
        for number in range(5)
    ]
    assert answers[-1].status_code == 429


@pytest.mark.parametrize("name", ["", "x" * 10_000, "'; --", "\u202e", "é"])
def test_nonsense_as_a_name_is_a_failed_sign_in(locks, db, name):
    assert sign_in(name, "x").status_code == 200


def test_a_lock_ends_after_a_quarter_of_an_hour(locks, lead, clock):
    for _ in range(5):
        sign_in("lead", "wrong")
    clock[0] += 899
    assert sign_in("lead", PASSWORD).status_code == 429
    clock[0] += 2
    assert sign_in("lead", PASSWORD).status_code == 302


@pytest.mark.parametrize(
    "arguments", [["username", "lead"], ["ip", "192.0.2.1"], ["ip_username", "192.0.2.1", "lead"]]
)
def test_an_administrator_can_unlock_a_name_or_an_address(locks, lead, arguments):
    for _ in range(5):
        sign_in("lead", "wrong")
    call_command("axes_reset_username", "other")
    assert sign_in("lead", PASSWORD).status_code == 429
    call_command(f"axes_reset_{arguments[0]}", *arguments[1:])
    assert sign_in("lead", PASSWORD).status_code == 302


def test_guesses_leave_no_rows_and_no_names(locks, db, settings):
    before = all_rows()
    for number in range(8):
        assert sign_in(f"name-{number}", "wrong").status_code == 200
    assert all_rows() == before
    [file] = settings.SNAPSHOT_DIR.iterdir()
    assert "name-" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"address 192.0.2.1": 3}'])
def test_a_damaged_file_of_counts_counts_as_empty(locks, lead, settings, content):
    (settings.SNAPSHOT_DIR / "sign-ins").write_text(content)
    assert [sign_in("lead", "wrong").status_code for _ in range(5)] == [200] * 4 + [429]


def test_without_a_place_for_the_file_each_process_counts(locks, lead, settings):
    settings.SNAPSHOT_DIR = "/proc/nowhere"
    try:
        assert [sign_in("lead", "wrong").status_code for _ in range(5)] == [200] * 4 + [429]
    finally:
        shared_counts._own_counts.clear()


# The rate of sign-ins


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """A clock that stops until it is moved."""
    now = [1_000_000_000.0]
    monkeypatch.setattr("ownership.web.shared_counts.time.time", lambda: now[0])
    monkeypatch.setattr("ownership.web.sign_in.time", lambda: now[0])
    return now


def test_an_address_may_try_ten_sign_ins_a_minute_and_is_told_how_long_to_wait(locks, lead, clock):
    assert [sign_in(f"name-{number}", "wrong").status_code for number in range(10)] == [200] * 10
    clock[0] += 20
    told = sign_in("lead", PASSWORD)
    assert (told.status_code, told["Retry-After"]) == (429, "40")
    assert (
        "Only 10 sign-ins a minute are allowed from one address. Try again in 40 seconds."
        in text_of(told.text)
    )
    assert sign_in("lead", PASSWORD, "192.0.2.2").status_code == 302, "other addresses are free"
    clock[0] += 40
    assert sign_in("lead", PASSWORD).status_code == 302


@pytest.mark.slow
def test_all_together_may_try_sixty_sign_ins_a_minute(locks, lead, clock):
    for number in range(60):
        assert sign_in("nobody", "wrong", f"198.51.100.{number}").status_code == 200
    told = sign_in("lead", PASSWORD)
    assert (told.status_code, told["Retry-After"]) == (429, "60")
    assert "Try again in 60 seconds." in text_of(told.text)
    clock[0] += 60
    assert sign_in("lead", PASSWORD).status_code == 302


def test_a_sign_in_beyond_the_rate_checks_no_password(
    locks, lead, clock, django_assert_num_queries
):
    for number in range(10):
        sign_in(f"name-{number}", "wrong")
    with django_assert_num_queries(0):
        assert sign_in("lead", PASSWORD).status_code == 429


def test_a_forged_form_does_not_use_up_an_addresss_sign_ins(locks, lead):
    forger = Client(enforce_csrf_checks=True, REMOTE_ADDR="192.0.2.1")
    for _ in range(12):
        assert (
            forger.post("/admin/login/", {"username": "lead", "password": "wrong"}).status_code
            == 403
        )
    assert sign_in("lead", PASSWORD).status_code == 302


# The page, and where it leads

REASONS = {
    "/tables/biztechUsers/history/": "Sign in to see the history.",
    "/admin/ownership/changeset/": "Sign in to see the history.",
    "/admin/ownership/changeset/1/undo/": "Sign in to see the history.",
    "/changes/": "Sign in to see the history.",
    "/changes/1/": "Sign in to see the history.",
    "/compare/?from=1": "Sign in to see the history.",
    "/day/": "Sign in to see the map of an earlier time.",
    "/drift/": "Sign in to see drift.",
    "/?revision=1": "Sign in to see the map of an earlier time.",
    "/matrix/?as_of=2026-11-28": "Sign in to see the map of an earlier time.",
    "/admin/ownership/table/1/change/": "Sign in to edit the map.",
    "/admin/ownership/apitoken/add/": "Sign in to manage your API tokens.",
}


@pytest.mark.parametrize(("page", "reason"), REASONS.items())
def test_the_sign_in_page_says_why_a_page_asked_for_it_and_leads_back_there(
    db, lead, settings, page, reason
):
    settings.ANONYMOUS_READ = True
    client = Client()
    asked = client.get(page, follow=True)
    assert reason in text_of(asked.text)
    form = form_of(asked) | {"username": "lead", "password": PASSWORD}
    assert client.post(asked.request["PATH_INFO"], form)["Location"] == page


@pytest.mark.parametrize("address", ["/matrix/", "/nowhere/"])
def test_the_sign_in_page_gives_no_reason_for_a_page_that_asks_for_none(db, settings, address):
    settings.ANONYMOUS_READ = True
    page = Client().get("/admin/login/", {"next": address}).text
    assert "Sign in to" not in text_of(page)


def test_where_reading_needs_a_sign_in_the_page_says_so(db):
    page = Client().get("/matrix/", follow=True).text
    assert "Sign in to see this registry." in page
    assert "Back to the map" not in page


@pytest.mark.parametrize(
    "elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)", "/\\example.org"]
)
def test_signing_in_leads_to_no_other_site(lead, lead_client, elsewhere):
    answer = Client().post(
        "/admin/login/", {"username": "lead", "password": PASSWORD, "next": elsewhere}
    )
    assert answer["Location"] == "/"
    assert lead_client.get("/admin/login/", {"next": elsewhere})["Location"] == "/"


def test_whoever_is_signed_in_already_goes_on_at_once(lead_client):
    assert lead_client.get("/admin/login/", {"next": "/matrix/"})["Location"] == "/matrix/"


def test_a_wrong_password_is_told_in_plain_words(lead):
    answer = Client().post("/admin/login/", {"username": "lead", "password": "wrong"})
    assert "Username and password do not match." in text_of(answer.text)
    assert "staff" not in answer.text


def test_signing_out_leads_back_to_the_page_which_says_so_and_asks_for_a_sign_in(lead_client):
    assert (
        'name="next" value="/changes/?q=users"' in lead_client.get("/changes/", {"q": "users"}).text
    )
    page = lead_client.post("/admin/logout/", {"next": "/changes/?q=users"}, follow=True)
    assert page.redirect_chain[0] == ("/changes/?q=users", 302)
    assert "You are signed out." in text_of(page.text)
    assert "Sign in to see the history." in text_of(page.text)


def test_signing_out_elsewhere_leads_home_and_says_so(lead_client, settings):
    settings.ANONYMOUS_READ = True
    page = lead_client.post("/admin/logout/", {"next": "https://elsewhere.example/"}, follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert "You are signed out." in text_of(page.text)
    assert "Sign in" in text_of(page.text)


# Addresses

TRUSTED = ["10.0.0.0/8", "2001:db8::/32"]
ADDRESSES = {
    "no proxy": ("192.0.2.1", "", "192.0.2.1"),
    "a stranger's header": ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
    "one proxy": ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
    "two proxies": ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
    "what the client made up": ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
    "all trusted": ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    "no address": ("10.0.0.1", "unknown", "10.0.0.1"),
    "nonsense after one": ("10.0.0.1", "198.51.100.7, x", "10.0.0.1"),
    "empty": ("10.0.0.1", ", ,", "10.0.0.1"),
    "version 6": ("2001:db8::1", "2001:DB9::0:7", "2001:db9::7"),
    "a socket": ("", "198.51.100.7", ""),
}


@pytest.mark.parametrize(("remote", "forwarded", "expected"), ADDRESSES.values(), ids=ADDRESSES)
def test_only_trusted_proxies_set_the_clients_address(settings, rf, remote, forwarded, expected):
    settings.TRUSTED_PROXIES = TRUSTED
    seen = []
    middleware = ClientAddressMiddleware(lambda request: seen.append(dict(request.META)))
    middleware(rf.get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded))
    assert seen[0]["REMOTE_ADDR"] == expected
    assert "HTTP_X_FORWARDED_FOR" not in seen[0]


# Sessions and tokens


def test_a_session_ends_when_its_account_is_deactivated(lead, lead_client):
    assert lead_client.get("/admin/").status_code == 200
    User.objects.update(is_active=False)
    assert lead_client.get("/admin/").status_code == 302
    assert lead_client.get("/api/v1/map/").status_code == 401


def test_a_session_ends_when_its_password_is_changed(lead, lead_client):
    lead.set_password("another long phrase")
    lead.save()
    assert lead_client.get("/admin/").status_code == 302


def test_signing_out_ends_the_session_even_for_a_copied_cookie(lead_client):
    kept = lead_client.cookies["sessionid"].value
    assert lead_client.post("/admin/logout/")["Location"] == "/"
    thief = Client()
    thief.cookies["sessionid"] = kept
    assert thief.get("/admin/").status_code == 302
    assert not Session.objects.exists()


def test_the_stored_session_key_does_not_open_a_session(lead_client):
    cookie = lead_client.cookies["sessionid"].value
    [row] = Session.objects.all()
    assert cookie not in (row.session_key, row.session_data)
    thief = Client()
    thief.cookies["sessionid"] = row.session_key
    assert thief.get("/admin/").status_code == 302
    assert lead_client.get("/admin/").status_code == 200


def test_a_database_dump_contains_no_working_secret(locks, lead):
    wrong, client = "hush-nobody-may-read-this", Client()
    sign_in("lead", wrong)
    client.post("/admin/login/", {"username": "lead", "password": PASSWORD})
    form = form_of(client.get("/admin/ownership/apitoken/add/")) | {"name": "nightly"}
    shown = client.post("/admin/ownership/apitoken/add/", form)
    assert "no-store" in shown["Cache-Control"]
    held = repr(all_rows()) + repr([session.get_decoded() for session in Session.objects.all()])
    token = re.findall(r"own_\w{20,}", shown.text)[0]
    assert token not in client.get("/admin/").text
    assert (
        Client().get("/api/v1/map/", headers={"authorization": f"Token {token}"}).status_code == 200
    )
    assert [
        secret
        for secret in (wrong, PASSWORD, token, client.cookies["sessionid"].value)
        if secret in held
    ] == []


@pytest.mark.parametrize("password", ["short1!", "password123", "lead-lead-1", "8675309867"])
def test_a_weak_password_is_refused(admin_client, password):
    response = admin_client.post(
        "/admin/auth/user/add/",
        {
            "username": "lead-lead",
            "password1": password,
            "password2": password,
            "usable_password": "true",
        },
    )
    assert response.status_code == 200
    assert not User.objects.filter(username="lead-lead").exists()


# The API's rate


@pytest.fixture
def rate(settings) -> None:
    """Three requests a minute, counted from zero."""
    settings.API_RATE = 3
    settings.ANONYMOUS_READ = True


def ask(client: Client, times: int, **headers: str) -> list[int]:
    return [client.get("/api/v1/groups/", headers=headers).status_code for _ in range(times)]


@pytest.fixture
def noon(monkeypatch) -> list[float]:
    """A clock that stops until it is moved."""
    clock = [1_000_000_020.0]
    monkeypatch.setattr("ownership.web.rate_limit.time.time", lambda: clock[0])
    return clock


def test_an_address_over_the_limit_gets_429_until_the_next_minute(db, rate, noon):
    client = Client(REMOTE_ADDR="192.0.2.1")
    assert ask(client, 3) == [200] * 3
    told = client.get("/api/v1/map/")
    assert (told.status_code, told["Content-Type"]) == (429, "application/problem+json")
    assert told.json()["status"] == 429
    noon[0] += int(told["Retry-After"]) - 1
    assert client.get("/api/v1/map/").status_code == 429
    noon[0] += 1
    assert client.get("/api/v1/map/").status_code == 200


def test_each_address_has_its_own_limit_and_pages_do_not_count(db, rate, noon):
    first, second = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    assert [first.get("/").status_code for _ in range(5)] == [200] * 5
    assert ask(first, 4) == [200, 200, 200, 429]
    assert ask(second, 3) == [200] * 3


def test_each_valid_token_has_its_own_limit_at_any_address(rate, noon, viewer, lead):
    (_, one), (_, other) = make_token(viewer), make_token(lead)
    client = Client(REMOTE_ADDR="192.0.2.1")
    # The first request of each is counted by address: only its answer shows that the token is valid.
    assert ask(client, 5, authorization=f"Token {one}") == [200] * 4 + [429]
    assert ask(client, 5, authorization=f"Token {other}") == [200] * 4 + [429]
    assert ask(client, 2) == [200, 429]


def test_guessed_tokens_are_counted_by_address(rate, noon, db):
    client = Client(REMOTE_ADDR="192.0.2.1")
    answers = [ask(client, 1, authorization=f"Token own_{number}")[0] for number in range(5)]
    assert answers == [401] * 3 + [429] * 2


def test_the_rate_limit_forgets_addresses_after_a_minute(settings, rf, rate, noon):
    middleware = ApiRateMiddleware(lambda request: type("Answer", (), {"status_code": 200})())
    for number in range(1_000):
        middleware(rf.get("/api/v1/map/", REMOTE_ADDR=f"192.0.2.{number}"))
    assert len(middleware.requests) == 1_000
    noon[0] += 60
    middleware(rf.get("/api/v1/map/"))
    assert len(middleware.requests) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/admin/login/", "/api/v1/docs/", "/api/v1/map/", "/livez", "/no/such/page/"]
)
def test_every_answer_has_the_browser_policy_headers(path, settings):
    settings.ANONYMOUS_READ = True
    answer = Client().get(path, secure=True)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert path == "/livez" or answer["X-Frame-Options"] == "DENY"  # there is nothing to frame
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "default-src 'self'" in answer["Content-Security-Policy"]


@pytest.mark.django_db  # the end of a request looks after connections
def test_static_files_allow_no_other_site(settings):
    settings.WHITENOISE_AUTOREFRESH = True
    answer = Client().get("/static/ownership/admin.css", secure=True)
    assert answer.status_code == 200
    assert b"".join(answer)
    answer.close()
    assert "Access-Control-Allow-Origin" not in answer
