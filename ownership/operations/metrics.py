"""/metrics for Prometheus: requests of all processes, and the state of the registry and its database.

Off unless METRICS_TOKEN is set. Requests must send that token as ``Authorization: Bearer …``.
"""

import os
import time
from collections.abc import Callable, Iterator
from hmac import compare_digest

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import localdate
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ownership.catalog.confirmation import numbers_of_head
from ownership.history.models import ChangeSet, current_head
from ownership.models import DelivererSign, Delivery, DriftRun, Endpoint, Mailing
from ownership.web.replicas import replicas

COUNTED_METHODS = {"GET", "HEAD", "OPTIONS", "POST"}

# Prometheus adds "_total" to a counter's name.
REQUESTS = Counter(
    "ownership_requests",
    "Requests answered.",
    ["method", "route", "status"],
    registry=None,
)
SECONDS = Histogram(
    "ownership_request_seconds",
    "Response times.",
    ["route"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
    registry=None,
)


class MetricsMiddleware:
    """Counts requests, and answers /metrics.

    It comes before the checks of host name and sign-in, so that Prometheus needs neither.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.registry = CollectorRegistry()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            # Set by gunicorn.conf.py: the counts of all its processes are added up.
            multiprocess.MultiProcessCollector(self.registry)
        else:
            self.registry.register(REQUESTS)
            self.registry.register(SECONDS)
        self.registry.register(DatabaseCollector())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer /metrics; count every other request."""
        if request.path == "/metrics":
            return self._metrics(request)
        start = time.monotonic()
        response = self.get_response(request)
        # Labels have few values, whatever clients send: the route instead of the path, no unknown methods.
        route = ""
        if request.resolver_match is not None:
            route = request.resolver_match.route
        method = request.method
        if method not in COUNTED_METHODS:
            method = "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(route).observe(time.monotonic() - start)
        return response

    def _metrics(self, request: HttpRequest) -> HttpResponse:
        authorization = request.headers.get("Authorization", "").encode(errors="replace")
        expected = f"Bearer {settings.METRICS_TOKEN}".encode()
        if not compare_digest(authorization, expected):
            return HttpResponse(
                "Send METRICS_TOKEN as `Authorization: Bearer …`.\n",
                status=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        return HttpResponse(generate_latest(self.registry), content_type=CONTENT_TYPE_LATEST)


class DatabaseCollector(Collector):
    """What the database says when Prometheus asks. While it does not answer, that is the only metric."""

    def collect(self) -> Iterator[Metric]:
        """Whether the database answers, the replicas that are read from, revision, confirmations, drift and lag."""
        metrics: list[Metric] = []
        try:
            metrics.extend(self._history())
            metrics.extend(self._confirmations())
            metrics.extend(self._drift())
            metrics.extend(self._news())
            metrics.extend(self._replication())
            is_up = True
        except Error:
            metrics.clear()
            is_up = False
        yield GaugeMetricFamily(
            "ownership_database_up", "Whether the database answers.", value=is_up
        )
        if replicas:
            good = GaugeMetricFamily(
                "ownership_replica_good",
                "Whether this process reads from the replica.",
                labels=["replica"],
            )
            for replica in replicas:
                good.add_metric([replica.alias], replica.is_good)
            yield good
        yield from metrics

    def describe(self) -> list[Metric]:
        """Nothing: without this method, registering the collector would query the database."""
        return []

    def _history(self) -> Iterator[Metric]:
        revision, _ = current_head()
        yield GaugeMetricFamily("ownership_revision", "The latest revision.", value=revision)
        last_change = ChangeSet.objects.values_list("time", flat=True).order_by("-revision").first()
        if last_change is not None:
            yield GaugeMetricFamily(
                "ownership_last_change_age_seconds",
                "Time since the last change set.",
                value=time.time() - last_change.timestamp(),
            )

    def _confirmations(self) -> Iterator[Metric]:
        tables = GaugeMetricFamily(
            "ownership_tables",
            "Tables, by how far their entries are confirmed.",
            labels=["confirmation"],
        )
        for state, number in numbers_of_head(current_head(), localdate()).items():
            tables.add_metric([state.value], number)
        yield tables

    def _drift(self) -> Iterator[Metric]:
        findings = GaugeMetricFamily(
            "ownership_drift_findings",
            "Findings of the latest run.",
            labels=["reader", "environment", "kind"],
        )
        waived = GaugeMetricFamily(
            "ownership_drift_waived",
            "How many of these findings are waived.",
            labels=["reader", "environment"],
        )
        verdicts = GaugeMetricFamily(
            "ownership_drift_verdicts",
            "Findings of the latest run by the side that is wrong, if it read code.",
            labels=["reader", "environment", "verdict"],
        )
        accesses = GaugeMetricFamily(
            "ownership_drift_accesses",
            "Accesses that were declared or found in the latest run, if it read code.",
            labels=["reader", "environment"],
        )
        true_accesses = GaugeMetricFamily(
            "ownership_drift_true_accesses",
            "On how many of these accesses map, IAM and code agree.",
            labels=["reader", "environment"],
        )
        age = GaugeMetricFamily(
            "ownership_drift_run_age_seconds",
            "Time since the latest run.",
            labels=["reader", "environment"],
        )
        # What a run found takes up to megabytes, and only its counts are needed.
        for run in DriftRun.objects.latest_of_each().defer("found", "findings", "code"):
            labels = [run.reader, run.environment]
            for kind, count in run.by_kind.items():
                findings.add_metric([*labels, kind], count)
            waived.add_metric(labels, run.waived)
            for verdict, count in (run.by_verdict or {}).items():
                verdicts.add_metric([*labels, verdict], count)
            if run.accesses is not None and run.true_accesses is not None:
                accesses.add_metric(labels, run.accesses)
                true_accesses.add_metric(labels, run.true_accesses)
            age.add_metric(labels, time.time() - run.time.timestamp())
        yield findings
        yield waived
        yield verdicts
        yield accesses
        yield true_accesses
        yield age

    def _news(self) -> Iterator[Metric]:
        active = GaugeMetricFamily(
            "ownership_endpoint_active",
            "Whether the endpoint is sent anything.",
            labels=["endpoint"],
        )
        failures = GaugeMetricFamily(
            "ownership_endpoint_failures",
            "Failed attempts in a row.",
            labels=["endpoint"],
        )
        behind = GaugeMetricFamily(
            "ownership_endpoint_behind_seconds",
            "Age of the oldest change set that the endpoint may still have to get.",
            labels=["endpoint"],
        )
        endpoints = list(Endpoint.objects.all())
        deliveries = Delivery.objects.in_bulk([endpoint.pk for endpoint in endpoints])
        next_revisions = [delivery.revision + 1 for delivery in deliveries.values()]
        times = dict(
            ChangeSet.objects.filter(revision__in=next_revisions).values_list("revision", "time")
        )
        for endpoint in endpoints:
            active.add_metric([endpoint.name], endpoint.active)
            delivery = deliveries.get(endpoint.pk)
            if delivery is None or not endpoint.active:
                continue
            failures.add_metric([endpoint.name], delivery.failures)
            waiting_since = times.get(delivery.revision + 1)
            age = time.time() - waiting_since.timestamp() if waiting_since is not None else 0
            behind.add_metric([endpoint.name], age)
        yield active
        yield failures
        yield behind
        yield GaugeMetricFamily(
            "ownership_mail_failing",
            "People whose last mail could not be sent.",
            value=Mailing.objects.filter(failures__gt=0).count(),
        )
        sign = DelivererSign.objects.first()
        if sign is not None:
            yield GaugeMetricFamily(
                "ownership_deliverer_age_seconds",
                "Time since a deliverer last looked for news.",
                value=time.time() - sign.time.timestamp(),
            )

    def _replication(self) -> Iterator[Metric]:
        if connection.vendor != "postgresql":
            return
        lag = GaugeMetricFamily(
            "ownership_replica_lag_seconds",
            "How far the replica is behind.",
            labels=["replica"],
        )
        with connection.cursor() as cursor:
            # PostgreSQL shows a state only to roles with pg_monitor; without it there are no series.
            cursor.execute(
                "SELECT application_name, extract(epoch FROM replay_lag) FROM pg_stat_replication "
                "WHERE state IS NOT NULL ORDER BY 1"
            )
            for name, seconds in cursor.fetchall():
                lag.add_metric([name], float(seconds or 0))
        yield lag
