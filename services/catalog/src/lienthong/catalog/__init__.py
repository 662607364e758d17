"""The service catalog: who takes part, what they offer, and who may use it for what."""
