"""`python -m binh_thuan`: the demo province, from nothing to READY, until Ctrl-C."""

import sys

from binh_thuan.run import main

if __name__ == "__main__":
    sys.exit(main())
