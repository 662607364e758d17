"""What operators see of a process: its figures, and the text in which a health port shows them."""
