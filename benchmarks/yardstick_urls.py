"""Addresses for ``benchmarks/map.py`` and ``saves.py``: the registry's own, and the yardsticks."""

from django.http import HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.bare.admin import site
from ownership.api.snapshot import snapshots
from ownership.history.models import current_head
from ownership.models import Access, Service, Table
from registry.urls import urlpatterns as own

_bytes: list[bytes] = []


def constant(request):
    """The map's bytes, kept since the first request."""
    if not _bytes:
        _bytes.append(snapshots.get(current_head(), None, False)[1])
    return HttpResponse(_bytes[0], content_type="application/json")


class _Access(serializers.ModelSerializer):
    service = serializers.CharField(source="service.name")

    class Meta:
        model = Access
        fields = ["service", "mode", "indirect", "notes"]


class _Table(serializers.ModelSerializer):
    group = serializers.CharField(source="group.name")
    owner = serializers.CharField(source="owner.name")
    accesses = _Access(many=True)

    class Meta:
        model = Table
        fields = ["name", "group", "description", "owner", "accesses"]


class _Service(serializers.ModelSerializer):
    class Meta:
        model = Service
        fields = ["name", "description"]


class Nested(APIView):
    """Every request reads and shapes all rows."""

    def get(self, request):
        """Services and tables with their accesses."""
        tables = Table.objects.select_related("group", "owner").prefetch_related(
            "accesses__service"
        )
        return Response(
            {
                "services": _Service(Service.objects.all(), many=True).data,
                # In parts, for SQLite refuses to look for the accesses of 10,000 tables in one statement.
                "tables": _Table(tables.iterator(chunk_size=500), many=True).data,
            }
        )


urlpatterns = [
    path("constant/", constant),
    path("nested/", Nested.as_view()),
    path("bare/", site.urls),
    *own,
]
