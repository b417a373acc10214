"""The pages of one table and one service: what they say, to whom, and of when."""

import re
from html import unescape
from urllib.parse import urljoin

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.drift.types import KeyAttribute, Keys, TableShape
from ownership.history.change_sets import change_set
from ownership.models import Access, Service, Table
from ownership.pages import services as service_module
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import text_of
from tests.support.runs import keep_run

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite


def table_page(client, name, **query):
    response = client.get(reverse("pages:table", args=[name]), query)
    assert response.status_code == 200
    return response.text


def service_page(client, name, **query):
    response = client.get(reverse("pages:service", args=[name]), query)
    assert response.status_code == 200
    return response.text


def test_a_tables_page_shows_owner_keys_indexes_and_the_environments_that_share_it(
    seeded, viewer_client
):
    page_text = text_of(table_page(viewer_client, "biztechRegistrations"))
    assert "Owner registrations" in page_text
    assert "id (email) partition key eventID;year sort key" in page_text
    assert "event-query GSI key schema not recorded" in page_text
    assert (
        "biztechRegistrations Copy biztechRegistrations dev, staging (one shared table)"
        in page_text
    )
    assert "biztechRegistrationsPROD Copy biztechRegistrationsPROD production" in page_text


def test_its_picture_has_who_writes_and_who_reads_with_the_path_of_indirect_ones(
    seeded, viewer_client
):
    page = table_page(viewer_client, "biztechProfiles")
    words = re.search(r'<desc id="picture-words-wide">(.*?)</desc>', page)[1]
    assert words == (
        "Written by: profiles, interactions, members (indirect), payments (indirect). Read by: profiles, interactions."
    )
    wide = re.search(r'<svg\s+class="wide".*?</svg>', page, re.S)[0]
    assert wide.count('class="line indirect"') == 2
    assert wide.count('class="line"') == 4
    assert re.search(r"Webhook calls createProfile\(\)", text_of(wide))


def test_each_access_has_an_anchor_and_its_notes(seeded, viewer_client):
    page = table_page(viewer_client, "biztechUsers")
    row = page.partition('id="access-payments"')[2].partition("</tr>")[0]
    assert "Read + Write" in row
    assert "writes on membership payment" in row


def test_it_names_whom_to_tell_before_a_change_with_all_contacts_to_copy(seeded, viewer_client):
    for name, contact in (
        ("users", "users-oncall@example.org"),
        ("payments", "#payments"),
        ("members", "#payments"),
    ):
        service = Service.objects.get(name=name)
        service.contact = contact
        service.save()
    page = table_page(viewer_client, "biztechUsers")
    section_text = text_of(page.partition('id="tell"')[2].partition("</section>")[0])
    assert "users owner, writes, reads users-oncall@example.org" in section_text
    assert "members writes #payments" in section_text
    assert "registrations reads no contact recorded" in section_text
    assert 'data-copy="users-oncall@example.org, #payments"' in page


def test_the_head_says_what_most_people_look_for(seeded, viewer_client, client, settings):
    keep_run("qr write biztechUsers")
    head = text_of(
        table_page(viewer_client, "biztechUsers").partition("<h1>")[2].partition("</header>")[0]
    )
    assert "1 drift finding" in head
    assert "dev and staging share one table" in head
    assert "changed " in head
    head = service_page(viewer_client, "qr").partition("<h1>")[2].partition("</header>")[0]
    assert "1 drift finding" in text_of(head)
    settings.ANONYMOUS_READ = True
    head = text_of(
        table_page(client, "biztechUsers").partition("<h1>")[2].partition("</header>")[0]
    )
    assert "drift" not in head
    assert "changed" not in head
    assert "History" not in head


def test_keys_that_differ_from_the_deployed_ones_are_among_the_tables_findings(
    seeded, viewer_client
):
    deployed = TableShape("biztechUsers", Keys(KeyAttribute("email", "S")))
    keep_run(reader="dynamodb", tables=(deployed,))
    page = table_page(viewer_client, "biztechUsers")
    assert "1 drift finding" in page
    assert "Key schema differs" in page
    assert "drift finding" not in table_page(viewer_client, "biztechEvents").partition("<main")[2]
    table = Table.objects.get(name="biztechUsers")
    table.partition_key_name = "email"
    table.save()
    assert "1 drift finding" not in table_page(viewer_client, "biztechUsers")


