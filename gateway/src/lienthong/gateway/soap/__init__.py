"""Calls of services that speak SOAP 1.1 and 1.2: which operation they are of, and problems as faults."""
