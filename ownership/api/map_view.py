"""``map/``: the whole map, which most requests ask for.

The current map as JSON comes from its snapshot. ``MapMiddleware`` answers plain requests with it, before sessions
and URL resolving; ``MapView`` does the same for people who are signed in, and answers in other forms and of the past.
"""

from collections.abc import Callable
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve, reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api import serializers
from ownership.api.authentication import TokenAuthentication
from ownership.api.base import (
    CACHE_CONTROL,
    READING_METHODS,
    Handler,
    RegistryView,
    find_environment,
    has_already,
    make_etag,
    moment_parameters,
    set_revision_headers,
)
from ownership.api.errors import BadParameter
from ownership.api.renderers import (
    CsvRenderer,
    MarkdownRenderer,
    as_file,
    as_streamed_file,
    in_forms,
)
from ownership.api.schema import ENVIRONMENT
from ownership.api.snapshot import snapshots
from ownership.catalog.queries import confirmed_map
from ownership.exchange.exports import to_csv, to_markdown
from ownership.history.head import Head
from ownership.history.models import current_head
from ownership.models.answerable import teams_by_service

JSON = JSONRenderer.media_type
PLAIN_ACCEPT = ("*/*", JSON)
VARY = ["Accept", "Accept-Encoding", "Authorization", "Cookie"]
FILE_NAME = "table-ownership-map"


def kept_map(
    request: HttpRequest | Request, head: Head, environment_name: str | None
) -> HttpResponse:
    """The current map as JSON from its snapshot, or 304 if the client has it; compressed for those who take gzip.

    ``head`` is the history's head as just read. If the map changed since, the answer is of a later one.
    """
    compressed = takes_gzip(request)
    encoding = "gzip" if compressed else ""
    address = request.build_absolute_uri()
    if has_already(request, make_etag(head, address, JSON, encoding)):
        response: HttpResponse = HttpResponseNotModified()
    else:
        environment = find_environment(environment_name)
        head, content = snapshots.get(head, environment, compressed)
        response = HttpResponse(content, content_type=JSON)
        if compressed:
            response["Content-Encoding"] = encoding
    set_revision_headers(response, head, make_etag(head, address, JSON, encoding))
    response["Cache-Control"] = CACHE_CONTROL
    response["Vary"] = ", ".join(VARY)
    return response


def takes_gzip(request: HttpRequest | Request) -> bool:
    """Whether the Accept-Encoding header names gzip with a quality above 0."""
    for part in request.META.get("HTTP_ACCEPT_ENCODING", "").split(","):
        name, _, quality = part.replace(" ", "").partition(";q=")
        if name.lower() == "gzip":
            return quality == "" or quality.rstrip("0.") != ""
    return False


class MapView(RegistryView):
    """The whole map."""

    parameters = frozenset({"format", "environment"})
    renderer_classes = [JSONRenderer, CsvRenderer, MarkdownRenderer]
    takes_moment = True
    vary = VARY

    def read(self, handler: Handler) -> HttpResponseBase:
        """Take the current map as JSON from its snapshot; read everything else from the database."""
        if self.request.accepted_media_type == JSON and not moment_parameters(self.request):
            return kept_map(
                self.request, current_head(), self.request.query_params.get("environment")
            )
        return super().read(handler)

    @extend_schema(
        operation_id="map",
        parameters=[ENVIRONMENT],
        responses=in_forms(serializers.MapSerializer, CsvRenderer, MarkdownRenderer),
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The whole map of one revision, by default the current one, in the order of the original document."""
        environment = find_environment(request.query_params.get("environment"))
        renderer = request.accepted_renderer
        if environment is not None and isinstance(renderer, MarkdownRenderer):
            raise BadParameter(
                {"environment": "Not available with Markdown, which shows base names only."}
            )
        whole = confirmed_map()
        rows = {
            "revision": self.history_head.revision,
            "environment": environment and environment.name,
            **whole,
        }
        teams = teams_by_service(whole["services"])
        context = {"request": request, "view": self, "environment": environment, "teams": teams}
        content = serializers.MapSerializer(rows, context=context).data
        if isinstance(renderer, CsvRenderer):
            return as_streamed_file(to_csv.render(content), renderer, FILE_NAME)
        if isinstance(renderer, MarkdownRenderer):
            return as_file(to_markdown.render(content), renderer, FILE_NAME)
        return Response(content)


class MapMiddleware:
    """Answers the plain request for the map with one small query, and passes every other request on.

    Plain is a request for JSON without parameters, by a valid token of an account with a role or,
    with ANONYMOUS_READ, by anyone.
    It comes before sessions, sign-ins and URL resolving, which would take more than half of the time.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request, or pass it on."""
        if request.path_info != self.address or not _is_plain(request):
            return self.get_response(request)
        head = _readable_head(request)
        if head is None:
            return self.get_response(request)
        # For metrics, which count by route.
        request.resolver_match = self.match
        return kept_map(request, head, environment_name=None)

    # URLs can't be resolved yet when middleware is created.
    @cached_property
    def address(self) -> str:
        """The path of the map."""
        return reverse("api:map")

    @cached_property
    def match(self) -> ResolverMatch:
        """What URL resolving would find."""
        return resolve(self.address)


def _is_plain(request: HttpRequest) -> bool:
    headers = request.META
    return (
        request.method in READING_METHODS
        and not headers["QUERY_STRING"]
        and headers.get("HTTP_ACCEPT", "*/*") in PLAIN_ACCEPT
    )


def _readable_head(request: HttpRequest) -> Head | None:
    """The history's head if anonymous reading or a valid token allows the request; None if the view must decide."""
    if "HTTP_AUTHORIZATION" in request.META:
        try:
            credentials = TokenAuthentication().authenticate(request)
        except AuthenticationFailed:
            return None
        if credentials is None:
            return None
        user, token = credentials
        if not (token.has_role or settings.ANONYMOUS_READ):
            return None
        request.user = user
        return token.history_head
    if settings.ANONYMOUS_READ:
        return current_head()
    return None
