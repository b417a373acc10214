"""Titles of the admin's pages that say what a page is about: "Tables", "Edit biztechUsers", "Delete biztechUsers"."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from ownership.audit.descriptions import label_in_words


class PlainTitles(admin.ModelAdmin):
    """Lists, forms and pages to delete a row, under such titles instead of Django's general ones."""

    def changelist_view(
        self,
        request: HttpRequest,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """The list under its plural name."""
        context = {"title": capfirst(self.opts.verbose_name_plural)} | (extra_context or {})
        return super().changelist_view(request, context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: models.Model | None = None,
    ) -> HttpResponse:
        """The form of a row under the row's name: the stored one, also where another one was just entered."""
        if obj is not None and not add:
            if request.method == "POST":
                # Django has put what was entered into the row.
                obj = self.model._default_manager.filter(pk=obj.pk).first() or obj
                context["original"] = obj
            context["title"] = self.form_title(request, obj)
            context["subtitle"] = None
        return super().render_change_form(request, context, add, change, form_url, obj)

    def form_title(self, request: HttpRequest, obj: models.Model) -> str:
        """The title of a stored row's form."""
        name = label_in_words(type(obj), str(obj))
        return f"Edit {name}" if self.has_change_permission(request, obj) else name

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        """The page that asks before a row is deleted, under the row's name."""
        is_refused = context["perms_lacking"] or context["protected"]
        verb = "Can’t delete" if is_refused else "Delete"
        row = context["object"]
        context["title"] = f"{verb} {label_in_words(type(row), str(row))}"
        return super().render_delete_form(request, context)
