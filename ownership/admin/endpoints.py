"""Endpoints in the admin: where news go, and a page of each one's deliveries and secret."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from ownership.admin.base import RegistryAdmin
from ownership.admin.saving import RegistryForm
from ownership.audit import feed
from ownership.history.models import ChangeSet, current_head
from ownership.history.row_states import describe_field
from ownership.models import Delivery, DeliveryAttempt, DeliveryRequest, Endpoint
from ownership.news.endpoint_secrets import check_given, give_secret, new_webhook_secret
from ownership.news.events import FILTERS
from ownership.news.state import state_of, with_state

ATTEMPTS_SHOWN = 50
NAME_FILTERS = ("only_table", "only_service", "only_group")


class EndpointForm(RegistryForm):
    """An endpoint. Its filters name what there is, or was."""

    only_changes = forms.ChoiceField(
        label="Only changes of",
        required=False,
        choices=[
            ("", "anything"),
            *((name, kind.title) for name, kind in feed.CHANGE_KINDS.items()),
        ],
        help_text="Only this kind of change.",
    )

    only_source = forms.ChoiceField(
        label="Only from",
        required=False,
        choices=[("", "anywhere"), *ChangeSet.Source.choices],
        help_text="Only changes that were made there.",
    )

    def clean(self) -> dict[str, object] | None:
        """Refuse a filter by a name that nothing ever had."""
        cleaned_data = super().clean()
        for field in NAME_FILTERS:
            name = self.cleaned_data.get(field)
            if not name:
                continue
            try:
                feed.select(**{FILTERS[field]: name})
            except feed.UnknownName as error:
                self.add_error(field, str(error))
        return cleaned_data


class SecretForm(forms.Form):
    """A new secret. A webhook's is made by the registry; Slack's address and GitHub's token are given."""

    at_once = forms.BooleanField(
        label="The old secret stops working at once",
        required=False,
        help_text="Otherwise everything is signed with both for a day, so that you can replace it without a gap.",
    )
    secret = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        error_messages={"required": "Give the secret."},
    )

    def __init__(self, *args: Any, endpoint: Endpoint, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = endpoint.kind
        if endpoint.kind == Endpoint.Kind.WEBHOOK:
            del self.fields["secret"]
            return
        del self.fields["at_once"]
        field = self.fields["secret"]
        if endpoint.kind == Endpoint.Kind.SLACK:
            field.label = "Address of the incoming webhook"
            field.help_text = (
                "https://hooks.slack.com/services/… Whoever has it can write into the channel."
            )
        else:
            field.label = "Token"
            field.help_text = "A fine-grained token for this one repository, with read and write access to contents."

    def clean_secret(self) -> str:
        """A secret of the right form."""
        secret: str = self.cleaned_data["secret"].strip()
        check_given(self.kind, secret)
        return secret


@admin.register(Endpoint)
class EndpointAdmin(RegistryAdmin):
    """Programs outside that are told of changes."""

    form = EndpointForm
    list_display = ("name", "kind", "receives", "state")
    list_filter = ("kind", "active")
    search_fields = ("name", "address")
    search_help_text = "Searches names and addresses."
    change_form_template = "admin/ownership/endpoint/change_form.html"
    # The form has a button of its own to the page of deliveries.
    view_on_site = False
    fieldsets = [
        (None, {"fields": ["name", "kind", "address", "active"]}),
        (
            "What it is told",
            {
                "description": "Without any of these, it is told of every change. With several, all must apply.",
                "fields": list(Endpoint.FILTERS),
            },
        ),
    ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Endpoint | None = None
    ) -> tuple[str, ...]:
        """The kind of one that exists: another kind takes another secret."""
        return ("kind",) if obj is not None else ()

    def get_urls(self) -> list[URLPattern]:
        """Django's, and the page of an endpoint's deliveries."""
        view = self.admin_site.admin_view(self.deliveries_view)
        return [
            path("<int:pk>/deliveries/", view, name="ownership_endpoint_deliveries"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        return with_state(super().get_queryset(request))

    @admin.display(description="told of")
    def receives(self, endpoint: Endpoint) -> str:
        filters = []
        for field in Endpoint.FILTERS:
            value = getattr(endpoint, field)
            if value:
                filters.append(f"{describe_field(Endpoint, field)} {value}")
        return ", ".join(filters) or "every change"

    @admin.display(description="state")
    def state(self, endpoint: Endpoint) -> str:
        return state_of(endpoint).sentence

    def response_post_save_add(self, request: HttpRequest, obj: Model) -> HttpResponseRedirect:
        """On to its secret: without one, nothing is sent."""
        return HttpResponseRedirect(deliveries_address(obj.pk))

    def deliveries_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How it goes, what was sent, and the secret."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        endpoint = self.get_object(request, str(pk))
        if endpoint is None:
            raise Http404(f"There is no endpoint {pk}.")
        form = SecretForm(endpoint=endpoint)
        shown_secret = ""
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            if "secret_form" not in request.POST:
                return self._request_delivery(request, endpoint)
            form = SecretForm(request.POST, endpoint=endpoint)
            if form.is_valid():
                shown_secret = _give_secret(request, endpoint, form)
                if not shown_secret:
                    messages.success(request, "The secret is stored. It can't be read here again.")
                    return HttpResponseRedirect(request.path)
                form = SecretForm(endpoint=endpoint)
        return TemplateResponse(
            request,
            "admin/ownership/endpoint/deliveries.html",
            self._deliveries_context(request, endpoint, form) | {"shown_secret": shown_secret},
        )

    def _deliveries_context(
        self, request: HttpRequest, endpoint: Endpoint, form: SecretForm
    ) -> dict[str, Any]:
        attempts = DeliveryAttempt.objects.filter(delivery=endpoint.pk)[:ATTEMPTS_SHOWN]
        delivery = Delivery.objects.filter(pk=endpoint.pk).first()
        current = None
        earlier = []
        for secret in endpoint.secrets.all():
            if secret.valid_until is None:
                current = secret
            elif secret.valid_until > timezone.now():
                earlier.append(secret)
        return {
            **self.admin_site.each_context(request),
            "title": f"Deliveries to {endpoint.name}",
            "here": "Deliveries",
            "opts": self.opts,
            "object": endpoint,
            "endpoint": endpoint,
            "receives": self.receives(endpoint),
            "state": state_of(endpoint),
            "delivery": delivery,
            "failed_revision": _failed_revision(delivery),
            "requests": endpoint.delivery_requests.all(),
            "secret": current,
            "earlier": earlier,
            "form": form,
            "attempts": attempts,
            "may_change": self.has_change_permission(request),
        }

    def _request_delivery(self, request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
        """A button other than the secret's: leave it to the deliverer, which alone sends."""
        kind = DeliveryRequest.Kind.TEST
        revision = current_head().revision
        sentence = "The test will be sent in a moment. Load this page again to see what came of it."
        if "skip" in request.POST:
            kind = DeliveryRequest.Kind.SKIP
            sentence = "Everything that is waiting will be skipped in a moment."
            failed = _failed_revision(Delivery.objects.filter(pk=endpoint.pk).first())
            if request.POST["skip"] == "one" and failed is not None:
                revision = failed
                sentence = f"Revision {failed} will be skipped in a moment."
        elif "test" not in request.POST:
            return HttpResponseBadRequest(
                "Press one of the page's buttons.", content_type="text/plain"
            )
        DeliveryRequest.objects.create(
            endpoint=endpoint,
            kind=kind,
            revision=revision,
            user_name=request.user.get_username(),
        )
        messages.success(request, sentence)
        return HttpResponseRedirect(request.path)


def deliveries_address(pk: int) -> str:
    """The page of an endpoint's deliveries."""
    return reverse("admin:ownership_endpoint_deliveries", args=[pk])


def _give_secret(request: HttpRequest, endpoint: Endpoint, form: SecretForm) -> str:
    """Store it. Return a webhook's, which was made just now and is shown this once."""
    is_webhook = endpoint.kind == Endpoint.Kind.WEBHOOK
    secret = new_webhook_secret() if is_webhook else form.cleaned_data["secret"]
    at_once = form.cleaned_data.get("at_once", False)
    give_secret(endpoint, secret, request.user.get_username(), at_once=at_once)
    return secret if is_webhook else ""


def _failed_revision(delivery: Delivery | None) -> int | None:
    """The revision that could not be delivered and holds up all later ones."""
    if delivery is None or delivery.failing_since is None:
        return None
    failed = delivery.attempts.exclude(problem="").exclude(revision=None)
    return failed.values_list("revision", flat=True).first()
