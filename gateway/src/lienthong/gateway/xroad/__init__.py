"""The doors for clients of X-Road and of GovStack: their calls are translated, and decided like others."""
