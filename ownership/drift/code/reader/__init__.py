"""Reader of code: which tables each deployed function uses, and by which way.

For every entry point of infrastructure, its handler is interpreted, and what the frames that it reaches do is
collected. Texts get the values of the function's environment variables here, and names of tables become those of
the map.
"""

from ownership.drift.code.reader.reading import read_code

__all__ = ["read_code"]
