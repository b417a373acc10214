"""Every address the registry answers. /livez and /readyz are answered before these, by HealthMiddleware."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("ownership.api.urls")),
]