@pytest.mark.slow
def test_each_access_leads_to_its_form_for_those_who_may_edit_it(
    seeded, viewer_client, lead_client
):
    access = Access.objects.get(table__name="biztechUsers", service__name="payments")
    form = reverse("admin:ownership_access_change", args=[access.pk])
    for thing in ("tables/biztechUsers", "services/payments"):
        assert form in lead_client.get(f"/{thing}/").text
        assert form not in viewer_client.get(f"/{thing}/").text
        assert form not in lead_client.get(f"/{thing}/?revision=1").text


def test_a_grant_that_nobody_declared_is_a_line_of_its_own(seeded, viewer_client):
    keep_run("stranger read biztechUsers", "payments write biztechShadow")
    page = text_of(table_page(viewer_client, "biztechUsers"))
    assert "stranger not on the map – Read" in page
    page = text_of(service_page(viewer_client, "payments"))
    assert "biztechShadow not on the map – Write" in page
    assert "Unregistered table" in page


def test_a_services_page_shows_what_it_owns_its_parts_and_what_they_use(seeded, viewer_client):
    page_text = text_of(service_page(viewer_client, "interactions"))
    assert "Owns 7 tables" in page_text
    assert "Parts connections investments qr quests quizzes teams" in page_text
    assert "teams biztechTeams Read + Write Team CRUD" in page_text
    assert "Part of interactions" in text_of(service_page(viewer_client, "teams"))


@pytest.fixture
def hub(db, monkeypatch):
    """A service that owns and uses seven tables, with a part that uses them, too; pages of three rows."""
    for name in ("ACCESSES_PER_PAGE", "OWNED_PER_PAGE", "MAX_ACCESSES_OF_PARTS"):
        monkeypatch.setattr(service_module, name, 3)
    with change_set(reason="Grow"):
        service = make_service("hub")
        part = make_service("part", part_of=service)
        for number in range(7):
            table = make_table(f"table-{number}", owner=service)
            make_access(table, service, mode="read_write")
            make_access(table, part)


def section(page, name):
    """The page's section of that heading, and the addresses on its buttons."""
    shown = page.partition(f'<h2 id="{name}">')[2].partition("</section>")[0]
    return shown, [
        unescape(link) for link in re.findall(r'class="button"[^>]* href="([^"]*)"', shown)
    ]


@pytest.mark.parametrize(
    ("name", "heading"),
    [("accesses", "Page 1 of 3 (7 in total)"), ("owns", "Owns 7 tables")],
    ids=["used", "owned"],
)
@pytest.mark.parametrize("moment", ["", "?revision=1"], ids=["now", "then"])
def test_a_service_lists_its_tables_page_by_page(hub, viewer_client, name, heading, moment):
    address = reverse("pages:service", args=["hub"]) + moment
    pages, found = [], []
    while address:
        page = viewer_client.get(address).text
        shown, links = section(page, name)
        pages.append(re.findall(r">(table-\d)<", shown))
        found.append(heading in text_of(shown))
        onward = links[1:] if len(pages) > 1 else links
        address = urljoin(address, onward[0].partition("#")[0]) if onward else None
        assert all(link.endswith(f"#{name}") and moment.strip("?") in link for link in links)
    assert pages == [[f"table-{n}" for n in some] for some in ((0, 1, 2), (3, 4, 5), (6,))]
    assert found[0]


def test_a_service_shows_some_of_what_its_parts_use_and_counts_the_rest(hub, viewer_client):
    shown, _ = section(service_page(viewer_client, "hub"), "parts")
    assert len(re.findall(r">table-\d<", shown)) == 3
    assert "4 more are listed on the pages of the parts." in shown
    assert "more" not in section(service_page(viewer_client, "part"), "owns")[0]


@pytest.mark.parametrize("query", [{"page": "x"}, {"owned": "-1"}, {"page": "99", "owned": "99"}])
def test_a_page_that_a_service_does_not_have_is_its_first_or_last(hub, viewer_client, query):
    assert "table-" in section(service_page(viewer_client, "hub", **query), "accesses")[0]


