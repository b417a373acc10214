"""Wiring only: settings, URLs and the WSGI entry point. The application is in ``ownership``."""

import gc

# By default, Python's cyclic garbage collector runs after every 700 new objects, and that takes a quarter of the time
# of a map or an import with 10,000 tables. Little of ours is cyclic.
gc.set_threshold(50_000, 20, 100)
