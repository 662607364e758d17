"""How much each agreement may use: the rules on plain values, and how the gateways agree on what was used."""
