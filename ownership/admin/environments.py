"""Environments in the admin."""

from django.contrib import admin

from ownership.admin.base import RegistryAdmin
from ownership.admin.order_page import OrderPage
from ownership.models import Environment


@admin.register(Environment)
class EnvironmentAdmin(OrderPage, RegistryAdmin):
    """Where the backend runs, and what its tables are called there."""

    list_display = ("name", "suffix", "pattern", "description")
    search_fields = ("name", "description")
    search_help_text = "Searches names and descriptions."
    fieldsets = [(None, {"fields": ["name", "suffix", "pattern", "description", "position"]})]
