"""Reading a map from a file: JSON, YAML, and CSV and Markdown as ``ownership.exchange.exports`` writes them.

Each reader turns a file into statements, without a database. ``import_plan`` compares the statements with the registry
and plans what differs.
"""
