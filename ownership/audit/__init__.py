"""Reading history: timelines, the change feed, entries in words, the comparison of two revisions, verification."""
