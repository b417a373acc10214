"""The map in other forms: CSV, Markdown, Mermaid. Pure functions over the map as ``/api/v1/map/`` gives it.

``ownership.imports`` reads CSV and Markdown back; what both sides must agree on stands here, beside what writes it.
"""
