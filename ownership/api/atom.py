"""The latest changes as an Atom feed, for feed readers. They send a token by HTTP Basic."""

import base64
import binascii
from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.authentication import (
    CheckedToken,
    HasRole,
    SessionAuthentication,
    TokenAuthentication,
)
from ownership.api.base import RegistryView
from ownership.api.renderers import TextRenderer
from ownership.audit import feed
from ownership.audit.descriptions import describe, in_one_line
from ownership.history.models import ChangeSet, Entry

if TYPE_CHECKING:  # it can't be imported before the views
    from drf_spectacular.openapi import AutoSchema

CHANGE_SETS = 50
# Entries of one model that are read, and entries that one change set shows.
MOST_READ = 1_000
MOST_SHOWN = 20


class BasicTokenAuthentication(TokenAuthentication):
    """A token as the password of HTTP Basic, with any user name: feed readers can't send anything else."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, CheckedToken] | None:
        """The token's user and the token, None without Basic credentials; AuthenticationFailed as for any token."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            _, _, token = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            token = ""
        return self.authenticate_credentials(token.encode())

    def authenticate_header(self, request: Request) -> str:
        """What a feed reader shows when it asks for the token."""
        return 'Basic realm="Ownership registry: any name, and an API token as password"'


class BasicScheme(OpenApiAuthenticationExtension):
    """Describes a token by HTTP Basic in the OpenAPI schema."""

    target_class = BasicTokenAuthentication
    name = "tokenByBasic"

    def get_security_definition(self, auto_schema: "AutoSchema") -> dict[str, str]:
        """HTTP Basic."""
        return {
            "type": "http",
            "scheme": "basic",
            "description": "An API token as the password.",
        }


class AtomRenderer(TextRenderer):
    """Atom."""

    media_type = "application/atom+xml"
    format = "atom"


class AtomView(RegistryView):
    """The latest change sets for feed readers."""

    authentication_classes = [
        BasicTokenAuthentication,
        TokenAuthentication,
        SessionAuthentication,
    ]
    permission_classes = [HasRole]
    renderer_classes = [AtomRenderer]

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
        change_sets = list(ChangeSet.objects.all()[:CHANGE_SETS])
        entries = _entries_by_revision([change_set.revision for change_set in change_sets])
        for change_set in change_sets:
            lines = [
                in_one_line(describe(entry)) for entry in entries[change_set.revision][:MOST_SHOWN]
            ]
            address = reverse("admin:ownership_changeset_change", args=[change_set.revision])
            link = request.build_absolute_uri(address)
            atom.add_item(
                title=_printable(change_set.reason),
                link=link,
                unique_id=f"{link}#{change_set.digest}",
                # Feed readers expect HTML here.
                description="<br>".join(escape(_printable(line)) for line in lines),
                author_name=_printable(change_set.by()),
                pubdate=change_set.time,
                updateddate=change_set.time,
            )
        return Response(atom.writeString("utf-8"))


def _entries_by_revision(revisions: list[int]) -> dict[int, list[Entry]]:
    """The change sets' entries in order, by revision; of each model the first thousand."""
    entries: dict[int, list[Entry]] = {revision: [] for revision in revisions}
    for model, condition in feed.select().items():
        rows = model.objects.filter(condition, change_set__in=revisions)
        for entry in rows.order_by("sequence")[:MOST_READ]:
            entries[entry.change_set_id].append(entry)
    for of_one_change_set in entries.values():
        of_one_change_set.sort(key=lambda entry: entry.sequence)
    return entries


def _printable(text: str) -> str:
    """The text without control characters, which XML can't contain."""
    return "".join(character for character in text if character in "\t\n\r" or ord(character) >= 32)
