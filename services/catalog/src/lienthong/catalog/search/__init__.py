"""Finding agencies, systems, services and event types by words, typed with or without marks."""
