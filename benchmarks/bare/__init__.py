"""The registry as Django's own admin gives it: the same tables, fields, constraints and inlines, without history.

The yardstick of ``benchmarks/saves.py``, in the same server and on the same rows.
"""
