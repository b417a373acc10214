"""The page on which rows of a list are put in another order, so that nobody types a position."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ownership.admin.forms import ReasonForm
from ownership.history.models import ChangeSet, TrackedRow, whole_number
from ownership.plans.order import plan_order
from ownership.plans.plan import NotApplied, Refused

CHANGED_MEANWHILE = (
    "Nothing was changed: the list has changed since this page was opened. Check the order again."
)


class OrderPage(admin.ModelAdmin):
    """Adds the page to a list. Its address ends in ``order/``."""

    def get_urls(self) -> list[URLPattern]:
        """Django's, and the page."""
        name = f"ownership_{self.opts.model_name}_order"
        return [
            path("order/", self.admin_site.admin_view(self.order_view), name=name),
            *super().get_urls(),
        ]

    def rows_to_order(self, request: HttpRequest) -> QuerySet:
        """The rows that have an order among each other."""
        return self.model._default_manager.all()

    def order_title(self, request: HttpRequest) -> str:
        """The page's title."""
        return f"Order of {self.opts.verbose_name_plural}"

    def order_view(self, request: HttpRequest) -> HttpResponse:
        """The rows with buttons that move them. A button moves its row on the page; saving asks for a reason."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        stored = list(self.rows_to_order(request))
        by_pk = {row.pk: row for row in stored}
        rows = stored
        form = ReasonForm()
        problem = ""
        if request.method == "POST":
            pks = [whole_number(pk) for pk in request.POST.getlist("row")]
            form = ReasonForm(
                request.POST if "apply" in request.POST else None, initial=request.POST.dict()
            )
            if sorted(map(str, pks)) != sorted(map(str, by_pk)):
                problem = CHANGED_MEANWHILE
            else:
                rows = _moved([by_pk[pk] for pk in pks], request.POST)
                if form.is_valid():
                    try:
                        return self._apply_order(request, rows, form)
                    except Refused as error:
                        problem = f"Nothing was changed. {error}"
                    except NotApplied:
                        problem = CHANGED_MEANWHILE
                        rows = list(self.rows_to_order(request))
        context = {
            **self.admin_site.each_context(request),
            "title": self.order_title(request),
            "opts": self.opts,
            "rows": rows,
            "form": form,
            "problem": problem,
        }
        return TemplateResponse(request, "admin/ownership/order.html", context)

    def _apply_order(
        self, request: HttpRequest, rows: list[TrackedRow], form: forms.Form
    ) -> HttpResponse:
        """Save the order. Raises NotApplied."""
        revision = plan_order(rows).apply(
            user=request.user,  # type: ignore[arg-type]
            reason=form.cleaned_data["reason"],
            source=ChangeSet.Source.ADMIN,
        )
        if revision is None:
            messages.info(request, "Nothing was changed: the rows are already in this order.")
        else:
            messages.success(
                request, f"Saved: order of {self.opts.verbose_name_plural} (revision {revision})."
            )
        return HttpResponseRedirect(reverse(f"admin:ownership_{self.opts.model_name}_changelist"))


def _moved(rows: list[Any], posted: Any) -> list[Any]:
    """The rows after the button that was pressed: up or down, with the id of its row."""
    for direction, step in (("up", -1), ("down", 1)):
        for index, row in enumerate(rows):
            other = index + step
            if posted.get(direction) == str(row.pk) and 0 <= other < len(rows):
                moved = list(rows)
                moved[index], moved[other] = moved[other], moved[index]
                return moved
    return rows
