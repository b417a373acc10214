"""The addresses under /api/v1/. Tables and services have details, all else is a list or a single answer.

Paths rather than DRF's router, which would give every list details.
"""

from django.urls import path

from ownership.api import (
    atom,
    compare,
    drift,
    head,
    history,
    index,
    suggestions,
    trace,
    views,
)
from ownership.api.map_view import MapView

app_name = "api"
urlpatterns = [
    path("map/", MapView.as_view(), name="map"),
    path("tables/", views.TableView.as_view({"get": "list"}, detail=False), name="table-list"),
    path(
        "tables/<str:name>/",
        views.TableView.as_view({"get": "retrieve"}, detail=True),
        name="table-detail",
    ),
    path(
        "tables/<str:name>/history/",
        history.TableTimelineView.as_view(),
        name="table-history",
    ),
    path("tables/<str:name>/trace/", trace.TableTraceView.as_view(), name="table-trace"),
    path(
        "services/",
        views.ServiceView.as_view({"get": "list"}, detail=False),
        name="service-list",
    ),
    path(
        "services/<str:name>/",
        views.ServiceView.as_view({"get": "retrieve"}, detail=True),
        name="service-detail",
    ),
    path(
        "services/<str:name>/history/",
        history.ServiceTimelineView.as_view(),
        name="service-history",
    ),
    path("services/<str:name>/trace/", trace.ServiceTraceView.as_view(), name="service-trace"),
    path(
        "accesses/",
        views.AccessView.as_view({"get": "list"}, detail=False),
        name="access-list",
    ),
    path("groups/", views.GroupView.as_view({"get": "list"}, detail=False), name="group-list"),
    path("teams/", views.TeamView.as_view({"get": "list"}, detail=False), name="team-list"),
    path(
        "environments/",
        views.EnvironmentView.as_view({"get": "list"}, detail=False),
        name="environment-list",
    ),
    path(
        "suggestions/",
        suggestions.SuggestionView.as_view({"get": "list"}, detail=False),
        name="suggestion-list",
    ),
    path(
        "suggestions/<str:number>/",
        suggestions.SuggestionView.as_view({"get": "retrieve"}, detail=True),
        name="suggestion-detail",
    ),
    path("changes/", history.ChangesView.as_view(), name="changes"),
    path("changes/atom/", atom.AtomView.as_view(), name="changes-atom"),
    path("head/", head.HeadView.as_view(), name="head"),
    path("compare/", compare.CompareView.as_view(), name="compare"),
    path("drift/", drift.DriftView.as_view(), name="drift"),
    path("drift/waivers/", drift.WaiversView.as_view(), name="drift-waivers"),
    path("schema/", views.SchemaView.as_view(), name="schema"),
    path("docs/", views.DocsView.as_view(url_name="api:schema"), name="docs"),
    path("", index.IndexView.as_view(), name="index"),
    path("<path:anything>/", views.UnknownAddress.as_view(), name="unknown"),
]
