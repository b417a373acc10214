"""Reading history: timelines, the change feed, entries in words, two revisions compared, verification."""
