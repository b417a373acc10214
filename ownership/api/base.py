"""What the API's views share: who may read, known parameters only, and answers from a single revision.

``ReadOnlyView`` checks the request. ``RegistryView`` adds what depends on the history: ETag, revision, 304, and the
rows of an earlier time.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.exceptions import NotAcceptable, ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ownership.api.authentication import HasRole
from ownership.api.errors import BadParameter
from ownership.api.schema import RegistrySchema
from ownership.api.serializers import REPRESENTATION
from ownership.catalog.mine import MINE
from ownership.history import time_travel
from ownership.history.head import Head
from ownership.history.models import current_head
from ownership.models import Environment
from ownership.models.answerable import team_ids_of

READING_METHODS = ("GET", "HEAD")
# The answers are the same for everyone who may read, but permission is checked on each request.
CACHE_CONTROL = "private, no-cache"
# With more parameters than this, the answer does not say what is wrong with each.
MOST_PARAMETERS = 100
# Parameters that ask for an earlier time, and what finds the revision that they name.
MOMENT_PARAMETERS = {"revision": time_travel.at_revision, "as_of": time_travel.at_time}

Handler = Callable[..., HttpResponseBase]


@lru_cache(maxsize=256)
def make_etag(head: Head, address: str, media_type: str, encoding: str = "") -> str:
    """The ETag of an answer: made of the history's head, the representation and what selects the answer."""
    revision, digest = head
    selectors = f"{digest} {REPRESENTATION} {address} {media_type} {encoding}"
    # The revision tells a registry with replicas what the client has seen (ownership/web/replicas.py).
    return f'"{revision}-{hashlib.sha256(selectors.encode()).hexdigest()[:32]}"'


def has_already(request: HttpRequest | Request, etag: str) -> bool:
    """Whether If-None-Match names the ETag. Weak ones count: a proxy that compresses an answer makes its ETag weak.

    Not Django's get_conditional_response, which also answers If-Match and ``*``, and with 412 in a form of its own.
    """
    header = request.META.get("HTTP_IF_NONE_MATCH", "")
    if not header:
        return False
    return etag in [sent.removeprefix("W/") for sent in parse_etags(header)]


def set_revision_headers(response: HttpResponseBase, head: Head, etag: str) -> None:
    """Add the headers that name the answer and the revision that it shows."""
    response["ETag"] = etag
    response["X-Registry-Revision"] = str(head.revision)


class Negotiation(DefaultContentNegotiation):
    """DRF's choice of a form by ``?format=`` or the Accept header, with errors that list the available forms."""

    def filter_renderers(
        self, renderers: Iterable[BaseRenderer], format: str
    ) -> list[BaseRenderer]:
        """The renderers of that format. BadParameter (400) if there are none; DRF's own answer would be a 404."""
        try:
            return super().filter_renderers(renderers, format)
        except Http404:
            formats = ", ".join(dict.fromkeys(str(renderer.format) for renderer in renderers))
            raise BadParameter({"format": f"Unknown format. Allowed: {formats}."}) from None

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> Any:
        """The renderer and its media type; NotAcceptable (406) names the available media types."""
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            types = ", ".join(dict.fromkeys(str(renderer.media_type) for renderer in renderers))
            raise NotAcceptable(
                f"The requested media type is not supported. Available: {types}."
            ) from None


class ReadOnlyView(APIView):
    """Checks permission, form and parameters of a request, and lets no shared cache keep the answer."""

    content_negotiation_class = Negotiation
    # Query parameters that the view takes, apart from those of its filters and pages.
    parameters: frozenset[str] = frozenset({"format"})
    # Request headers that the answer depends on.
    vary = ["Accept", "Authorization", "Cookie"]

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Check permission, then choose the form of the answer, then check the parameters.

        DRF chooses the form first, so that 406 would come before 401.
        """
        self.format_kwarg = self.get_format_suffix(**kwargs)
        request.version, request.versioning_scheme = self.determine_version(
            request, *args, **kwargs
        )
        self.perform_authentication(request)
        self.check_permissions(request)
        renderer, media_type = self.perform_content_negotiation(request)
        request.accepted_renderer = renderer
        request.accepted_media_type = media_type
        if request.method in READING_METHODS:
            self.refuse_bad_parameters(request)

    def allowed_parameters(self) -> set[str]:
        """All query parameters that this address takes."""
        return set(self.parameters)

    def refuse_bad_parameters(self, request: Request) -> None:
        """Raise BadParameter if a parameter is unknown, repeated or empty."""
        if len(request.query_params) > MOST_PARAMETERS:
            raise ParseError("Too many parameters.")
        allowed = self.allowed_parameters()
        errors = {}
        for name, values in request.query_params.lists():
            if name not in allowed:
                errors[name] = f"Unknown parameter. Allowed: {', '.join(sorted(allowed))}."
            elif len(values) > 1:
                errors[name] = "Given more than once."
            elif not values[0]:
                errors[name] = "Empty. Give a value, or leave the parameter out."
        if errors:
            raise BadParameter(errors)

    def options(self, request: Any, *args: object, **kwargs: object) -> Response:
        """Describe the address, in JSON even if its answers have another form."""
        response = super().options(request, *args, **kwargs)
        request.accepted_renderer = JSONRenderer()
        return response

    def finalize_response(
        self, request: Request, response: Any, *args: object, **kwargs: object
    ) -> Any:
        """Add the caching headers."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = CACHE_CONTROL
        patch_vary_headers(response, self.vary)
        return response


