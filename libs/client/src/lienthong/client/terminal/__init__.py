"""What the command shows: people's text on one side, machines' JSON on the other."""
