"""The people of an agency: who they are, what they may do, and letting them in or not."""
