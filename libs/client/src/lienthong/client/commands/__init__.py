"""The groups of the `lienthong` command, one module each.

Heavy imports stand inside the functions that need them, so that help shows at once.
"""
