"""Every address the registry answers. /livez and /readyz are answered before these, by HealthMiddleware."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("ownership.pages.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("ownership.api.urls")),
]