@pytest.mark.slow
def test_history_needs_a_sign_in(seeded, viewer_client, settings):
    settings.ANONYMOUS_READ = True
    for name, history in (
        ("pages:table", "pages:table-history"),
        ("pages:service", "pages:service-history"),
    ):
        thing = "biztechUsers" if "table" in name else "users"
        open_page = Client().get(reverse(name, args=[thing])).text
        assert "Seeded from" not in open_page
        assert "changed " not in text_of(
            open_page.partition("</header>")[2].partition("</header>")[0]
        )
        assert "Seeded from" in viewer_client.get(reverse(name, args=[thing])).text
        assert Client().get(reverse(history, args=[thing])).status_code == 302
        assert "Seeded from" in viewer_client.get(reverse(history, args=[thing])).text


def test_only_those_who_may_edit_see_the_way_to_it_and_not_from_the_past(
    seeded, viewer_client, lead_client
):
    form = reverse("admin:ownership_table_change", args=[Table.objects.get(name="biztechUsers").pk])
    assert form in table_page(lead_client, "biztechUsers")
    assert form not in table_page(viewer_client, "biztechUsers")
    assert form not in table_page(lead_client, "biztechUsers", revision="1")


def test_both_are_shown_as_they_were_and_every_link_stays_there(seeded, viewer_client):
    payments = Service.objects.get(name="payments")
    payments.name = "cash-desk"
    payments.save()
    for page in (
        table_page(viewer_client, "biztechUsers", revision="1"),
        service_page(viewer_client, "payments", revision="1"),
    ):
        main = page.partition("<main")[2].partition("</main>")[0]
        assert "cash-desk" not in main
        links = re.findall(r'href="(/(?:tables|services)/[^"]*)"', main)
        assert links
        assert all(link.endswith("?revision=1") for link in links)


@pytest.mark.slow
def test_a_history_goes_on_page_by_page_and_outlives_its_table(seeded, viewer_client):
    table = Table.objects.get(name="biztechPrizes")
    for number in range(25):
        table.description = f"Edit {number}"
        table.save()
    address = reverse("pages:table-history", args=["biztechPrizes"])
    first = viewer_client.get(address).text
    assert "Edit 24" in first
    assert "Edit 2<" not in first
    older = re.search(r'href="(\?before=\d+)"', first)[1]
    assert "Seeded from" in viewer_client.get(address + older).text
    table.delete()
    assert "This table was deleted; its history is kept" in viewer_client.get(address).text


def test_stored_text_is_never_markup(viewer_client):
    evil = '<script>alert(1)</script>"&'
    service = make_service("evil", description=evil, contact=evil, aliases=[evil])
    table = make_table(
        "evil-table", owner=service, description=evil, partition_key_name=evil, more_title=evil
    )
    make_access(table, service, mode="write", indirect=True, notes=evil)
    for page in (table_page(viewer_client, "evil-table"), service_page(viewer_client, "evil")):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;" in page


@pytest.mark.parametrize("kind", ["table", "service"])
def test_a_name_that_nothing_has_is_not_found(seeded, viewer_client, kind):
    for page in (f"pages:{kind}", f"pages:{kind}-history"):
        response = viewer_client.get(reverse(page, args=["no-such"]))
        assert response.status_code == 404
        assert "no-such" in response.text


@pytest.mark.slow
def test_pages_take_a_fixed_number_of_queries(viewer_client):
    def queries():
        counts = []
        for address in (
            "/tables/hub/",
            "/services/hub/",
            "/tables/hub/history/",
            "/tables/hub/?revision=1",
        ):
            with CaptureQueriesContext(connection) as captured:
                assert viewer_client.get(address).status_code == 200
            counts.append(len(captured))
        return counts

    with change_set(reason="Few"):
        service = make_service("hub")
        table = make_table("hub", owner=service)
        make_access(table, make_service(part_of=service))
        make_access(service=service)
    few = queries()
    with change_set(reason="Many"):
        for _ in range(30):
            make_access(table, make_service(part_of=service, contact="someone"))
            make_access(service=service, table=make_table(owner=service))
    assert queries() == few


def test_the_form_leads_to_the_page_also_while_a_name_is_typed_that_no_address_has(
    seeded, lead_client
):
    from tests.support.admin_forms import open_form, save_form

    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"name": "no/such?name"}
    response = save_form(lead_client, table, form)
    assert response.status_code == 200
    assert 'href="/tables/biztechUsers/"' in response.text
