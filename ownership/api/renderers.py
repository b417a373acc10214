"""The forms of an answer other than JSON. The views pass finished text, made by ``ownership.exchange.exports``."""

from collections.abc import Iterator, Mapping

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response


class TextRenderer(BaseRenderer):
    """Passes the view's text on. Errors are rendered as JSON."""

    charset = "utf-8"
    # The file name extension of this form.
    suffix = ""

    def render(
        self,
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, object] | None = None,
    ) -> str | bytes:
        """The text as it is."""
        if isinstance(data, str):
            return data
        return JSONRenderer().render(data)


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
    """A table or service with its neighbors as a flow chart."""

    media_type = "application/vnd.mermaid"
    format = "mermaid"
    suffix = "mmd"


def as_file(text: str, renderer: TextRenderer, name: str) -> Response:
    """An answer that a browser saves under that name."""
    return Response(text, headers=_file_headers(renderer, name))


def as_streamed_file(
    pieces: Iterator[bytes], renderer: TextRenderer, name: str
) -> StreamingHttpResponse:
    """The same, sent piece by piece as it is made."""
    content_type = f"{renderer.media_type}; charset={renderer.charset}"
    return StreamingHttpResponse(
        pieces, content_type=content_type, headers=_file_headers(renderer, name)
    )


def _file_headers(renderer: TextRenderer, name: str) -> dict[str, str]:
    return {"Content-Disposition": f'inline; filename="{name}.{renderer.suffix}"'}


def in_forms(serializer: type, *renderers: type[TextRenderer]) -> dict[tuple[int, str], object]:
    """The responses of an address that answers in JSON and in these forms, for OpenAPI."""
    texts = {(200, renderer.media_type): OpenApiTypes.STR for renderer in renderers}
    return {(200, JSONRenderer.media_type): serializer, **texts}
