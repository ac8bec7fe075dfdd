"""`python -m negopt_core`."""

import sys

from .cli import MODULE, main

if __name__ == "__main__":
    sys.exit(main(prog=MODULE))
