"""The map as files: exports, imports, and the seed."""
