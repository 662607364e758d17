"""The systems of the departments and the stand-in for the national core: each its own small web service.

Start one with `python -m binh_thuan.departments <name>`; each holds its records in memory, generated from the
seed, and what is registered with it in a file of its own, so that a restart loses nothing.
"""
