"""Addresses below /api/v1/. Lists of tables and services have details; everything is read-only."""

from typing import Any

from django.urls import path

from ownership.api import atom, compare, drift, history, trace, views
from ownership.api.map_view import MapView

LIST: Any = {"get": "list"}
DETAIL: Any = {"get": "retrieve"}

app_name = "api"
urlpatterns = [
    path("map/", MapView.as_view(), name="map"),
    path("tables/", views.TableView.as_view(LIST, detail=False), name="table-list"),
    path("tables/<str:name>/", views.TableView.as_view(DETAIL, detail=True), name="table-detail"),
    path("tables/<str:name>/history/", history.TableTimelineView.as_view(), name="table-history"),
    path("tables/<str:name>/trace/", trace.TableTraceView.as_view(), name="table-trace"),
    path("services/", views.ServiceView.as_view(LIST, detail=False), name="service-list"),
    path("services/<str:name>/", views.ServiceView.as_view(DETAIL, detail=True), name="service-detail"),
    path("services/<str:name>/history/", history.ServiceTimelineView.as_view(), name="service-history"),
    path("services/<str:name>/trace/", trace.ServiceTraceView.as_view(), name="service-trace"),
    path("accesses/", views.AccessView.as_view(LIST, detail=False), name="access-list"),
    path("groups/", views.GroupView.as_view(LIST, detail=False), name="group-list"),
    path("environments/", views.EnvironmentView.as_view(LIST, detail=False), name="environment-list"),
    path("changes/", history.ChangesView.as_view(), name="changes"),
    path("changes/atom/", atom.AtomView.as_view(), name="changes-atom"),
    path("compare/", compare.CompareView.as_view(), name="compare"),
    path("drift/", drift.DriftView.as_view(), name="drift"),
    path("drift/waivers/", drift.WaiversView.as_view(), name="drift-waivers"),
    path("schema/", views.SchemaView.as_view(), name="schema"),
    path("docs/", views.DocsView.as_view(url_name="api:schema"), name="docs"),
    path("", views.UnknownAddress.as_view(), name="root"),
    path("<path:anything>/", views.UnknownAddress.as_view(), name="unknown"),
]
