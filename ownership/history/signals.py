"""The signals that history sends to the rooms above it."""

from django.dispatch import Signal

# Sent after the commit, with `change_set`.
change_set_written = Signal()
