"""Groups of tables in the admin."""

from django.contrib import admin

from ownership.admin.base import RegistryAdmin
from ownership.models import TableGroup


@admin.register(TableGroup)
class TableGroupAdmin(RegistryAdmin):
    """The groups that the map lists its tables under."""

    list_display = ("name", "description", "position")
    search_fields = ("name", "description")
    fieldsets = [(None, {"fields": ["name", "description", "position"]})]
