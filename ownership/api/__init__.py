"""The read-only API, /api/v1/: the current map for programs. Addresses and answers use names, never ids; see docs/api.md."""
