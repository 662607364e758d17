"""The catalog as DCAT-AP 3.0.1 describes catalogues, for portals that collect what others offer."""
