"""Pages for people's browsers: one frame, one way to read forms, one set of headers.

A process that serves pages makes a `Frame` and a `Forms`, and an application by `create_page_app`. Nothing
here knows what the pages are about.
"""
