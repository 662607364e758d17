"""The supervisor as a child that never outlives the command which started it.

`python -m lienthong.local.supervised supervisord.conf`: supervisord in the foreground, ended (and with it
every program it started) when its parent dies, even by `kill -9`. What they write is for their owner only:
databases and logs tell who asked for what.
"""

import os

from supervisor.supervisord import main

from lienthong.kit.arguments import ProcessArguments
from lienthong.kit.process import die_with_parent
from lienthong.kit.text import BilingualText

DOES = BilingualText(
    "supervisord, ended together with the process that started it.",
    "supervisord, dừng cùng với tiến trình đã khởi động nó.",
)

if __name__ == "__main__":
    parser = ProcessArguments("lienthong.local.supervised", DOES)
    parser.add_argument("configuration", help="supervisord.conf")
    configuration = parser.parse_args().configuration
    die_with_parent()
    os.umask(0o077)
    main(["--nodaemon", "--configuration", configuration])
