"""The supervisor as a child that never outlives the command which started it.

`python -m lienthong.local.supervised supervisord.conf`: supervisord in the foreground, ended (and with it
every program it started) when its parent dies, even by `kill -9`. What they write is for their owner only:
databases and logs tell who asked for what.
"""

import os
import sys

from supervisor.supervisord import main

from lienthong.kit.process import die_with_parent

if __name__ == "__main__":
    die_with_parent()
    os.umask(0o077)
    main(["--nodaemon", "--configuration", sys.argv[1]])
