"""Request ids, logs, metrics and alerts, and that they contain no secrets."""

import json
import logging
import re
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import MiddlewareNotUsed
from django.test import Client
from django.utils import timezone

from ownership.catalog.confirmation import ConfirmationState, numbers_of_head
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import DelivererSign, Table
from ownership.operations.metrics import MetricsMiddleware
from ownership.web.request_context import RequestLogFilter
from registry.env import JSON_LINES
from tests.support.admin_forms import open_form, save_form
from tests.support.advisories import judge
from tests.support.drift_code import code_usage
from tests.support.factories import make_access, make_confirmation, make_service, make_table
from tests.support.runs import keep_run

DOCS = Path(__file__).parents[2] / "docs"
TOKEN = "metrics-token-of-this-test"


@pytest.fixture
def lines():
    """Returns the lines logged since, as production formats them."""
    out = StringIO()
    handler = logging.StreamHandler(out)
    arguments = {
        ("fmt" if name == "format" else name): value
        for name, value in JSON_LINES.items()
        if name != "()"
    }
    from pythonjsonlogger.json import JsonFormatter

    handler.setFormatter(JsonFormatter(**arguments))
    handler.addFilter(RequestLogFilter())
    logger, root = logging.getLogger("ownership"), logging.getLogger()
    before = logger.level
    logger.setLevel("INFO")
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.removeHandler(handler)
    logger.setLevel(before)


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["a", "7f3c-._Z", "x" * 64])
def test_a_valid_request_id_is_returned(given):
    assert Client().get("/livez", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", " ", "x" * 65, "a b", "é", "a\x00b", '"}', "<script>"])
def test_an_invalid_request_id_is_replaced(given):
    first, second = (
        Client().get("/livez", headers={"X-Request-ID": given})["X-Request-ID"] for _ in "12"
    )
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.slow
def test_a_change_set_keeps_and_shows_the_id_of_its_request(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table)
    lead_client.defaults["HTTP_X_REQUEST_ID"] = "from-the-proxy"
    assert save_form(lead_client, table, form | {"description": "Changed."}).status_code == 302
    change = ChangeSet.objects.latest("revision")
    assert change.request_id == "from-the-proxy"
    assert (
        "Request <code>from-the-proxy</code>"
        in lead_client.get(
            f"/admin/ownership/changeset/{change.revision}/change/", follow=True
        ).text
    )
    [told] = lead_client.get("/api/v1/changes/?after=1").json()["results"]
    assert told["request_id"] == "from-the-proxy"


def test_a_change_set_written_without_a_request_has_no_request_id(db):
    with change_set(reason="A command"):
        make_service()
    assert ChangeSet.objects.get().request_id == ""


def test_a_request_and_its_change_set_have_one_line_each(
    lead_client, seeded, lines, django_capture_on_commit_callbacks
):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table)
    with django_capture_on_commit_callbacks(execute=True):
        # Here the commit comes after the request, so its line can't name the change set. The next test's can.
        save_form(lead_client, table, form | {"description": "Changed."})
    requests = [line for line in lines() if line["logger"] == "ownership.request"]
    assert [(line["method"], line["status"]) for line in requests] == [("GET", 200), ("POST", 302)]
    post = requests[-1]
    assert post["user"] == "lead"
    assert post["path"] == f"/admin/ownership/table/{table.pk}/change/"
    assert post["level"] == "INFO"
    assert len(post["request_id"]) == 32
    [written] = [line for line in lines() if line["logger"] == "ownership.history"]
    assert (written["change_set"], written["by"], written["source"]) == (2, "lead", "admin")


def test_the_line_of_a_save_names_its_change_set(committed, lines):
    from django.contrib.auth.models import User

    User.objects.create_superuser("admin", password="a long pass phrase")
    service, client = make_service("payments"), Client()
    assert client.login(username="admin", password="a long pass phrase")
    save_form(client, service, open_form(client, service) | {"description": "Changed."})
    post = [line for line in lines() if line["logger"] == "ownership.request"][-1]
    assert (post["status"], post["change_set"]) == (302, 2)
    [written] = [
        line
        for line in lines()
        if line.get("change_set") == 2 and line["logger"] == "ownership.history"
    ]
    assert written["request_id"] == post["request_id"]


def test_no_line_contains_a_query_a_token_or_a_password(lead, lines):
    secret = "hush-nobody-may-read-this"
    client = Client(raise_request_exception=False)
    client.get(f"/api/v1/map/?token={secret}", headers={"Authorization": f"Token {secret}"})
    client.get(f"/api/v1/nothing/?q={secret}")
    client.get(f"/metrics?q={secret}", headers={"Authorization": f"Bearer {secret}"})
    client.post("/admin/login/", {"username": "lead", "password": secret})
    client.get("/admin/", headers={"Cookie": f"sessionid={secret}"})
    assert lines()
    assert secret not in json.dumps(lines())


@pytest.mark.django_db
def test_successful_probes_are_not_logged(lines):
    Client().get("/livez")
    Client().get("/readyz")
    assert lines() == []


# Metrics


