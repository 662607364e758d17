"""`python -m lienthong.client` is the `lienthong` command."""

from lienthong.client.cli import app

app(prog_name="lienthong")
