"""Groups of tables in the admin."""

from django.contrib import admin
from django.urls import reverse
from django.utils.http import urlencode

from ownership.admin.base import RegistryAdmin
from ownership.admin.changelists import counted
from ownership.admin.order_page import OrderPage
from ownership.models import TableGroup


@admin.register(TableGroup)
class TableGroupAdmin(OrderPage, RegistryAdmin):
    """The groups that the map lists its tables under."""

    list_display = ("name", "description")
    order_name = "map order"
    search_fields = ("name", "description")
    search_help_text = "Searches names and descriptions."
    fieldsets = [(None, {"fields": ["name", "description", "position", "confirmation_days"]})]

    def before_deleting(self, obj: TableGroup) -> list[tuple[str, str]]:
        """Give its tables another group."""
        address = reverse("admin:ownership_table_changelist")
        tables = counted(obj.tables.count(), "table")
        return [
            (f"Move its {tables} to another group", f"{address}?{urlencode({'group': obj.name})}")
        ]
