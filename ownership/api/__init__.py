"""The read-only API, /api/v1/: the current map for programs. Names, never ids; docs/api.md is the reference."""
