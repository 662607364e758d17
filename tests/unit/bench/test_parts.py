"""Samples of perf are counted for the part of the gateway that they belong to."""

from tests.bench.parts import samples

PYTHON = "/usr/lib/libpython3.11.so.1.0"
OURS = "/build/compiled/lienthong_gateway__mypyc.cpython-311-x86_64-linux-gnu.so"
SCRIPT = f"""\
\tffffffff81e3cde6 __alloc_skb ([kernel.kallsyms])
\tffffffff81e2c559 sock_write_iter ([kernel.kallsyms])
\tffffffff816b90ea ksys_write ([kernel.kallsyms])

\t          1a2b3c PyDict_GetItem+0x10 (inlined)
\t          1a2b3c PyObject_GetAttr+0x10 ({PYTHON})
\t          107cae CPyDef_record___Recorder____record+0x12 ({OURS})
\t          107cae CPyDef_app____stages_Gateway_gen+0x2 ({OURS})

\t          1a2b3c PyObject_GetAttr+0x10 ({PYTHON})
\t            1234 on_cb (/site-packages/httptools/parser/parser.cpython-311-x86_64-linux-gnu.so)
\t          107cae CPyDef_caller___Caller___data_received+0x2 ({OURS})

\t          1a2b3c _PyEval_EvalFrameDefault+0x10 ({PYTHON})
"""


def test_a_sample_counts_for_the_innermost_part_that_is_known() -> None:
    assert samples(SCRIPT) == {
        "kernel: writing to sockets": 1,
        "gateway: record": 1,
        "library: llhttp": 1,
        "Python, called by the event loop": 1,
    }
