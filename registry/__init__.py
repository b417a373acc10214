"""Wiring only: settings, URLs and the WSGI entry point. The application is in ``ownership``."""

import gc

# By default, Python looks for objects that only hold each other after every 700 new ones, and through ever more of
# them: a quarter of the time that the map of 10,000 tables, or its import, takes. Little is left so here.
gc.set_threshold(50_000, 20, 100)
