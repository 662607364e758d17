"""The province's people, places and things, generated from one seed: the same on every machine."""
