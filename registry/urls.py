"""All addresses of the registry, except those that middleware answers: /livez, /readyz and /metrics."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path

handler500 = "ownership.web.health.server_error"


def favicon(request: HttpRequest) -> HttpResponse:
    """The icon, for browsers and tools that ask for it by its old address."""
    return HttpResponseRedirect(static("ownership/icon.svg"))


urlpatterns = [
    path("favicon.ico", favicon),
    path("", include("ownership.pages.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("ownership.api.urls")),
]
if settings.OIDC_RP_CLIENT_ID:
    urlpatterns.append(path("oidc/", include("mozilla_django_oidc.urls")))
