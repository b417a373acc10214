"""The read-only API, /api/v1/: the current map for programs. Everything is named by name; docs/api.md explains it."""