@pytest.fixture
def metrics(settings, db) -> Client:
    """A client with the metrics token."""
    settings.METRICS_TOKEN = TOKEN
    return Client(headers={"authorization": f"Bearer {TOKEN}", "host": "10.0.0.7:8000"})


def values(response) -> dict[str, float]:
    found = re.findall(r"^(ownership_\S+) (\S+)$", response.content.decode(), re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_metrics_are_off_by_default(settings):
    settings.METRICS_TOKEN = ""
    with pytest.raises(MiddlewareNotUsed):
        MetricsMiddleware(lambda request: None)


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer x", f"Token {TOKEN}", f"Bearer {TOKEN}x", f"bearer{TOKEN}", "é"]
)
def test_metrics_need_the_token(metrics, given):
    response = metrics.get("/metrics", headers={"authorization": given})
    assert response.status_code == 401
    assert b"ownership_revision" not in response.content


def test_metrics_are_read_only(metrics):
    assert metrics.post("/metrics").status_code == 405


def test_metrics_count_requests_by_route_and_show_the_revision(metrics):
    with change_set(reason="One"):
        make_service()
    name = 'ownership_requests_total{method="GET",route="api/v1/tables/<str:name>/",status="401"}'
    before = values(metrics.get("/metrics")).get(name, 0)
    for table in ("a", "b", "c"):
        Client().get(f"/api/v1/tables/{table}/")
    told = values(metrics.get("/metrics"))
    assert told[name] == before + 3
    assert told["ownership_revision"] == 1
    assert told["ownership_database_up"] == 1
    assert 0 <= told["ownership_last_change_age_seconds"] < 60


def test_metrics_show_verdicts_and_how_much_is_true(metrics):
    make_access(make_table("orders"), make_service("payments"), mode="read")
    make_service("bots")
    keep_run(
        "payments read orders",
        "bots write orders",
        code=code_usage("payments read orders", services={"bots"}),
    )
    told = values(metrics.get("/metrics"))
    series = '{environment="",reader="serverless"}'
    assert told[f"ownership_drift_accesses{series}"] == 2
    assert told[f"ownership_drift_true_accesses{series}"] == 1
    assert (
        told['ownership_drift_verdicts{environment="",reader="serverless",verdict="trim_iam"}'] == 1
    )


def test_metrics_count_tables_by_how_far_they_are_confirmed_and_ask_once_for_a_head(metrics):
    make_confirmation(make_table("orders"))
    make_confirmation(make_table("receipts"), days=-1)
    make_table("refunds")
    numbers_of_head.cache_clear()
    told = values(metrics.get("/metrics"))
    states = {
        state: told[f'ownership_tables{{confirmation="{state}"}}']
        for state in ConfirmationState.values
    }
    assert states == {"overdue": 1, "changed_since": 0, "due": 0, "never": 1, "confirmed": 1}
    metrics.get("/metrics")
    assert numbers_of_head.cache_info().misses == 1
    make_access(Table.objects.get(name="orders"))
    assert values(metrics.get("/metrics"))['ownership_tables{confirmation="changed_since"}'] == 1


def test_every_metric_is_documented_and_every_documented_metric_exists(metrics):
    make_service()
    DelivererSign.objects.create(time=timezone.now())
    Client().get("/")
    text = metrics.get("/metrics").content.decode()
    exist = {
        name
        for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
        if not name.endswith("_created")
    }
    operations = (DOCS / "operations.md").read_text()
    documented = set(re.findall(r"^\| `(ownership_\w+)` \|", operations, re.MULTILINE))
    assert exist | {"ownership_replica_lag_seconds", "ownership_replica_good"} == documented


def test_every_alert_uses_documented_metrics_and_has_a_section_in_the_runbook():
    [group] = yaml.safe_load((DOCS / "alerts.yaml").read_text())["groups"]
    sections = re.findall(r"^## (\w+)$", (DOCS / "runbook.md").read_text(), re.MULTILINE)
    assert [rule["alert"] for rule in group["rules"]] == sections
    documented = re.findall(
        r"^\| `(ownership_\w+)` \|", (DOCS / "operations.md").read_text(), re.MULTILINE
    )
    for rule in group["rules"]:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        for name in re.findall(r"ownership_\w+", rule["expr"]):
            assert name.removesuffix("_bucket") in documented


# Dependencies


def report(**more) -> str:
    return json.dumps({"dependencies": [{"name": "django", "version": "1.0", **more}], "fixes": []})


@pytest.mark.parametrize(
    ("given", "well", "told"),
    [
        pytest.param(report(vulns=[]), True, "No known vulnerability in 1", id="none known"),
        pytest.param(
            report(vulns=[{"id": "CVE-1", "fix_versions": ["1.1"]}]),
            False,
            "fixed in 1.1",
            id="one known",
        ),
        pytest.param(report(skip_reason="not found"), None, "NOT AUDITED", id="not answered"),
        pytest.param("", None, "NOT AUDITED", id="no network"),
    ],
)
def test_an_audit_without_an_answer_has_not_passed(given, well, told):
    judged, message = judge(given)
    assert judged is well
    assert told in message