class RegistryView(ReadOnlyView):
    """Answers from a single revision of the registry, with ETag and X-Registry-Revision, or 304."""

    schema = RegistrySchema()
    # Whether ``?revision=`` or ``?as_of=`` may ask for the rows of an earlier time.
    takes_moment = False
    # The revision, with its digest, that the answer shows. Set before a GET is handled.
    history_head: Head

    def check_permissions(self, request: Request) -> None:
        """Require a role for the past and for what is mine, even if the current map is open to everyone."""
        super().check_permissions(request)
        asks_for_past = self.takes_moment and bool(moment_parameters(request))
        asks_for_more = asks_for_past or MINE in request.query_params
        if asks_for_more and not HasRole().has_permission(request, self):
            self.permission_denied(request)

    def allowed_parameters(self) -> set[str]:
        """Add the parameters that ask for an earlier time."""
        allowed = super().allowed_parameters()
        if self.takes_moment:
            allowed.update(MOMENT_PARAMETERS)
        return allowed

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Handle a request in the steps of DRF's APIView.dispatch, but let ``read`` call the handler of a GET."""
        self.args = args
        self.kwargs = kwargs
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(self.request, *args, **kwargs)
            handler = self.http_method_not_allowed
            method = str(self.request.method).lower()
            if method in self.http_method_names:
                handler = getattr(self, method, handler)
            if self.request.method in READING_METHODS:
                response = self.read(handler)
            else:
                response = handler(self.request, *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        return self.response

    def read(self, handler: Handler) -> HttpResponseBase:
        """The handler's answer with its revision headers, or 304 if the client has it already."""
        if MINE in self.request.query_params:
            # Read before a view looks back: whose something was then is asked about the account's teams of now.
            team_ids_of(self.request.user)
        while True:
            past = self.requested_moment()
            self.history_head = past or self.find_head()
            etag = self.etag()
            if has_already(self.request, etag):
                response: HttpResponseBase = HttpResponseNotModified()
                break
            with nullcontext() if past is None else time_travel.as_of(past.revision):
                response = handler(self.request, *self.args, **self.kwargs)
            # The past does not change. The present may have changed while the rows were read: read them again.
            if past is not None or self.history_head == self.find_head():
                break
        set_revision_headers(response, self.history_head, etag)
        return response

    def find_head(self) -> Head:
        """Revision and digest that the answer is made from, unless an earlier time is requested."""
        return current_head()

    def requested_moment(self) -> Head | None:
        """Revision and digest of the earlier time that the query asks for; None for now."""
        if not self.takes_moment:
            return None
        given = moment_parameters(self.request)
        if len(given) > 1:
            raise BadParameter(dict.fromkeys(given, "Give revision or as_of, not both."))
        for name, text in given.items():
            return find_moment(name, text, MOMENT_PARAMETERS[name])
        return None

    def etag(self) -> str:
        """The ETag of this answer."""
        address = self.request.build_absolute_uri()
        if MINE in self.request.query_params:
            # Whose that is differs between accounts.
            address += f" {self.request.user.pk}"
        return make_etag(
            self.history_head,
            address,
            self.request.accepted_media_type,
        )


def moment_parameters(request: Request) -> dict[str, str]:
    """The query's parameters that ask for an earlier time, with their values."""
    return {
        name: request.query_params[name]
        for name in MOMENT_PARAMETERS
        if name in request.query_params
    }


def find_moment(name: str, text: str, find: Callable[[str], Head]) -> Head:
    """Revision and digest that a parameter's value names; BadParameter if it names none."""
    try:
        return find(text)
    except time_travel.BadMoment as error:
        raise BadParameter({name: str(error)}) from error


def find_environment(name: str | None) -> Environment | None:
    """The environment of that name, None for no name; BadParameter if there is no such environment."""
    if name is None:
        return None
    environments = {environment.name: environment for environment in Environment.objects.all()}
    if name not in environments:
        raise BadParameter(
            {"environment": f"Unknown environment. Allowed: {', '.join(environments)}."}
        )
    return environments[name]
