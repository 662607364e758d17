"""The supervisor as a child that never outlives the command which started it.

`python -m lienthong.local.supervised supervisord.conf`: supervisord in the foreground, ended (and with it
every program it started) when its parent dies, even by `kill -9`. A supervisord that is killed itself takes
its programs with it: nobody would stop them, and they would hold the ports of the next start. What they write
is for their owner only: databases and logs tell who asked for what.
"""

import os
import signal

from supervisor.supervisord import main

from lienthong.kit.arguments import ProcessArguments
from lienthong.kit.process import die_with_parent
from lienthong.kit.text import BilingualText
from lienthong.local.full_disk import lose_what_cannot_be_written
from lienthong.local.prepared import fork_module_programs

DOES = BilingualText(
    "supervisord, ended together with the process that started it.",
    "supervisord, dừng cùng với tiến trình đã khởi động nó.",
)


def die_with_supervisor(supervisor: int) -> None:
    """Have the kernel kill what this process forks when it dies, but not what those fork in their turn."""

    def after_fork() -> None:
        nonlocal supervisor
        if supervisor:
            # The kernel keeps this over exec, so that it holds for programs of others too.
            die_with_parent(signal.SIGKILL, supervisor)
            supervisor = 0

    os.register_at_fork(after_in_child=after_fork)


if __name__ == "__main__":
    parser = ProcessArguments("lienthong.local.supervised", DOES)
    parser.add_argument("configuration", help="supervisord.conf")
    configuration = parser.parse_args().configuration
    die_with_parent()
    die_with_supervisor(os.getpid())
    lose_what_cannot_be_written()
    fork_module_programs()
    os.umask(0o077)
    main(["--nodaemon", "--configuration", configuration])
