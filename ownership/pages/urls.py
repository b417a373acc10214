"""Addresses of the pages. Things are named by name."""

from django.urls import path

from ownership.pages import (
    changes,
    compare,
    confirm,
    day,
    decisions,
    findings,
    history,
    home,
    matrix,
    mine,
    search,
    services,
    suggestions,
    tables,
    teams,
    trace,
    watching,
)

app_name = "pages"
urlpatterns = [
    path("", home.HomePage.as_view(), name="home"),
    path("search/", search.SearchPage.as_view(), name="search"),
    path("search/suggestions/", search.CompletionsPage.as_view(), name="search-suggestions"),
    path("matrix/", matrix.MatrixPage.as_view(), name="matrix"),
    path("mine/", mine.MinePage.as_view(), name="mine"),
    path("groups/<path:name>/", home.GroupPage.as_view(), name="group"),
    path("changes/", changes.ChangesPage.as_view(), name="changes"),
    path("changes/<int:revision>/", changes.ChangeSetPage.as_view(), name="change-set"),
    path("compare/", compare.ComparePage.as_view(), name="compare"),
    path("day/", day.DayPage.as_view(), name="day"),
    path("confirm/", confirm.ConfirmPage.as_view(), name="confirm"),
    path("teams/<path:name>/", teams.TeamPage.as_view(), name="team"),
    path("drift/", findings.DriftPage.as_view(), name="drift"),
    path("drift/accept/", decisions.AcceptPage.as_view(), name="drift-accept"),
    path("drift/waive/", decisions.WaivePage.as_view(), name="drift-waive"),
    path("suggestions/", suggestions.SuggestionsPage.as_view(), name="suggestions"),
    path("suggestions/mine/", suggestions.OwnSuggestionsPage.as_view(), name="suggestions-mine"),
    path("suggestions/<int:number>/", suggestions.SuggestionPage.as_view(), name="suggestion"),
    path("tables/<str:name>/", tables.TablePage.as_view(), name="table"),
    path("tables/<str:name>/history/", history.TableHistoryPage.as_view(), name="table-history"),
    path("tables/<str:name>/trace/", trace.TableTracePage.as_view(), name="table-trace"),
    path("watching/", watching.WatchingPage.as_view(), name="watching"),
    path("unsubscribe/<str:token>/", watching.UnsubscribePage.as_view(), name="unsubscribe"),
    path("services/", home.ServicesPage.as_view(), name="services"),
    path("services/<str:name>/", services.ServicePage.as_view(), name="service"),
    path(
        "services/<str:name>/history/", history.ServiceHistoryPage.as_view(), name="service-history"
    ),
    path("services/<str:name>/trace/", trace.ServiceTracePage.as_view(), name="service-trace"),
]
