"""The signals that history sends to the rooms above it."""

from django.dispatch import Signal

# Sent at the end of a change set, under the lock and before it is written, with `draft` (a ChangeSetDraft) and
# `states`: of each row that changed, (before, after) in the order of the entries. A receiver that raises undoes all.
change_set_ending = Signal()
# Sent after the commit, with `change_set`.
change_set_written = Signal()
