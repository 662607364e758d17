"""REST: agreements and their amendments."""
