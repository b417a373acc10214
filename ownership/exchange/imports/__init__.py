"""Reading a map back from a file: CSV and Markdown as ``ownership.exports`` writes them, and the original document.

Each reader (``csv``, ``markdown``, ``document``) turns a file into statements, without a database; ``plan`` compares
these with the registry and applies what differs.
"""
