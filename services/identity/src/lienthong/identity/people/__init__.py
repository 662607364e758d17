"""People: the accounts of officials, how they prove who they are, and what they are signed in with."""
