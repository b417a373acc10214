"""Former names redirect, similar names are suggested, and deleted names stay hidden without a right to history."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ownership.history.change_sets import change_set
from ownership.models import Service, Table
from tests.support.factories import make_service, make_table


def rename(row, name, reason="Better said"):
    with change_set(reason=reason):
        row.name = name
        row.save()


@pytest.mark.parametrize(
    ("model", "old", "path"),
    [(Table, "biztechUsers", "/tables/"), (Service, "payments", "/services/")],
)
def test_a_former_name_leads_to_the_thing_and_names_who_renamed_it(
    seeded, viewer_client, settings, model, old, path
):
    settings.ANONYMOUS_READ = True
    rename(model.objects.get(name=old), "in-between")
    rename(model.objects.get(name="in-between"), "renamed-now")
    for name in (old, "in-between"):
        response = viewer_client.get(f"{path}{name}/")
        assert response.headers["Location"] == f"{path}renamed-now/?was={name}"
        page = viewer_client.get(response.headers["Location"]).text
        assert f'Renamed: <span class="name">{name}</span> is now' in page
        assert "Better said" in page
        stranger = Client().get(f"{path}{name}/", follow=True).text
        assert "Renamed: " in stranger
        assert "Better said" not in stranger


def test_the_matrix_of_a_service_is_found_by_a_former_name_of_it(seeded, viewer_client):
    rename(Service.objects.get(name="payments"), "billing")
    response = viewer_client.get("/matrix/?mode=read&service=payments")
    assert response.headers["Location"] == "/matrix/?mode=read&service=billing"
    rename(Service.objects.get(name="users"), "payments")
    rename(Service.objects.get(name="payments"), "accounts")
    assert viewer_client.get("/matrix/?service=payments").status_code == 400, "it was two services'"


def test_a_live_name_wins_and_says_who_once_had_it(seeded, viewer_client):
    rename(Table.objects.get(name="biztechUsers"), "people")
    make_table("biztechUsers")
    page = viewer_client.get("/tables/biztechUsers/").text
    assert "Also a former name of" in page
    assert 'href="/tables/people/"' in page
    assert "Also a former name of" not in viewer_client.get("/tables/people/").text


def test_namesakes_of_a_former_name_are_listed(seeded, viewer_client):
    for name in ("biztechUsers", "biztechEvents"):
        rename(Table.objects.get(name=name), "shared")
        rename(Table.objects.get(name="shared"), f"{name}-now")
    response = viewer_client.get("/tables/shared/")
    assert response.status_code == 404
    assert "/tables/biztechUsers-now/" in response.text
    assert "/tables/biztechEvents-now/" in response.text


def test_what_was_deleted_shows_its_history_to_those_who_may_see_it(
    seeded, viewer_client, settings
):
    settings.ANONYMOUS_READ = True
    Table.objects.get(name="biztechUsers").delete()
    response = viewer_client.get("/tables/biztechUsers/", follow=True)
    assert "This table was deleted; its history is kept" in response.text
    stranger = Client().get("/tables/biztechUsers/")
    assert stranger.status_code == 404
    never = Client().get("/tables/biztechUzers/")
    assert (
        stranger.text.replace("biztechUsers", "biztechUzers").partition("<main")[0]
        == never.text.partition("<main")[0]
    )
    assert "deleted" not in stranger.text


def test_a_name_from_another_time_leads_to_the_name_at_the_time_shown(seeded, viewer_client):
    rename(Table.objects.get(name="biztechUsers"), "people")
    response = viewer_client.get("/tables/people/?revision=1")
    assert response.headers["Location"] == "/tables/biztechUsers/?revision=1&was=people"
    assert viewer_client.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "suggested"),
    [
        ("/tables/biztechUser/", "/tables/biztechUsers/"),
        ("/tables/BIZTECHUSERS/", "/tables/biztechUsers/"),
        ("/tables/biztechUsersPROD/", "/tables/biztechUsers/"),
        ("/services/paymnets/", "/services/payments/"),
        ("/tables/payments/", "/services/payments/"),
        ("/groups/core-table/", "/groups/Core%20Tables/"),
    ],
)
def test_an_unused_name_suggests_similar_ones(seeded, viewer_client, path, suggested):
    response = viewer_client.get(path)
    assert response.status_code == 404
    assert f'href="{suggested}"' in response.text


def test_without_a_similar_name_nothing_is_suggested(seeded, viewer_client):
    assert "Did you mean" not in viewer_client.get("/tables/qqqqqqqq/").text


@pytest.mark.slow
def test_finding_near_names_takes_a_fixed_number_of_queries(viewer_client):
    def count():
        with CaptureQueriesContext(connection) as captured:
            assert viewer_client.get("/tables/hub-/").status_code == 404
        return len(captured)

    make_table("hub-1")
    few = count()
    with change_set(reason="Grow"):
        for number in range(50):
            make_table(f"hub-a{number}", owner=make_service(f"hub-b{number}"))
    assert count() == few


@pytest.mark.parametrize("was", ["nonsense", "<script>", "x" * 5000])
def test_a_name_that_was_never_used_is_not_called_a_former_name(seeded, viewer_client, was):
    page = viewer_client.get("/tables/biztechUsers/", {"was": was}).text
    assert "Renamed: " not in page


def test_pages_of_django_itself_look_like_the_site(seeded, viewer_client, rf):
    from django.views import defaults

    unknown = viewer_client.get("/no/such/page/")
    assert unknown.status_code == 404
    assert "There is no page at this address" in unknown.text
    request = rf.get("/")
    assert "Invalid request" in defaults.bad_request(request, ValueError()).content.decode()
    strict = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
    assert strict.status_code == 403
    assert "This form has expired" in strict.text
