"""Print the table of accuracy and speed, or record it: `nox -s benchmarks`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks import threads

    threads.pin()
    from benchmarks import command  # loads NumPy, which reads what was pinned

    command.main()
