"""The map on a day: pick a day or a revision, and see the groups, tables, owners and accesses of then."""

from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ownership import past
from ownership.history import ChangeSet
from ownership.map import whole_tables

TABLES_A_PAGE = 200


class MomentForm(forms.Form):
    """Which map to show."""

    day = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="The map at the end of it, UTC."
    )
    revision = forms.CharField(
        required=False, max_length=20, widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 8})
    )

    def clean(self) -> dict[str, Any]:
        """Find the revision that is meant: ``found`` is its number; None as long as nothing is asked."""
        cleaned = super().clean() or {}
        day, revision = cleaned.get("day"), cleaned.get("revision")
        if day and revision:
            raise forms.ValidationError("Give a day or a revision, not both.")
        try:
            if revision:
                cleaned["found"] = past.at_revision(revision)[0]
            elif day:
                cleaned["found"] = past.at_time(day.isoformat())[0]
        except past.BadMoment as error:
            self.add_error("revision", str(error))
        return cleaned


def past_map(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The page; PermissionDenied for those who may not see history."""
    if not request.user.has_perm("ownership.view_changeset"):
        raise PermissionDenied
    form = MomentForm(request.GET if {"day", "revision"} & request.GET.keys() else None)
    found = form.cleaned_data.get("found") if form.is_valid() else None
    context = {
        **site.each_context(request),
        "title": "The map on a day",
        "opts": ChangeSet._meta,
        "form": form,
        "revision": found,
    }
    if found is None:
        return TemplateResponse(request, "admin/ownership/past_map.html", context)
    context["change_set"] = ChangeSet.objects.filter(revision=found).first()
    context["following"] = ChangeSet.objects.filter(revision=found + 1).first()
    with past.as_of(found):
        context["page"] = Paginator(whole_tables(), TABLES_A_PAGE).get_page(request.GET.get("page"))
        # Rendered here, for whatever the template still reads is to be of then, too.
        return TemplateResponse(request, "admin/ownership/past_map.html", context).render()
