"""The command's output: text for people, JSON for programs."""
