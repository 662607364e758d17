"""Screenshots of the pages for people, written by `make screenshots`."""
