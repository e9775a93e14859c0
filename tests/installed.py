"""Which methods can run here: those whose libraries are installed."""

import diffmethods as dm
from diffmethods.errors import MissingLibraryError

METHODS, MISSING = [], {}
for name in dm.list_methods():
    try:
        dm.get_method(name)
    except MissingLibraryError as error:
        MISSING[name] = str(error)
    else:
        METHODS.append(name)

EXACT = [name for name in METHODS if dm.get_method(name).exact]
