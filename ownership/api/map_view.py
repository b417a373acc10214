"""The address that most requests ask for: the whole map, from its snapshot."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import ResolverMatch, resolve
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api import serializers
from ownership.api.authentication import head_for_token
from ownership.api.base import KEPT_BY_NOBODY, MomentView, asked_environment, etag, has_already, past_parameters
from ownership.api.errors import BadParameter
from ownership.api.renderers import CsvRenderer, MarkdownRenderer, as_file, in_forms
from ownership.api.schema import ENVIRONMENT
from ownership.api.snapshot import snapshots
from ownership.catalog.queries import whole_map
from ownership.exchange.exports import to_csv, to_markdown
from ownership.history.models import Head, current_head

ADDRESS = "/api/v1/map/"
JSON = JSONRenderer.media_type
VARY = "Accept, Accept-Encoding, Authorization, Cookie"


class MapView(MomentView):
    """The whole map."""

    parameters = frozenset({"format", "environment"})
    renderer_classes = [JSONRenderer, CsvRenderer, MarkdownRenderer]

    @property
    def is_kept(self) -> bool:
        """Whether a snapshot holds what is asked for: today's map as plain JSON."""
        return self.request.accepted_media_type == JSON and not past_parameters(self.request)

    @property
    def encoding(self) -> str:
        """Snapshots are compressed for those who take it."""
        return "gzip" if self.is_kept and takes_gzip(self.request) else ""

    @extend_schema(
        operation_id="map",
        parameters=[ENVIRONMENT],
        responses=in_forms(serializers.MapSerializer, CsvRenderer, MarkdownRenderer),
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The whole map of one revision, the current one unless asked: everything in the document's order."""
        environment = asked_environment(request)
        form = request.accepted_renderer
        if environment is not None and isinstance(form, MarkdownRenderer):
            raise BadParameter({"environment": "Takes none with Markdown, which calls tables by their base names."})
        head = self.head_shown or current_head()
        if self.is_kept:
            self.head_shown, content = snapshots.get(head, environment, bool(self.encoding))
            return _answer(content, self.encoding)
        rows = {"revision": head[0], "environment": environment and environment.name, **whole_map()}
        context = {"request": request, "view": self, "environment": environment}
        whole = serializers.MapSerializer(rows, context=context).data
        if isinstance(form, CsvRenderer):
            return as_file(to_csv.lines(whole), form, "table-ownership-map")
        if isinstance(form, MarkdownRenderer):
            return as_file(to_markdown.render(whole), form, "table-ownership-map")
        return Response(whole)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The answer depends on what compression the asker takes, too."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Vary"] = VARY
        return response


class MapMiddleware:
    """Answers the plain question for the map at once, with one small query; everything else is the views'.

    The plain question: JSON, no parameters, by someone who needs no sign-in or has a token that was used today. The
    answer is byte for byte the view's, at a fraction of its cost, which is mostly the framework's: it comes
    before sessions, cookies and the search for a view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or pass it on."""
        if request.path_info != ADDRESS or (head := _plainly_asked(request)) is None:
            return self.get_response(request)
        request.resolver_match = self.match  # requests are counted by it
        encoding = "gzip" if takes_gzip(request) else ""
        address = request.build_absolute_uri()
        response = HttpResponse(status=304)
        if not has_already(request, etag(head, address, JSON, encoding)):
            head, content = snapshots.get(head, None, bool(encoding))
            response = _answer(content, encoding)
        response["ETag"] = etag(head, address, JSON, encoding)
        response["X-Registry-Revision"] = str(head[0])
        response["Cache-Control"] = KEPT_BY_NOBODY
        response["Vary"] = VARY
        # What the middleware that it does not come by would add.
        response["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        response["Content-Length"] = str(len(response.content))
        return response

    @cached_property
    def match(self) -> ResolverMatch:
        """Where the address leads."""
        return resolve(ADDRESS)


def _plainly_asked(request: HttpRequest) -> Head | None:
    """The current head for the plain question; None for any other."""
    meta = request.META
    if request.method not in ("GET", "HEAD") or meta["QUERY_STRING"] or meta.get("HTTP_ACCEPT", "*/*") not in PLAIN:
        return None
    if "HTTP_AUTHORIZATION" in meta:
        return head_for_token(meta["HTTP_AUTHORIZATION"])
    return current_head() if settings.ANONYMOUS_READ else None


PLAIN = {"*/*", JSON}


def takes_gzip(request: Any) -> bool:
    """Whether the Accept-Encoding header names gzip, and not to refuse it."""
    for one in request.META.get("HTTP_ACCEPT_ENCODING", "").split(","):
        name, _, quality = one.replace(" ", "").partition(";q=")
        if name.lower() == "gzip":
            return quality.rstrip("0.") != "" if quality else True
    return False


def _answer(content: bytes, encoding: str) -> HttpResponse:
    response = HttpResponse(content, content_type=JSON)
    if encoding:
        response["Content-Encoding"] = encoding
    return response
