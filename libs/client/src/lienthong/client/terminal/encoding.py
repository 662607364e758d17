"""Standard output and standard error in UTF-8, whatever the console's code page is."""

from __future__ import annotations

import io
import sys


def speak_utf8() -> None:
    """Make both streams write UTF-8.

    A Windows code page (cp1252, cp1258), or one that PYTHONIOENCODING names, lacks some letters and signs of
    the command's texts, and writing them would end in a UnicodeEncodeError. Bytes of file names that are no
    UTF-8 come out as escapes.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
