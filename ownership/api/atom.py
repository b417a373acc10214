"""The latest changes as an Atom feed, for people's feed readers, with a token by HTTP Basic."""

import base64
import binascii
from typing import Any

from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.authentication import SessionAuthentication, SignedIn, TokenAuthentication
from ownership.api.base import RegistryView
from ownership.api.renderers import TextRenderer
from ownership.audit import feed
from ownership.audit.descriptions import describe
from ownership.history.models import CHANGED, ChangeSet


class BasicTokenAuthentication(TokenAuthentication):
    """A token as the password of HTTP Basic, which is all that feed readers can send; the user name does not matter."""

    def authenticate(self, request: Request):
        """(user, token), None where no Basic credentials came, AuthenticationFailed as for a token."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            _, _, token = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            token = ""
        return self.authenticate_credentials(token.encode())

    def authenticate_header(self, request: Request) -> str:
        """Lets a feed reader ask for the token."""
        return 'Basic realm="Ownership registry: any name, and an API token as password"'


class BasicScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI schema describes a token by Basic."""

    target_class = BasicTokenAuthentication
    name = "tokenByBasic"

    def get_security_definition(self, auto_schema):
        """HTTP Basic."""
        return {"type": "http", "scheme": "basic", "description": "An API token as the password."}


class AtomRenderer(TextRenderer):
    """The feed's text."""

    media_type = "application/atom+xml"
    format = "atom"


class AtomView(RegistryView):
    """The latest change sets for a feed reader."""

    authentication_classes = [BasicTokenAuthentication, TokenAuthentication, SessionAuthentication]
    permission_classes = [SignedIn]
    renderer_classes = [AtomRenderer]
    shown = 50

    @extend_schema(
        operation_id="changes_atom",
        responses={(200, "application/atom+xml"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """The latest 50 change sets as Atom."""
        atom = Atom1Feed(
            title="Ownership registry: changes",
            link=request.build_absolute_uri(reverse("admin:ownership_changeset_changelist")),
            description="Who changed what, when and why.",
            feed_url=request.build_absolute_uri(),
        )
        latest = list(ChangeSet.objects.all()[: self.shown])
        entries: dict[int, list[Any]] = {change.revision: [] for change in latest}
        for model, which in feed.select().items():
            for entry in model.objects.filter(which, change_set__in=entries).order_by("sequence")[:1_000]:
                entries[entry.change_set_id].append(entry)
        for change in latest:
            lines = [_line(entry) for entry in sorted(entries[change.revision], key=lambda one: one.sequence)[:20]]
            link = request.build_absolute_uri(reverse("admin:ownership_changeset_change", args=[change.revision]))
            atom.add_item(
                title=_plain(change.reason),
                link=link,
                unique_id=f"{link}#{change.digest}",
                # Feed readers take a summary for HTML.
                description="<br>".join(escape(_plain(line)) for line in lines),
                author_name=_plain(change.user_name),
                pubdate=change.time,
                updateddate=change.time,
            )
        return Response(atom.writeString("utf-8"))


def _line(entry: Any) -> str:
    """An entry in a line: payments → biztechUsers changed: mode Read + Write → Read."""
    words = describe(entry)
    fields = "; ".join(f"{one.field} {one.old or '—'} → {one.new or '—'}" for one in words.changes)
    return f"{words.kind} {words.label} {words.verb}" + (f": {fields}" if entry.history_type == CHANGED else "")


def _plain(text: str) -> str:
    """Without the control characters that XML can't hold."""
    return "".join(character for character in text if character in "\t\n\r" or ord(character) >= 32)
