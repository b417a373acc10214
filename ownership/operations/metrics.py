"""/metrics, for Prometheus: requests of all processes, and how the registry and its database stand.

Off unless METRICS_TOKEN is set; then for who sends it as `Authorization: Bearer …`.
"""

import os
import time
from collections.abc import Callable, Iterator
from hmac import compare_digest

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ownership.history.models import ChangeSet, current_head
from ownership.models import DriftRun
from ownership.web.replicas import replicas

METHODS = {"GET", "HEAD", "OPTIONS", "POST"}
REQUESTS = Counter(
    "ownership_requests", "Requests answered.", ["method", "route", "status"], registry=None
)  # Prometheus calls it ownership_requests_total
SECONDS = Histogram(
    "ownership_request_seconds",
    "How long answers took.",
    ["route"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
    registry=None,
)


class MetricsMiddleware:
    """Counts requests, and answers /metrics; before host names and sign-ins come into it, like the health checks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.registry = CollectorRegistry()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # set by gunicorn.conf.py
            multiprocess.MultiProcessCollector(self.registry)
        else:
            self.registry.register(REQUESTS)
            self.registry.register(SECONDS)
        self.registry.register(_Standing())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer /metrics; pass everything else on, and count it."""
        if request.path == "/metrics":
            return self._metrics(request)
        begun = time.monotonic()
        response = self.get_response(request)
        # Routes, not paths: their number is bounded whatever is asked for.
        route = request.resolver_match.route if request.resolver_match else ""
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(route).observe(time.monotonic() - begun)
        return response

    def _metrics(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if not compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
            answer = HttpResponse("Send METRICS_TOKEN as `Authorization: Bearer …`.\n", status=401)
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        return HttpResponse(generate_latest(self.registry), content_type=CONTENT_TYPE_LATEST)


class _Standing(Collector):
    """What the database says at the moment it is asked; while it is away, just that."""

    def collect(self) -> Iterator[Metric]:
        """Revision, age of the last change, drift by kind, and how far replicas lag behind."""
        try:
            found = [*self._registry(), *self._drift(), *self._replicas()]
        except Error:
            found = []
        yield GaugeMetricFamily("ownership_database_up", "Whether the database answers.", value=bool(found))
        if replicas:
            good = GaugeMetricFamily("ownership_replica_good", "Whether it is read from.", labels=["replica"])
            for replica in replicas:
                good.add_metric([replica.alias], replica.is_good)
            yield good
        yield from found

    def describe(self) -> list[Metric]:
        """Nothing, so that registering asks no database."""
        return []

    def _registry(self) -> Iterator[Metric]:
        revision, _ = current_head()
        yield GaugeMetricFamily("ownership_revision", "The registry's revision.", value=revision)
        last = ChangeSet.objects.values_list("time", flat=True).order_by("-revision").first()
        if last is not None:
            age = time.time() - last.timestamp()
            yield GaugeMetricFamily("ownership_last_change_age_seconds", "Since the last change set.", value=age)

    def _drift(self) -> Iterator[Metric]:
        labels = ["reader", "environment"]
        findings = GaugeMetricFamily("ownership_drift_findings", "By the latest run.", labels=[*labels, "kind"])
        waived = GaugeMetricFamily("ownership_drift_waived", "Of these, waived.", labels=labels)
        age = GaugeMetricFamily("ownership_drift_run_age_seconds", "Since the latest run.", labels=labels)
        for run in DriftRun.objects.latest_of_each().defer("found", "findings"):
            series = [run.reader, run.environment]
            for kind, count in run.by_kind.items():
                findings.add_metric([*series, kind], count)
            waived.add_metric(series, run.waived)
            age.add_metric(series, time.time() - run.time.timestamp())
        yield from (findings, waived, age)

    def _replicas(self) -> Iterator[Metric]:
        """PostgreSQL tells who may see it (pg_monitor); others learn nothing."""
        if connection.vendor != "postgresql":
            return
        lag = GaugeMetricFamily("ownership_replica_lag_seconds", "How far behind a replica is.", labels=["replica"])
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT application_name, extract(epoch FROM replay_lag) FROM pg_stat_replication "
                "WHERE state IS NOT NULL ORDER BY 1"
            )
            for name, seconds in cursor.fetchall():
                lag.add_metric([name], float(seconds or 0))
        yield lag
