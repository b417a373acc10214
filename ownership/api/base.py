"""What all addresses of the API share: who may read, known parameters only, the revision and moment shown."""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache
from typing import Any

from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException, ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ownership.api.authentication import SignedIn
from ownership.api.errors import BadParameter
from ownership.api.negotiation import Negotiation
from ownership.api.schema import MomentSchema, RegistrySchema
from ownership.api.snapshot import CODE
from ownership.history import time_travel
from ownership.history.models import Head, current_head
from ownership.models import Environment


@lru_cache(maxsize=256)
def etag(head: Head, address: str, media_type: str, encoding: str) -> str:
    """Names an answer: the history's head, the code that shapes it, and what selects it."""
    selects = f"{head[1]} {CODE} {address} {media_type} {encoding}"
    # The number tells a registry with replicas what the asker has seen (ownership/web/replicas.py).
    return f'"{head[0]}-{hashlib.sha256(selects.encode()).hexdigest()[:32]}"'


def has_already(request: Any, tag: str) -> bool:
    """Whether the asker has the answer of that ETag. Compared weakly: a proxy that compresses makes it a weak one."""
    asked = request.META.get("HTTP_IF_NONE_MATCH", "")
    return tag in {one.removeprefix("W/") for one in parse_etags(asked)} if asked else False


# The same for all who may read, but who may is asked each time.
KEPT_BY_NOBODY = "private, no-cache"


MOST_PARAMETERS = 100  # that are told one by one what is wrong with them


class _NotModified(APIException):
    status_code = 304


class ReadOnlyView(APIView):
    """What all addresses share: who may read, known parameters only, nothing kept by shared caches."""

    content_negotiation_class = Negotiation
    # Parameters that the view takes beside those of its filters and pages.
    parameters: frozenset[str] = frozenset({"format"})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Permission before all else, then the form of the answer, then the parameters."""
        self.perform_authentication(request)
        self.check_permissions(request)
        super().initial(request, *args, **kwargs)
        if request.method in ("GET", "HEAD"):
            self.refuse_bad_parameters(request)

    def allowed_parameters(self) -> set[str]:
        """All the query parameters that this address takes."""
        return set(self.parameters)

    def refuse_bad_parameters(self, request: Request) -> None:
        """BadParameter for a parameter that is not known here, stands twice or is empty."""
        allowed = self.allowed_parameters()
        errors = {}
        if len(request.query_params) > MOST_PARAMETERS:
            raise ParseError("The address has too many parameters.")
        for name, values in request.query_params.lists():
            if name not in allowed:
                errors[name] = f"Unknown here. This address takes {', '.join(sorted(allowed))}."
            elif len(values) > 1:
                errors[name] = "Stands twice; give it once."
            elif not values[0]:
                errors[name] = "Is empty; give it a value, or leave it out."
        if errors:
            raise BadParameter(errors)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What the address is, as JSON also where its answers are not."""
        response = super().options(request, *args, **kwargs)
        request.accepted_renderer = JSONRenderer()
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers that tell how the answer may be kept."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = KEPT_BY_NOBODY
        patch_vary_headers(response, ["Accept", "Authorization", "Cookie"])
        return response


class RegistryView(ReadOnlyView):
    """Answers from the registry: with ETag and revision, 304 where nothing changed."""

    schema = RegistrySchema()
    # Revision and digest of the head that the answer shows; None until a reading request got that far.
    head_shown: Head | None = None

    @property
    def encoding(self) -> str:
        """How the answer is compressed, where the registry itself does that."""
        return ""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer from one revision: where a change came in between reading head and rows, read both again."""
        while True:
            self.head_shown = None
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code != 200 or self.head_shown is None or self.head_shown == self.find_head():
                return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """May the answer be given at all, then whether the asker has it already."""
        super().initial(request, *args, **kwargs)
        if request.method not in ("GET", "HEAD"):
            return
        self.head_shown = self.find_head()
        if has_already(request, self.etag(self.head_shown)):
            raise _NotModified

    def find_head(self) -> Head:
        """Revision and digest of what is to be shown."""
        return current_head()

    def etag(self, head: Head) -> str:
        """Names this answer: the history's head, the code that shapes it, and what selects it."""
        return etag(head, self.request.build_absolute_uri(), self.request.accepted_media_type, self.encoding)

    def handle_exception(self, exc: Exception) -> Response:
        """A 304 is an answer, not a problem."""
        return Response(status=304) if isinstance(exc, _NotModified) else super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers that name the revision and this answer from it."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.head_shown is not None and response.status_code in (200, 304):
            response["ETag"] = self.etag(self.head_shown)
            response["X-Registry-Revision"] = str(self.head_shown[0])
        return response


class MomentView(RegistryView):
    """Answers of today, or of a revision or time that is asked for."""

    schema = MomentSchema()

    def get_permissions(self) -> Any:
        """The past takes a sign-in or a token, also where the map of today is open to all."""
        asked = self.request is not None and past_parameters(self.request)
        return [SignedIn()] if asked else super().get_permissions()

    def allowed_parameters(self) -> set[str]:
        """With those that name a moment."""
        return super().allowed_parameters() | set(_MOMENT)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Leave the past again, whatever happens there."""
        with ExitStack() as self.moment:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Go where the asker wants to be; from there on every query answers as of then."""
        self.moment.close()
        super().initial(request, *args, **kwargs)
        if self.head_shown is not None and past_parameters(request):
            self.moment.enter_context(time_travel.as_of(self.head_shown[0]))

    def find_head(self) -> Head:
        """The revision asked for; BadParameter where there is none such."""
        asked = past_parameters(self.request)
        if len(asked) > 1:
            raise BadParameter(dict.fromkeys(asked, "Give revision or as_of, not both."))
        for name, value in asked.items():
            return moment(name, value, _MOMENT[name])
        return super().find_head()


_MOMENT = {"revision": time_travel.at_revision, "as_of": time_travel.at_time}


def past_parameters(request: Request) -> dict[str, str]:
    """Those of the query's parameters that name a moment."""
    return {name: request.query_params[name] for name in _MOMENT if name in request.query_params}


def moment(name: str, value: str, find: Callable[[str], Head]) -> Head:
    """The revision that a parameter names; BadParameter where it names none."""
    try:
        return find(value)
    except time_travel.BadMoment as error:
        raise BadParameter({name: str(error)}) from error


def asked_environment(request: Request) -> Environment | None:
    """The environment named by ``?environment=``; BadParameter where there is none of that name."""
    name = request.query_params.get("environment")
    if name is None:
        return None
    environments = {row.name: row for row in Environment.objects.all()}
    if name not in environments:
        raise BadParameter({"environment": f"Takes {', '.join(environments)}."})
    return environments[name]
