"""The forms of an answer beside JSON. The views make the text; ``ownership.exports`` knows how."""

from collections.abc import Iterator

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response


class TextRenderer(BaseRenderer):
    """Passes the view's text on; an error is told in JSON."""

    charset = "utf-8"
    # How a file of this form is called at its end.
    suffix = ""

    def render(self, data, accepted_media_type=None, renderer_context=None):
        """The text as it is."""
        return data if isinstance(data, str) else JSONRenderer().render(data)


class CsvRenderer(TextRenderer):
    """One row per access, for spreadsheets."""

    media_type = "text/csv"
    format = "csv"
    suffix = "csv"


class MarkdownRenderer(TextRenderer):
    """The map as a document."""

    media_type = "text/markdown"
    format = "markdown"
    suffix = "md"


class MermaidRenderer(TextRenderer):
    """A neighbourhood as a flow chart."""

    media_type = "application/vnd.mermaid"
    format = "mermaid"
    suffix = "mmd"


def as_file(content: str | Iterator[bytes], renderer: TextRenderer, name: str) -> HttpResponseBase:
    """An answer that a browser saves under that name; pieces are sent as they are made."""
    headers = {"Content-Disposition": f'inline; filename="{name}.{renderer.suffix}"'}
    if isinstance(content, str):
        return Response(content, headers=headers)
    return StreamingHttpResponse(
        content, content_type=f"{renderer.media_type}; charset={renderer.charset}", headers=headers
    )


def in_forms(serializer: type, *renderers: type[TextRenderer]) -> dict[tuple[int, str], object]:
    """What OpenAPI says of an answer that has JSON and these forms."""
    texts = {(200, renderer.media_type): OpenApiTypes.STR for renderer in renderers}
    return {(200, JSONRenderer.media_type): serializer, **texts}
