"""The map in other formats: CSV, Markdown, Mermaid. Pure functions over the map as ``/api/v1/map/`` gives it.

``ownership.exchange.imports`` reads CSV and Markdown back. What both sides must agree on is defined here, beside the
code that writes it.
"""

from typing import Any

# The map, or an entry of it, in the shape that docs/api.md describes.
MapContent = dict[str, Any]
