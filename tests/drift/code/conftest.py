"""The backends are what is read, not tests."""

collect_ignore = ["backends"]
