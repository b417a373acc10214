"""Which form an answer takes: ``?format=`` or the Accept header, refused in words where there is none such."""

from typing import Any

from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation

from ownership.api.errors import BadParameter


class Negotiation(DefaultContentNegotiation):
    """DRF's, but a form that an address doesn't have is the asker's mistake, not a missing page."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:
        """Those of that format; BadParameter where there is none."""
        try:
            return super().filter_renderers(renderers, format)
        except Http404:
            formats = ", ".join(dict.fromkeys(renderer.format for renderer in renderers))
            raise BadParameter({"format": f"Takes {formats}."}) from None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        """The renderer and media type; NotAcceptable with the types that there are."""
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            types = ", ".join(dict.fromkeys(renderer.media_type for renderer in renderers))
            raise NotAcceptable(f"The Accept header asks for none of {types}.") from None
