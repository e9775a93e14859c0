"""Run notebooks into a cache: ``python docs/execute.py CACHE PAGE...``."""

import os
import sys

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor

os.environ.pop("MPLBACKEND", None)  # a kernel would show no figure
cache = get_cache(sys.argv[1])
for page in sys.argv[2:]:
    cache.add_nb_to_project(page, read_data={"name": "myst_nb_md", "type": "plugin"})
result = load_executor("local-serial", cache).run_and_cache(
    filter_uris=sys.argv[2:], timeout=600
)
print("executed", *result.succeeded)
