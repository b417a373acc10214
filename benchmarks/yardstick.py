"""Settings of the registry with yardsticks in the same server, for the benchmarks beside this file alone.

/constant/ sends the map's bytes as they were when first asked for: what this server and this framework can do at all.
/nested/ makes the map with a plain nested serializer, as one would write it in an afternoon.
/bare/ is Django's own admin of the same models (``benchmarks/bare``).
"""

from registry.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.bare"]  # noqa: F405
ROOT_URLCONF = "benchmarks.yardstick_urls"
