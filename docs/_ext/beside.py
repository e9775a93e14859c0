"""Programs that run beside the gallery, one after the other: two cores, both busy.

What they write is waited for before the first page is read.
"""

import atexit
import os
import subprocess
import sys
from threading import Thread

QUIET = {"MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}


class Program(Thread):
    """A Python program with its output in a file, begun when another one is done."""

    def __init__(self, *arguments, log, after=None):
        super().__init__(daemon=True)
        self.command = [sys.executable, *map(str, arguments)]
        self.log, self.after, self.returncode = log, after, None
        log.parent.mkdir(parents=True, exist_ok=True)
        self.start()

    def run(self):
        if self.after:
            self.after.join()
        with self.log.open("w") as log:
            process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=os.environ | QUIET
            )
        atexit.register(process.kill)
        self.returncode = process.wait()
