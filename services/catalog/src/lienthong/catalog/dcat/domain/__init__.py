"""Resources as nodes of a graph, and a graph as text."""
