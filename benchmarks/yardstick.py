"""Settings and addresses of the registry with yardsticks beside the map, for ``benchmarks/map.py`` alone.

/constant/ sends the map's bytes as they were when first asked for: what this server and this framework can do at all.
/nested/ makes the map with a plain nested serializer, as one would write it in an afternoon.
"""

from registry.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.yardstick_urls"
