"""What identity does with accounts; transactions begin and end here."""
