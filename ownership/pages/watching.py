"""What the reader watches and how mail comes; and the page that ends all mail by a link, without signing in."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from ownership.audit.timeline import Timeline
from ownership.history.models import whole_number
from ownership.models import Mailing, MailPreference, Watch
from ownership.news import watching
from ownership.news.mailing import is_mail_set_up
from ownership.news.mails import unsubscribed_user
from ownership.pages.base import BadAddress, Context, Page
from ownership.web.refusals import refusal

# A list that a person has clicked together; more would make each look for news slow.
MOST_WATCHES = 500
TOO_MANY = (
    f"You watch {MOST_WATCHES} things already: end one first, or watch a service or what is yours."
)


class MailForm(forms.ModelForm):
    """How often there is mail, and about what."""

    class Meta:
        model = MailPreference
        fields = ("rhythm", "own_changes")
        widgets = {"rhythm": forms.RadioSelect}


@dataclass(frozen=True)
class WatchedThing:
    """A watch as the page lists it: the name of the thing, and its address; none for what was deleted."""

    kind: str
    row: int | None
    title: str
    name: str
    address: str | None


class WatchingPage(Page):
    """The reader's watches and mail."""

    template_name = "ownership/watching.html"
    http_method_names = ["get", "head", "post", "options"]
    needs_role = True
    shows_past = False

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the watches by kind, the form, and how mail goes."""
        user: Any = self.request.user
        mailing = Mailing.objects.filter(pk=user.pk).first()
        return super().get_context_data(**kwargs) | {
            "title": "Watching",
            "watched": _watched_things(user.watches.all()),
            "watches_mine": user.watches.filter(kind=Watch.Kind.MINE).exists(),
            "in_a_team": bool(self.team_ids),
            "form": kwargs.get("form") or MailForm(instance=watching.preference_of(user)),
            "is_mail_set_up": is_mail_set_up(),
            "mailing": mailing,
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """Watch something, end that, or store how mail comes."""
        act = request.POST.get("act", "")
        if act == "mail":
            return self._store_mail(request)
        if act not in ("watch", "unwatch"):
            raise BadAddress("act takes watch, unwatch or mail.")
        kind, row = _posted_thing(request)
        user: Any = request.user
        if act == "unwatch":
            watching.unwatch(user, kind, row)
        elif user.watches.count() >= MOST_WATCHES:
            messages.error(request, TOO_MANY)
        else:
            watching.watch(user, kind, row)
            messages.success(request, _what_happens_now(user, kind))
        return HttpResponseRedirect(_page_to_return_to(request))

    def _store_mail(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        form = MailForm(request.POST, instance=watching.preference_of(user))
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=400)
        watching.switch_mail(user, form.cleaned_data["rhythm"], form.cleaned_data["own_changes"])
        messages.success(request, "Saved.")
        return HttpResponseRedirect(reverse("pages:watching"))


def _posted_thing(request: HttpRequest) -> tuple[str, int | None]:
    """The kind and id of what is to be watched; BadAddress for what never was."""
    kind = request.POST.get("kind", "")
    if kind == Watch.Kind.MINE:
        return kind, None
    row = whole_number(request.POST.get("row"))
    if kind not in watching.NAMED_MODELS or row is None:
        raise BadAddress("kind takes table, service, group or mine, and row the id of one.")
    model = watching.NAMED_MODELS[Watch.Kind(kind)]
    if not Timeline.of_forms(model, row).exists():
        raise BadAddress(f"There is no {model._meta.verbose_name} {row}.")
    return kind, row


def _what_happens_now(user: Any, kind: str) -> str:
    """What the person may expect, in a sentence."""
    if not is_mail_set_up():
        return "You watch it. This registry sends no mail yet: an administrator has to set that up."
    if not user.email:
        return (
            "You watch it. Your account has no e-mail address yet: ask an administrator to add it."
        )
    rhythm = watching.preference_of(user).rhythm
    if rhythm == MailPreference.Rhythm.NEVER:
        return "You watch it, but your mail is switched off: see “Watching” in your account's menu."
    if kind == Watch.Kind.MINE:
        return "You watch what is yours: you get mail when it changes, and when something waits for you."
    return "You watch it: you get mail when it changes."


def _page_to_return_to(request: HttpRequest) -> str:
    address = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return address
    return reverse("pages:watching")


def _watched_things(watches: Any) -> list[WatchedThing]:
    """The watches with names, by kind and name; a query for each kind, and one for each thing that is deleted."""
    things = []
    for kind, model in watching.NAMED_MODELS.items():
        ids = [one.row for one in watches if one.kind == kind]
        rows: dict[int, Any] = model._default_manager.in_bulk(ids)
        for pk in ids:
            row = rows.get(pk)
            name = (
                str(row) if row is not None else f"{Timeline.of_forms(model, pk).label()} (deleted)"
            )
            address = row.get_absolute_url() if row is not None else None
            things.append(WatchedThing(kind, pk, kind.label, name, address))
    return sorted(things, key=lambda thing: (thing.kind, thing.name))


@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribePage(View):
    """Ends all mail to one account, by a link that was mailed to it.

    GET shows a button, because programs follow links in mails, too. POST does it: from that button, or from a mail
    program that has one of its own (RFC 8058), which knows no cookie.
    """

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show the button."""
        user = unsubscribed_user(token)
        if user is None:
            return _no_such_link(request)
        return self._page(
            request, is_done=watching.preference_of(user).rhythm == MailPreference.Rhythm.NEVER
        )

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """End the mail."""
        user = unsubscribed_user(token)
        if user is None:
            return _no_such_link(request)
        preference = watching.preference_of(user)
        watching.switch_mail(user, MailPreference.Rhythm.NEVER, preference.own_changes)
        return self._page(request, is_done=True)

    def _page(self, request: HttpRequest, *, is_done: bool) -> HttpResponse:
        response = render(
            request, "ownership/unsubscribe.html", {"title": "Unsubscribe", "is_done": is_done}
        )
        response["Cache-Control"] = "private, no-store"
        return response


def _no_such_link(request: HttpRequest) -> HttpResponse:
    sentence = (
        "This link ends nobody's mail. Sign in and choose “Watching” in the menu of your account."
    )
    return refusal(request, 404, "Not found", sentence)
