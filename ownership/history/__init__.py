"""History: every write leaves entries that belong to one change set, in one transaction.

This room knows no model by name, no request and no URL. Start with ``change_sets.py`` (how a change set is written) and
``tracked.py`` (the base class of every model that has history); ``time_travel.py`` shows the registry as it was.
"""
